"""Events for one reader, in bounded memory: a slow reader gets the latest state, and always the end."""

import asyncio
from collections import deque

from talking_avatar.watch.events import Event

__all__ = ["Feed"]


class Feed:
    """An async iterator that keeps at most *size* unread events and drops the oldest."""

    def __init__(self, *, size: int = 32, ends: bool = True) -> None:
        self._unread: deque[Event] = deque(maxlen=size)
        self._ends = ends
        self._closed = False
        self._reader: asyncio.Future[None] | None = None
        self.dropped = 0

    def push(self, event: Event) -> None:
        """Hand over *event*; a final one closes a feed that follows a single job."""
        if self._closed:
            return
        self.dropped += len(self._unread) == self._unread.maxlen
        self._unread.append(event)
        self._closed = self._ends and event.is_final
        self._wake()

    def close(self) -> None:
        """End after what is unread."""
        self._closed = True
        self._wake()

    def __aiter__(self) -> "Feed":
        return self

    async def __anext__(self) -> Event:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._unread.popleft()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
