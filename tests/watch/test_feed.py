"""A feed is bounded, ends, and never keeps a reader waiting."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talking_avatar import JobRef, RenderStatus
from talking_avatar.watch.events import Detached, Event, Progressed, StatusChanged
from talking_avatar.watch.feed import Feed

pytestmark = pytest.mark.anyio

REF = JobRef("canned", "film", "1")


def progress(percent: float) -> Event:
    return Progressed(ref=REF, at=0.0, percent=percent)


END = Detached(ref=REF, at=1.0)


async def read(feed: Feed) -> list[Event]:
    return [event async for event in feed]


@given(size=st.integers(1, 8), percents=st.lists(st.floats(0, 100), max_size=30))
@settings(max_examples=50, deadline=None)
def test_a_slow_reader_gets_the_latest_events_and_always_the_end(size: int, percents: Sequence[float]) -> None:
    async def story() -> None:
        feed = Feed(size=size)
        told = [*map(progress, percents), END]
        for event in told:
            feed.push(event)
        assert await read(feed) == told[-size:]
        assert feed.dropped == max(0, len(told) - size)

    asyncio.run(story())


async def test_a_reader_is_woken_by_the_next_event() -> None:
    feed = Feed()
    reading = asyncio.create_task(read(feed))
    await asyncio.sleep(0)
    feed.push(progress(1))
    await asyncio.sleep(0)
    feed.push(END)
    assert await reading == [progress(1), END]


async def test_two_readers_of_one_feed_share_its_events_and_both_end() -> None:
    feed = Feed()
    readers = [asyncio.create_task(read(feed)) for _ in range(2)]
    await asyncio.sleep(0)
    for event in (progress(1), progress(2), END):
        feed.push(event)
    shared = await asyncio.gather(*readers)
    assert sorted(str(event) for events in shared for event in events) == sorted(
        map(str, [progress(1), progress(2), END])
    )


async def test_a_cancelled_reader_loses_nothing_for_the_next() -> None:
    feed = Feed()
    reading = asyncio.create_task(read(feed))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    feed.push(END)
    assert await read(feed) == [END]


async def test_nothing_comes_after_the_end_of_one_job() -> None:
    feed = Feed()
    feed.push(END)
    feed.push(StatusChanged(ref=REF, at=2.0, status=RenderStatus.FINISHED, raw_status="finished"))
    assert await read(feed) == [END]


async def test_a_feed_of_many_jobs_goes_on_after_one_ends() -> None:
    feed = Feed(ends=False)
    feed.push(END)
    feed.push(progress(1))
    feed.close()
    assert await read(feed) == [END, progress(1)]
