"""The only place that reads the time or sleeps, so that a test can own both."""

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


class Clock(Protocol):
    """Where time comes from; durations are seconds."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back and counts a suspended machine's sleep where it can."""
        ...

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*; zero or less still yields to the event loop once."""
        ...

    def busy(self) -> AbstractContextManager[object]:
        """Mark real work in progress (a socket, a thread) that a virtual clock must not race past."""
        ...


class SystemClock:
    """The machine's own clocks."""

    # CLOCK_BOOTTIME counts the time a laptop slept, so a deadline is due when it wakes.
    _clock_id: int | None = getattr(time, "CLOCK_BOOTTIME", None)

    def monotonic(self) -> float:
        return time.monotonic() if self._clock_id is None else time.clock_gettime(self._clock_id)

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()


SYSTEM_CLOCK = SystemClock()
