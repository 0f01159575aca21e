"""A clock that moves only when the event loop is idle."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Any, Self

from talking_avatar.errors import ConfigurationError

__all__ = ["VirtualClock"]

# 2030-01-01: a date of its own, so that no test passes only near the present.
EPOCH = 1_893_456_000.0
# How long, in real seconds, a socket may be silent before the clock moves on without it: a service that is slow on
# purpose waits for this very clock.
PATIENCE = 0.02
# A thread seldom does, and what it brings must not come hours late.
PATIENCE_WITH_THREADS = 2.0


class VirtualClock:
    """Time for clients, watchers and the sandbox of one test; ``async with`` it inside the loop that runs them.

    Needs a selector event loop (the default on Linux and macOS). Timers of others on the loop, such as
    `asyncio.sleep` or `asyncio.timeout`, stay in real time.
    """

    def __init__(self, *, epoch: float = EPOCH) -> None:
        self._epoch = epoch
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._at_work = 0
        self._threads = 0
        self._idle_since: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._selector: Any = None

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._epoch + self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    @contextmanager
    def busy(self) -> Iterator[None]:
        self._at_work += 1
        self._idle_since = None
        try:
            yield
        finally:
            self._at_work -= 1
            self._idle_since = None

    def advance(self, seconds: float) -> None:
        """Move on by hand; whoever sleeps until then or earlier wakes in order."""
        self._move_to(self._now + seconds)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._selector = getattr(self._loop, "_selector", None)
        if self._selector is None:
            msg = f"a VirtualClock needs a selector event loop, not {type(self._loop).__name__}"
            raise ConfigurationError(msg)
        # The selector is where a loop says that it has nothing to do, and asyncio has no public hook for that.
        self._loop._selector = _Watched(self._selector, self)  # type: ignore[attr-defined]  # noqa: SLF001
        self._submit = self._loop.run_in_executor
        self._loop.run_in_executor = self._submit_counted  # type: ignore[method-assign,assignment]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop._selector = self._selector  # type: ignore[union-attr]  # noqa: SLF001
        self._loop.run_in_executor = self._submit  # type: ignore[union-attr,method-assign]
        self._loop = None

    def when_idle(self, select: Any, block: float | None) -> list[Any]:
        """What the loop's selector does instead of blocking for *block* seconds."""
        ready: list[Any] = select(0)
        if ready or block == 0:
            self._idle_since = None
            return ready
        if self._next_at() is None:
            return list(select(block))
        if (self._at_work or self._threads) and not self._waited_enough():
            pause = PATIENCE / 4 if block is None else min(block, PATIENCE / 4)
            return list(select(pause))
        self._idle_since = None
        self._move_to(self._sleepers[0][0])
        return []

    def _waited_enough(self) -> bool:
        now = time.perf_counter()
        if self._idle_since is None:
            self._idle_since = now
        return now - self._idle_since >= (PATIENCE_WITH_THREADS if self._threads else PATIENCE)

    def _submit_counted(self, executor: Any, work: Callable[..., Any], *args: Any) -> Any:
        future = self._submit(executor, work, *args)
        self._threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _future: object) -> None:
        self._threads -= 1
        self._idle_since = None

    def _next_at(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _move_to(self, moment: float) -> None:
        self._now = max(self._now, moment)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class _Watched:
    """A selector that asks the clock before it blocks."""

    def __init__(self, selector: Any, clock: VirtualClock) -> None:
        self._selector = selector
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        return self._clock.when_idle(self._selector.select, timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)
