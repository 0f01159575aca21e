"""Runs a sandbox until it is told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from talking_avatar.sandbox.app import Sandbox

__all__ = ["serve"]


async def serve(sandbox: Sandbox, *, on_ready: Callable[[Sandbox], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled; *on_ready* is called once the port is open."""
    stop = asyncio.Event()
    with _signals(stop):
        async with sandbox:
            if on_ready is not None:
                on_ready(sandbox)
            await stop.wait()


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught = []
    for name in (signal.SIGINT, signal.SIGTERM):
        # Not every platform or thread can: then KeyboardInterrupt ends the run as usual.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(name, stop.set)
            caught.append(name)
    try:
        yield
    finally:
        for name in caught:
            loop.remove_signal_handler(name)
