"""Chunks gathered into writes that are worth a thread's while, one landing while the next is gathered."""

import asyncio
from functools import partial

import attrs

from talking_avatar.download.disk import Disk
from talking_avatar.download.part import PartFile

__all__ = ["Writer"]

BATCH = 512 * 1024


@attrs.define(eq=False)
class Writer:
    """Holds at most two batches in memory."""

    _part: PartFile
    _disk: Disk
    _batch: list[bytes] = attrs.field(factory=list)
    _size: int = 0
    _flight: "asyncio.Future[None] | None" = None

    def put(self, chunk: bytes) -> bool:
        """Whether a batch is full, and `write` is to be awaited."""
        self._batch.append(chunk)
        self._size += len(chunk)
        return self._size >= BATCH

    async def write(self) -> None:
        """Hand the batch to a thread, once the one before has landed."""
        await self._land()
        batch, self._batch, self._size = self._batch, [], 0
        self._flight = self._disk.begin(partial(self._part.append, batch))

    async def flush(self) -> None:
        """Return when everything put has reached the file, and no thread is at it any more."""
        if self._batch:
            await self.write()
        await self._land()

    async def _land(self) -> None:
        flight, self._flight = self._flight, None
        if flight is not None:
            await self._disk.landed(flight)
