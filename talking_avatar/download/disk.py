"""Blocking file work, off the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import attrs

from talking_avatar.clock import Clock

__all__ = ["Disk", "DiskFault"]

T = TypeVar("T")


class DiskFault(Exception):
    """The disk of this machine refused; no OSError, which the file port would take for the network's."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or type(error).__name__)
        self.error = error


@attrs.define(eq=False)
class Disk:
    """Runs file work in a thread and waits for it to land, also when the waiting task is cancelled."""

    _clock: Clock

    async def do(self, work: Callable[[], T]) -> T:
        return await self.landed(self.begin(work))

    def begin(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(None, work)

    async def landed(self, future: "asyncio.Future[T]") -> T:
        # A write that outlived its file's descriptor could land in whichever file gets that number next.
        cancelled: asyncio.CancelledError | None = None
        with self._clock.busy():
            while not future.done():
                try:
                    await asyncio.wait({future})
                except asyncio.CancelledError as error:
                    cancelled = error
        if cancelled is not None:
            # Read, or asyncio reports it as lost.
            future.exception()
            raise cancelled
        try:
            return future.result()
        except OSError as error:
            raise DiskFault(error) from error
