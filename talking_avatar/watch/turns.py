"""Creates of one family, one at a time: here, and among all processes that share a journal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from talking_avatar.watch.bookkeeping import Bookkeeping

__all__ = ["Turns"]

# Longer than any create takes, so that a turn only ends under a process that died.
TURN = 180.0
LONGEST_HOLD = 10.0
BETWEEN_TRIES = 0.5


class Turns:
    """The turn at creating in one family; kept over several creates, because each hand-over is a commit."""

    def __init__(self, name: str, books: Bookkeeping) -> None:
        self._name = name
        self._books = books
        self._here = asyncio.Lock()
        self._waiting = 0
        self._held_since: float | None = None

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it for the block."""
        self._waiting += 1
        try:
            await self._here.acquire()
        finally:
            self._waiting -= 1
        try:
            await self._take()
            yield
        finally:
            try:
                await self._perhaps_give()
            finally:
                self._here.release()

    async def _take(self) -> None:
        clock = self._books.clock
        if self._held_since is not None and clock.monotonic() - self._held_since < LONGEST_HOLD:
            return
        while not await self._books.journal.take_turn(
            self._name, self._books.holder, until=clock.time() + TURN, now=clock.time()
        ):
            await clock.sleep(BETWEEN_TRIES)
        self._held_since = clock.monotonic()

    async def _perhaps_give(self) -> None:
        if self._held_since is None:
            return
        held = self._books.clock.monotonic() - self._held_since
        if not self._waiting or held >= LONGEST_HOLD:
            self._held_since = None
            await self._books.keep(partial(self._books.journal.give_turn, self._name, self._books.holder))
