"""The only place that reads the time or sleeps, so that a test can own both."""

import asyncio
import sys
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


# Timers of an event loop stand still with the machine, so a suspended laptop is only noticed between two slices.
SLICE = 5.0


def _counts_suspension() -> int | None:
    """The clock that goes on while the machine sleeps; None where `time.monotonic` does, as on Windows."""
    if sys.platform == "darwin":
        return time.CLOCK_MONOTONIC
    return getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The machine's own clocks."""

    # A deadline is due when a laptop wakes.
    _clock_id: int | None = _counts_suspension()

    def monotonic(self) -> float:
        return time.monotonic() if self._clock_id is None else time.clock_gettime(self._clock_id)

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        await asyncio.sleep(min(max(0.0, seconds), SLICE))
        while (left := until - self.monotonic()) > 0:  # noqa: ASYNC110 - nobody tells when a machine wakes
            await asyncio.sleep(min(left, SLICE))

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()


SYSTEM_CLOCK = SystemClock()
