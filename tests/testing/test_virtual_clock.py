"""Virtual time moves when, and only when, nothing real is left to do."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talking_avatar.errors import ConfigurationError
from talking_avatar.testing import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def clock() -> AsyncIterator[VirtualClock]:
    async with VirtualClock() as clock:
        yield clock


@given(st.lists(st.floats(0, 1e6), max_size=20))
@settings(max_examples=30, deadline=None)
def test_sleepers_wake_in_order_and_exactly_on_time(lengths: list[float]) -> None:
    async def story() -> None:
        async with VirtualClock() as clock:
            woke: list[tuple[float, float]] = []

            async def sleeper(length: float) -> None:
                await clock.sleep(length)
                woke.append((clock.monotonic(), length))

            await asyncio.gather(*map(sleeper, lengths))
            assert [at for at, _ in woke] == [length for _, length in woke] == sorted(lengths)

    asyncio.run(story())


async def test_a_year_takes_no_time(clock: VirtualClock) -> None:
    began, wall = time.perf_counter(), clock.time()
    await clock.sleep(365 * 86_400.0)
    assert clock.time() - wall == 365 * 86_400.0
    assert time.perf_counter() - began < 0.5


async def test_a_cancelled_sleeper_does_not_move_the_clock(clock: VirtualClock) -> None:
    sleeper = asyncio.create_task(clock.sleep(1e6))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.gather(sleeper, return_exceptions=True)
    await clock.sleep(5)
    assert clock.monotonic() == 5


async def test_the_clock_waits_for_a_thread_however_long_that_takes(clock: VirtualClock) -> None:
    other = asyncio.create_task(clock.sleep(3600))
    release = asyncio.to_thread(time.sleep, 0.1)
    await release
    assert clock.monotonic() == 0
    await other


async def test_the_clock_moves_on_without_a_socket_that_waits_for_it(clock: VirtualClock) -> None:
    with clock.busy():
        await clock.sleep(3600)
    assert clock.monotonic() == 3600


async def test_advancing_by_hand_wakes_who_is_due(clock: VirtualClock) -> None:
    woke: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woke.append(name)

    soon, late = asyncio.create_task(sleeper("soon", 10)), asyncio.create_task(sleeper("late", 100))
    await asyncio.sleep(0)
    clock.advance(50)
    await soon
    assert woke == ["soon"]
    assert clock.monotonic() == 50
    await late


async def test_timers_of_others_stay_in_real_time(clock: VirtualClock) -> None:
    await asyncio.sleep(0.01)
    assert clock.monotonic() == 0


async def test_it_needs_a_loop_that_can_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "_selector", None)
    with pytest.raises(ConfigurationError, match="selector event loop"):
        await VirtualClock().__aenter__()
    monkeypatch.undo()
