"""The one timer of a watcher: one agenda, at most one sleeping task, and the requests in flight."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any, Protocol

from talking_avatar.clock import Clock
from talking_avatar.watch.agenda import Agenda

__all__ = ["Due", "Scheduler"]

log = logging.getLogger("talking_avatar")

# Waking a hair early would find nothing due and sleep again.
SLACK = 1e-3


class Due(Protocol):
    """Something that can be scheduled."""

    def __hash__(self) -> int: ...

    def when_due(self, now: float) -> None:
        """Do what is due; must neither block nor raise."""
        ...


class Scheduler:
    """Calls each key's `when_due` at its time."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self._agenda: Agenda[Due] = Agenda()
        self._sleeper: asyncio.Task[None] | None = None
        self._wakes_at = float("inf")
        self._in_flight: set[asyncio.Task[None]] = set()
        self._running = False

    @property
    def in_flight(self) -> int:
        """Requests that are out now."""
        return len(self._in_flight)

    def start(self) -> None:
        """Begin to call; what was scheduled before is due now if its time has passed."""
        self._running = True
        self._arm()

    async def aclose(self) -> None:
        """Stop calling and cancel the requests in flight, which are reads and can be repeated."""
        self._running = False
        tasks = [*self._in_flight, *([self._sleeper] if self._sleeper else [])]
        self._sleeper, self._wakes_at = None, float("inf")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def schedule(self, key: Due, at: float) -> None:
        """Call *key* at monotonic time *at*, instead of whenever it was."""
        self._agenda.schedule(key, at)
        if at < self._wakes_at - SLACK:
            self._arm()

    def discard(self, key: Due) -> None:
        """Do not call *key*."""
        self._agenda.discard(key)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run one request beside the others."""
        task = asyncio.get_running_loop().create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a watcher's request ended in a way it should not; please report this", exc_info=error)

    def _arm(self) -> None:
        at = self._agenda.next_at()
        if not self._running or at is None:
            return
        if self._sleeper is not None and self._sleeper is not _current_task():
            self._sleeper.cancel()
        self._wakes_at = at
        self._sleeper = asyncio.get_running_loop().create_task(self._sleep_and_call(at))

    async def _sleep_and_call(self, at: float) -> None:
        await self.clock.sleep(at - self.clock.monotonic())
        # From here to the end nothing awaits, so no cancellation can fall between two calls.
        self._wakes_at = float("-inf")
        now = self.clock.monotonic() + SLACK
        for key in self._agenda.due(now):
            try:
                key.when_due(now)
            except Exception:
                log.exception("planning the next look failed; please report this")
        self._sleeper, self._wakes_at = None, float("inf")
        self._arm()


def _current_task() -> "asyncio.Task[Any] | None":
    return asyncio.current_task()
