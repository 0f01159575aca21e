"""The one timer of a watcher: one agenda, one task that sleeps until the next entry, and the requests in flight."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Protocol

import attrs

from talking_avatar.clock import Clock
from talking_avatar.errors import ConfigurationError, Unreachable
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
    """Calls each key's `when_due` at its time, in the event loop that started it."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self.clock = clock
        self.rng = rng
        self._agenda: Agenda[Due] = Agenda()
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at = float("inf")
        self._nudged = False
        self._in_flight: set[asyncio.Task[None]] = set()
        self._must_end: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running = False

    @property
    def in_flight(self) -> int:
        """Requests that are out now."""
        return len(self._in_flight)

    def start(self) -> None:
        """Begin to call; what was scheduled before is due now if its time has passed.

        Raises `ConfigurationError` while it runs in another event loop; one that has ended is left behind.
        """
        self.refuse_other_loops()
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._timer = loop, None
            self._in_flight.clear()
        self._running = True
        if self._timer is None:
            self._arm()

    async def aclose(self) -> None:
        """Stop calling and cancel the requests in flight, which are reads and can be repeated."""
        self._running = False
        tasks = [*self._in_flight, *([self._timer] if self._timer else [])]
        self._timer, self._wakes_at = None, float("inf")
        for task in tasks:
            if task not in self._must_end:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def refuse_other_loops(self) -> None:
        """Raise `ConfigurationError` where the running loop is not the one that is served."""
        is_elsewhere = self._running and self._loop is not asyncio.get_running_loop()
        if is_elsewhere and self._loop is not None and not self._loop.is_closed():
            raise ConfigurationError(
                "this watcher runs in another event loop; await its jobs there, or attach their refs to a watcher here"
            )

    def schedule(self, key: Due, at: float) -> None:
        """Call *key* at monotonic time *at*, instead of whenever it was."""
        self._agenda.schedule(key, at)
        if at < self._wakes_at - SLACK:
            self._arm()

    def discard(self, key: Due) -> None:
        """Do not call *key*."""
        self._agenda.discard(key)

    def spawn(self, work: Coroutine[Any, Any, None], *, must_end: bool = False) -> None:
        """Run one request beside the others; *must_end* spares it when the watcher closes, which then waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._in_flight.add(task)
        if must_end:
            self._must_end.add(task)
        task.add_done_callback(self._landed)

    def at_most(self, seconds: float) -> "_AtMost":
        """A block that is cut off after *seconds* by the watcher's clock, and then raises `Unreachable`."""
        return _AtMost(scheduler=self, seconds=seconds)

    def set_at(self, future: "asyncio.Future[None]", at: float) -> Due:
        """Set *future* at monotonic time *at*; gives the key to discard."""
        alarm = _Alarm(future)
        self.schedule(alarm, at)
        return alarm

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._must_end.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a watcher's request ended in a way it should not; please report this", exc_info=error)

    def _arm(self) -> None:
        if not self._running:
            return
        # Until it has looked at the agenda again it needs no further nudge.
        self._wakes_at = float("-inf")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().create_task(self._run())
        elif self._timer is not asyncio.current_task():
            self._nudged = True
            self._timer.cancel()

    async def _run(self) -> None:
        while (at := self._agenda.next_at()) is not None:
            self._wakes_at = at
            if await self._slept_until(at):
                self._call_due()
        self._timer, self._wakes_at = None, float("inf")

    async def _slept_until(self, at: float) -> bool:
        try:
            await self.clock.sleep(at - self.clock.monotonic())
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._nudged or task is None or task.uncancel():
                raise
            self._nudged = False
            return False
        return True

    def _call_due(self) -> None:
        self._wakes_at = float("-inf")
        now = self.clock.monotonic() + SLACK
        for key in self._agenda.due(now):
            try:
                key.when_due(now)
            except Exception:
                log.exception("planning the next look failed; please report this")


@attrs.frozen(eq=False)
class _Alarm:
    _future: "asyncio.Future[None]"

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        if not self._future.done():
            self._future.set_result(None)


@attrs.define(eq=False, kw_only=True)
class _AtMost:
    """`asyncio.timeout` by the watcher's clock, and without a timer of its own."""

    _scheduler: Scheduler
    _seconds: float
    _task: "asyncio.Task[Any] | None" = None
    _cancels_before: int = 0
    _passed: bool = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._cancels_before = self._task.cancelling() if self._task else 0
        self._scheduler.schedule(self, self._scheduler.clock.monotonic() + self._seconds)

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        if self._task is not None:
            self._passed = True
            self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._scheduler.discard(self)
        if not self._passed or self._task is None:
            return
        if self._task.uncancel() <= self._cancels_before and kind is asyncio.CancelledError:
            raise Unreachable(f"no answer within {self._seconds:.0f} s") from None
