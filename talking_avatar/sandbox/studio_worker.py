"""The process a renderer lives in: calls come in on standard input, answers go out on standard output.

A process of our own instead of `multiprocessing`, whose spawned children import the caller's main module again.
"""

import importlib
import os
import pickle
import sys
from typing import BinaryIO

from talking_avatar.sandbox.pipe import HEADER, frame
from talking_avatar.sandbox.rendering.contract import Renderer

__all__ = ["main"]


def _answer(renderer: Renderer, body: bytes) -> bytes:
    try:
        # Only the parent of this process writes to the pipe.
        name, arguments, options = pickle.loads(body)  # noqa: S301
        return frame((True, getattr(renderer, name)(*arguments, **options)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent raises it
        return _refusal(error)


def _refusal(error: Exception) -> bytes:
    message = frame((False, error))
    try:
        pickle.loads(message[HEADER.size :])  # noqa: S301 - an error that pickles may still not unpickle
    except Exception:  # noqa: BLE001 - any at all
        return frame((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return message


def _serve(renderer: Renderer, calls: BinaryIO, answers: BinaryIO) -> None:
    # The pipe ends when the parent does, however it died: no worker outlives it.
    while len(header := calls.read(HEADER.size)) == HEADER.size:
        (length,) = HEADER.unpack(header)
        answers.write(_answer(renderer, calls.read(length)))
        answers.flush()


def main() -> None:
    """Serve a renderer until standard input ends; arguments are how nice to be, and its ``module:Class``."""
    niceness, name = sys.argv[1:]
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(int(niceness))
    module, _, kind = name.partition(":")
    _serve(getattr(importlib.import_module(module), kind)(), calls, answers)


if __name__ == "__main__":
    main()
