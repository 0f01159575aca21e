"""Events for one reader, in bounded memory: a slow reader gets the latest state, and always the end."""

import asyncio
from collections import deque

from talking_avatar.watch.events import Event

__all__ = ["Feed"]


class Feed:
    """An async iterator that keeps at most *size* unread events and drops the oldest.

    Whoever sends to it holds it weakly, so a reader leaves by letting go of it.
    """

    def __init__(self, *, size: int = 32, ends: bool = True) -> None:
        self._unread: deque[Event] = deque(maxlen=size)
        self._ends = ends
        self._closed = False
        self._changed = asyncio.Event()
        self.dropped = 0

    def push(self, event: Event) -> None:
        """Hand over *event*; a final one closes a feed that follows a single job."""
        if self._closed:
            return
        self.dropped += len(self._unread) == self._unread.maxlen
        self._unread.append(event)
        self._closed = self._ends and event.is_final
        self._changed.set()

    def close(self) -> None:
        """End after what is unread."""
        self._closed = True
        self._changed.set()

    def __aiter__(self) -> "Feed":
        return self

    async def __anext__(self) -> Event:
        while not self._unread:
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._unread.popleft()
