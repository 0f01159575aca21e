"""A batch draws as there is room, yields as jobs settle, and never loses one of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from talking_avatar import JobWatcher, RenderStatus
from talking_avatar.errors import AuthError, Closed, InvalidRequest, RenderFailed
from talking_avatar.testing import VirtualClock

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


async def test_an_endless_source_is_drawn_from_as_there_is_room(studio: Make, watch: Make, film: Make) -> None:
    drawn = 0

    async def endless() -> AsyncIterator[Any]:
        nonlocal drawn
        while True:
            drawn += 1
            yield film(30)

    service = studio()
    watcher: JobWatcher = watch(service, cadence=2)
    batch = watcher.render_all(endless(), max_in_flight=7)
    settled = 0
    async for job in batch:
        assert job.video
        assert len(watcher.jobs) <= 7
        settled += 1
        assert drawn <= settled + 7
        if settled == 50:
            break
    await asyncio.sleep(0.01)
    assert watcher.jobs == ()
    assert service.counted("create") <= 57
    assert drawn <= 57


@pytest.mark.parametrize("most", [1, 3, 100])
async def test_at_most_so_many_are_open_at_once(studio: Make, watch: Make, film: Make, most: int) -> None:
    service = studio()
    watcher = watch(service, cadence=1)
    seen = Counter[int]()
    service.answer = lambda kind, job_id: seen.update([len(watcher.jobs)])
    jobs = [job async for job in watcher.render_all((film(10) for _ in range(20)), max_in_flight=most)]
    assert len(set(jobs)) == 20
    assert max(seen) <= most


async def test_jobs_come_out_as_they_settle_while_the_source_is_still_slow(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    async def slow() -> AsyncIterator[Any]:
        yield film(5)
        await clock.sleep(3600)
        yield film(5)

    seen = [clock.monotonic() async for _ in watch(studio(), cadence=1).render_all(slow())]
    assert seen[0] < 10
    assert seen[1] > 3600


async def test_one_failure_never_reaches_its_siblings(studio: Make, watch: Make, film: Make) -> None:
    service = studio(words={"film-3": "failed"})
    refused = InvalidRequest("the photo is too small")

    def answer(kind: str, job_id: str) -> None:
        if kind == "create" and service.counted("create") == 6:
            raise refused

    service.answer = answer
    batch = watch(service).render_all([film(30)] * 10)
    jobs = [job async for job in batch]
    errors = [job.error for job in jobs if job.error is not None]
    assert {type(error) for error in errors} == {RenderFailed, InvalidRequest}
    assert len(errors) == 2
    (never,) = (job for job in jobs if job.ref is None)
    assert never.error is refused
    assert never.request == film(30)
    assert never.status is RenderStatus.FAILED
    with pytest.raises(InvalidRequest):
        await never
    assert [event async for event in never] == []
    assert await never.wait(5)


async def test_the_report_counts_jobs_credits_and_rate(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(words={"film-1": "failed"})
    batch = watch(service, cadence=1).render_all([film(60)] * 10)
    assert batch.report.drawn == batch.report.seconds == batch.report.per_minute == 0
    _ = [job async for job in batch]
    await clock.sleep(1000)
    report = batch.report
    assert (report.drawn, report.running, report.finished, report.failed) == (10, 0, 9, 1)
    assert report.credits == 20.0
    assert report.seconds == pytest.approx(60, abs=3)
    assert report.per_minute == pytest.approx(10, abs=1)


async def test_leaving_early_detaches_what_runs(studio: Make, watch: Make, film: Make, clock: VirtualClock) -> None:
    watcher = watch(studio(), cadence=1)
    batch = watcher.render_all([film(seconds) for seconds in (10, 600, 600)])
    async for first in batch:
        assert first.video
        break
    await asyncio.sleep(0.01)
    assert watcher.jobs == ()
    assert batch.report.running == 0
    assert clock.monotonic() < 20


async def test_what_the_source_raises_comes_out_after_everything_drawn(studio: Make, watch: Make, film: Make) -> None:
    def broken() -> Iterator[Any]:
        yield film(30)
        yield film(60)
        raise LookupError("row 3 of the table")

    settled = []
    with pytest.raises(LookupError, match="row 3"):  # noqa: PT012 - what came before the error is what counts
        async for job in watch(studio()).render_all(broken()):
            settled.append(job)  # noqa: PERF401 - as above
    assert [job.status for job in settled] == [RenderStatus.FINISHED] * 2


async def test_a_second_iteration_does_not_render_everything_again(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    batch = watch(service).render_all([film(1)])
    assert len([job async for job in batch]) == 1
    with pytest.raises(RuntimeError, match="iterated once"):
        _ = [job async for job in batch]
    assert service.counted("create") == 1


async def test_a_closed_watcher_ends_a_batch_of_an_endless_source(studio: Make, watch: Make, film: Make) -> None:
    def endless() -> Iterator[Any]:
        while True:
            yield film(30)

    watcher = watch(studio(), cadence=5)
    errors = []
    async for job in watcher.render_all(endless(), max_in_flight=4):
        errors.append(job.error)
        if len(errors) == 4:
            await watcher.aclose()
    assert [type(error) for error in errors[:4]] == [type(None)] * 4
    assert {type(error) for error in errors[4:]} == {Closed}
    assert len(errors) < 20


async def test_a_refused_credential_comes_out_of_every_request(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    error = AuthError("the token has ended")

    def answer(kind: str, job_id: str) -> None:
        raise error

    service.answer = answer
    jobs = [job async for job in watch(service).render_all([film(1)] * 5)]
    assert [job.error for job in jobs] == [error] * 5


async def test_keys_may_come_with_the_requests(studio: Make, watch: Make, film: Make) -> None:
    service = studio()
    pairs = [("a", film(10)), ("b", film(10)), ("a", film(10))]
    jobs = [job async for job in watch(service).render_all(pairs)]
    assert service.counted("create") == 2
    assert Counter(job.key for job in jobs) == {"a": 2, "b": 1}


async def test_fewer_than_one_at_a_time_is_refused(studio: Make, watch: Make, film: Make) -> None:
    with pytest.raises(ValueError, match="max_in_flight must be 1 or more"):
        watch(studio()).render_all([film(1)], max_in_flight=0)
