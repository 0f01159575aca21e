"""Anybody may wait for a job, in any number and at any time, and leave without a trace."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from talking_avatar import JobWatcher, RenderStatus
from talking_avatar.errors import Closed, ConfigurationError, RenderFailed, TalkingAvatarError
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.events import Detached, Failed, Finished, StatusChanged, Submitted

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


async def test_a_thousand_awaiters_cost_what_one_costs(studio: Make, watch: Make, film: Make) -> None:
    asked = []
    for awaiters in (1, 1000):
        service = studio()
        job = await watch(service, cadence=5).submit(film(60))
        results = await asyncio.gather(*(wait_for(job) for _ in range(awaiters)))
        assert len(set(map(id, results))) == 1
        asked.append(service.counted("get"))
    assert asked[0] == asked[1]


async def wait_for(job: Any) -> Any:
    return await job


async def test_attaching_and_submitting_one_id_any_number_of_times_shares_one_entry(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    service.ends["film-1"] = 100.0
    watcher: JobWatcher = watch(service, cadence=10)
    first = await watcher.attach("canned.film:film-1")
    assert await watcher.attach("canned.film:film-1") is first
    assert watcher.jobs == (first,)
    await first
    assert service.counted("get") == pytest.approx(10, abs=2)


async def test_a_create_answered_with_a_watched_id_gives_the_watched_job(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    watcher: JobWatcher = watch(service, cadence=10)
    attached = await watcher.attach("canned.film:film-0")
    assert await watcher.submit(film(30)) is attached
    assert (await attached).status is RenderStatus.FINISHED
    assert watcher.jobs == ()


async def test_a_late_awaiter_gets_the_result_without_another_request(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    job = await watch(service).submit(film(5))
    video = await job
    asked = len(service.asked)
    assert await job is video
    assert job.result() is job.video is video
    assert job.done()
    assert await job.wait(0)
    assert len(service.asked) == asked


async def test_cancelling_an_awaiter_leaves_the_job_and_the_others_alone(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    job = await watch(studio()).submit(film(60))
    awaiters = [asyncio.create_task(wait_for(job)) for _ in range(3)]
    await asyncio.sleep(0)
    awaiters[1].cancel()
    await asyncio.gather(awaiters[1], return_exceptions=True)
    assert awaiters[1].cancelled()
    assert len(job._waiters) == 2
    assert await awaiters[0] is await awaiters[2] is job.video


async def test_an_awaiter_that_left_leaves_nothing_behind(studio: Make, watch: Make, film: Make) -> None:
    watcher = watch(studio())
    job = await watcher.submit(film(600))
    before, planned = asyncio.all_tasks(), len(watcher._scheduler._agenda)
    for waiting in (job._result_when_done(), job.wait(300)):
        awaiter = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        awaiter.cancel()
        await asyncio.gather(awaiter, return_exceptions=True)
    assert job._waiters is None
    assert asyncio.all_tasks() == before
    assert len(watcher._scheduler._agenda) == planned


async def test_waiting_is_bounded_by_the_watchers_clock_and_needs_no_task(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    before = asyncio.all_tasks()
    job = await watch(studio(), cadence=1000).submit(film(600))
    waiting = asyncio.create_task(job.wait(120))
    await asyncio.sleep(0)
    alive = asyncio.all_tasks()
    assert not await waiting
    assert clock.monotonic() == pytest.approx(120, abs=0.01)
    assert len(alive - before) == 2  # who waits, and the watcher's timer
    assert await job.wait()


async def test_waiting_never_raises_what_the_job_ended_with(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    job = await watch(service).submit(film(60))
    service.words["film-0"] = "failed"
    assert await job.wait(600)
    with pytest.raises(RenderFailed, match=r"canned\.film:film-0 failed at the service"):
        job.result()
    assert job.error is not None
    assert job.video is None


async def test_a_result_that_is_not_there_yet_is_an_invalid_state(studio: Make, watch: Make, film: Make) -> None:
    job = await watch(studio()).submit(film(60))
    with pytest.raises(asyncio.InvalidStateError, match="still runs"):
        job.result()


async def test_events_tell_a_jobs_story_from_the_beginning_whenever_one_listens(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    job = await watch(service, cadence=5).submit(film(60))
    kinds = [type(event) async for event in job]
    assert kinds == [Submitted, StatusChanged, StatusChanged, Finished]
    late = [event async for event in job]
    assert [type(event) for event in late] == [Submitted, StatusChanged, Finished]
    assert late[-1].result is job.video


async def test_leaving_the_events_early_leaves_no_reader_behind(studio: Make, watch: Make, film: Make) -> None:
    watcher = watch(studio())
    job = await watcher.submit(film(60))
    async for event in job:
        assert isinstance(event, Submitted)
        break
    gc.collect()
    assert len(job._feeds) == 0
    async for _ in watcher.events():
        break
    gc.collect()
    assert len(watcher._desk._feeds) == 0
    await job


async def test_a_reader_that_never_reads_costs_bounded_memory(studio: Make, watch: Make, film: Make) -> None:
    service = studio(words={"film-0": "a word that no document knows"})
    service.answer = lambda kind, job_id: (
        f"word-{len(service.asked)}" if service.clock.monotonic() < 500 else "finished"
    )
    watcher = watch(service, cadence=1)
    everything = watcher.events(size=50)
    job = await watcher.submit(film(500))
    feed = aiter(job)
    await job
    assert len(feed._unread) == 32
    assert len(everything._unread) == 50
    *_, last = [event async for event in feed]
    assert isinstance(last, Finished)


async def test_a_detached_job_goes_on_at_the_service_and_can_be_attached_again(
    studio: Make, watch: Make, film: Make
) -> None:
    service = studio()
    watcher = watch(service)
    job = await watcher.submit(film(60))
    seen = aiter(job)
    waiting = asyncio.create_task(wait_for(job))
    await asyncio.sleep(0)
    job.detach()
    with pytest.raises(Closed, match=r"attach\('canned.film:film-0'\)"):
        await waiting
    assert [type(event) async for event in seen][-1] is Detached
    assert watcher.jobs == ()
    assert watcher.stats.watched == 0
    again = await watcher.attach(job.ref)
    assert again is not job
    assert (await again).id == "film-0"


async def test_awaiting_a_job_of_a_closed_watcher_says_where_it_went(
    studio: Make, watch: Make, film: Make, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = watch(studio())
    job = await watcher.submit(film(60))
    waiting = asyncio.create_task(wait_for(job))
    await asyncio.sleep(0)
    await watcher.aclose()
    for attempt in (waiting, job):
        with pytest.raises(Closed, match="no longer watched here"):
            await attempt
    assert "canned.film:film-0" in caplog.text
    with pytest.raises(Closed):
        await watcher.submit(film(1))


async def test_leaving_detaches_open_jobs_by_default_and_says_which(
    studio: Make, clock: VirtualClock, film: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with JobWatcher(studio(), clock=clock) as watcher:
        job = await watcher.submit(film(600))
    assert clock.monotonic() < 1
    assert "1 open jobs go on at the service" in caplog.text
    assert str(job.ref) in caplog.text


async def test_leaving_can_wait_for_open_jobs(studio: Make, clock: VirtualClock, film: Make) -> None:
    async with JobWatcher(studio(), clock=clock, on_exit="wait") as watcher:
        jobs = [await watcher.submit(film(seconds)) for seconds in (60, 600)]
    assert [job.status for job in jobs] == [RenderStatus.FINISHED] * 2
    assert clock.monotonic() >= 600


async def test_leaving_can_raise_for_open_jobs(studio: Make, clock: VirtualClock, film: Make) -> None:
    with pytest.raises(TalkingAvatarError, match=r"1 jobs were still open: canned\.film:film-0"):
        async with JobWatcher(studio(), clock=clock, on_exit="raise") as watcher:
            await watcher.submit(film(600))


@pytest.mark.parametrize("on_exit", ["detach", "wait", "raise"])
async def test_an_error_in_the_block_is_what_comes_out_whatever_was_chosen(
    studio: Make, clock: VirtualClock, film: Make, on_exit: Any
) -> None:
    with pytest.raises(LookupError, match="the caller's"):  # noqa: PT012 - the block is what is tested
        async with JobWatcher(studio(), clock=clock, on_exit=on_exit) as watcher:
            await watcher.submit(film(600))
            raise LookupError("the caller's")
    assert clock.monotonic() < 1


async def test_tasks_alive_are_one_and_the_requests_in_flight(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher = watch(service, cadence=20)
    before = len(asyncio.all_tasks())
    most = 0

    async def reply(job_id: str) -> None:
        nonlocal most
        most = max(most, watcher.stats.in_flight)
        assert len(asyncio.all_tasks()) - before <= 1 + watcher.stats.in_flight
        await clock.sleep(0.5)

    jobs = [await watcher.submit(film(60)) for _ in range(200)]
    service.answer = lambda kind, job_id: reply(job_id)
    while watcher.jobs:
        await watcher.jobs[0].wait()
    assert all(job.video for job in jobs)
    assert 2 <= most <= 33


async def test_submitting_from_many_tasks_at_once_starts_the_watcher_once(
    studio: Make, watch: Make, film: Make
) -> None:
    watcher = watch(studio())
    jobs = await asyncio.gather(*(watcher.submit(film(10)) for _ in range(20)))
    assert len({job.ref for job in jobs}) == 20


async def test_as_completed_gives_jobs_in_the_order_they_settle(studio: Make, watch: Make, film: Make) -> None:
    watcher = watch(studio(), cadence=1)
    jobs = [await watcher.submit(film(seconds)) for seconds in (60, 20, 40)]
    early = watcher.as_completed(jobs)
    assert [await anext(early), await anext(early)] == [jobs[1], jobs[2]]
    await early.aclose()
    assert jobs[0]._waiters is None
    assert {job async for job in watcher.as_completed([*jobs, *jobs])} == set(jobs)


def test_a_watcher_that_was_left_open_goes_on_in_the_next_event_loop(studio_in_no_loop: Make, film: Make) -> None:
    clock = VirtualClock()
    service = studio_in_no_loop(clock)
    watcher = JobWatcher(service, clock=clock, seed=0)

    async def submit() -> Any:
        async with clock:
            return await watcher.submit(film(60))

    async def take_up(job: Any) -> Any:
        async with clock:
            await watcher.start()
            video = await job
            await watcher.aclose()
            return video

    job = asyncio.run(submit())
    assert asyncio.run(take_up(job)).status is RenderStatus.FINISHED


async def test_a_job_is_not_awaited_in_a_foreign_event_loop(studio: Make, watch: Make, film: Make) -> None:
    job = await watch(studio()).submit(film(60))
    with pytest.raises(ConfigurationError, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(wait_for(job)))
    await job
    assert await asyncio.to_thread(lambda: asyncio.run(wait_for(job))) is job.video


async def test_failed_jobs_end_in_a_failed_event(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    watcher = watch(service)
    everything = watcher.events()
    job = await watcher.submit(film(60))
    service.words["film-0"] = "failed"
    await job.wait()
    await watcher.aclose()
    final = [event for event in [event async for event in everything] if event.is_final]
    assert [type(event) for event in final] == [Failed]
