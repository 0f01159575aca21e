import asyncio
from contextlib import AbstractContextManager, nullcontext

import pytest

from talking_avatar.clock import Clock


class StillClock:
    """Time passes only where somebody sleeps."""

    def __init__(self, slept: list[float]) -> None:
        self.slept = slept

    def monotonic(self) -> float:
        return sum(self.slept)

    def time(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def clock(slept: list[float]) -> Clock:
    return StillClock(slept)
