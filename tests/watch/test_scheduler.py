"""One task calls everything at its time, in the loop it was started in."""

import asyncio
import random
from collections.abc import AsyncIterator

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talking_avatar.errors import ConfigurationError, Unreachable
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.scheduler import SLACK, Scheduler

pytestmark = pytest.mark.anyio


@attrs.define(eq=False)
class Note:
    """Notes when it was called, and may plan further notes."""

    clock: VirtualClock
    called_at: list[float] = attrs.field(factory=list)

    def when_due(self, now: float) -> None:
        self.called_at.append(self.clock.monotonic())


class Broken:
    def when_due(self, now: float) -> None:
        raise KeyError("of a service of the caller's own")


@pytest.fixture
async def scheduler(clock: VirtualClock) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(clock, random.Random(0))  # noqa: S311
    scheduler.start()
    yield scheduler
    await scheduler.aclose()


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), max_size=30), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_every_key_is_called_once_at_the_time_it_was_last_given(plans: list[tuple[int, float]], seed: int) -> None:
    async def story() -> None:
        async with VirtualClock() as clock:
            scheduler, rng = Scheduler(clock, random.Random(0)), random.Random(seed)  # noqa: S311
            scheduler.start()
            notes = [Note(clock) for _ in range(6)]
            last: dict[int, float] = {}
            for key, at in plans:
                scheduler.schedule(notes[key], at)
                last[key] = at
                if rng.random() < 0.3:
                    await asyncio.sleep(0)  # the timer starts, and is nudged from then on
            assert len(asyncio.all_tasks()) <= 2
            while clock.monotonic() < 101:
                await clock.sleep(101)
            await scheduler.aclose()
            for key, note in enumerate(notes):
                assert len(note.called_at) >= (key in last)
                if key in last:
                    assert abs(note.called_at[-1] - last[key]) <= SLACK

    asyncio.run(story())


async def test_it_has_one_task_however_often_plans_change(clock: VirtualClock, scheduler: Scheduler) -> None:
    before = asyncio.all_tasks()
    for at in range(1000, 0, -1):
        scheduler.schedule(Note(clock), float(at))
        if at % 100 == 0:
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks() - before) == 1


async def test_it_has_no_task_while_nothing_is_planned(clock: VirtualClock, scheduler: Scheduler) -> None:
    before = asyncio.all_tasks()
    scheduler.schedule(Note(clock), 5.0)
    await clock.sleep(6)
    assert asyncio.all_tasks() == before


async def test_a_key_that_raises_does_not_stop_the_others(
    clock: VirtualClock, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    note = Note(clock)
    scheduler.schedule(Broken(), 1.0)
    scheduler.schedule(note, 2.0)
    await clock.sleep(3)
    assert note.called_at == [2.0]
    assert "please report this" in caplog.text


async def test_cancelling_its_task_from_outside_ends_it(clock: VirtualClock, scheduler: Scheduler) -> None:
    before = asyncio.all_tasks()
    scheduler.schedule(Note(clock), 100.0)
    await asyncio.sleep(0)
    (timer,) = asyncio.all_tasks() - before
    scheduler.schedule(Note(clock), 50.0)  # a nudge in the same breath
    timer.cancel()
    await asyncio.gather(timer, return_exceptions=True)
    assert timer.cancelled()


async def test_a_block_that_takes_too_long_is_cut_off_as_unreachable(clock: VirtualClock, scheduler: Scheduler) -> None:
    with pytest.raises(Unreachable, match="no answer within 45 s"):
        async with scheduler.at_most(45):
            await clock.sleep(3600)
    assert clock.monotonic() == pytest.approx(45, abs=0.01)
    async with scheduler.at_most(45):
        await clock.sleep(44)


async def test_cancelling_a_bounded_block_stays_a_cancellation(clock: VirtualClock, scheduler: Scheduler) -> None:
    async def work() -> None:
        async with scheduler.at_most(45):
            await clock.sleep(3600)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_cancels_reads_and_waits_for_what_must_end(clock: VirtualClock, scheduler: Scheduler) -> None:
    ended: list[str] = []

    async def work(name: str) -> None:
        await clock.sleep(10)
        ended.append(name)

    scheduler.spawn(work("a read"))
    scheduler.spawn(work("a note in the journal"), must_end=True)
    await asyncio.sleep(0)
    await scheduler.aclose()
    assert ended == ["a note in the journal"]


def test_it_follows_into_a_second_loop_when_the_first_has_ended() -> None:
    async def first(scheduler: Scheduler, note: Note) -> None:
        async with note.clock:
            scheduler.start()
            scheduler.schedule(note, 50.0)
            await note.clock.sleep(10)

    async def second(scheduler: Scheduler, note: Note) -> None:
        async with note.clock:
            scheduler.start()
            await note.clock.sleep(60)
            await scheduler.aclose()

    clock = VirtualClock()
    scheduler, note = Scheduler(clock, random.Random(0)), Note(clock)  # noqa: S311
    asyncio.run(first(scheduler, note))
    asyncio.run(second(scheduler, note))
    assert note.called_at == [50.0]


async def test_it_refuses_a_second_loop_while_the_first_runs(scheduler: Scheduler) -> None:
    async def elsewhere() -> None:
        scheduler.start()

    def in_a_thread() -> None:
        asyncio.run(elsewhere())

    with pytest.raises(ConfigurationError, match="another event loop"):
        await asyncio.to_thread(in_a_thread)
