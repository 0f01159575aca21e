"""Material to try a renderer with."""

import functools
from importlib.resources import files

from talking_avatar.sandbox.rendering.contract import Renderer

__all__ = ["SENTENCE", "instant_mask_mp4", "instant_mp4", "portrait_jpeg", "speech_wav"]

SENTENCE = "Hello. I am a sample sentence, and my mouth moves with the words that I say."

_spoken: dict[type[Renderer], bytes] = {}


def _read(name: str) -> bytes:
    return files(__package__).joinpath("samples", name).read_bytes()


@functools.cache
def portrait_jpeg() -> bytes:
    """Grace Hopper, 512 by 600 pixels, in the public domain."""
    return _read("portrait.jpg")


@functools.cache
def instant_mp4() -> bytes:
    """One second of a plain picture with silence."""
    return _read("instant.mp4")


@functools.cache
def instant_mask_mp4() -> bytes:
    """One second of white."""
    return _read("instant_mask.mp4")


def speech_wav(renderer: Renderer) -> bytes:
    """`SENTENCE` in the renderer's first voice, spoken once for each kind of renderer."""
    kind = type(renderer)
    if kind not in _spoken:
        _spoken[kind] = renderer.speak(SENTENCE, renderer.voices()[0].name).wav
    return _spoken[kind]
