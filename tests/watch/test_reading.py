"""What is asked, how often, and what the answers do to a job, whatever the service says."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from talking_avatar import JobWatcher, RenderStatus, Video
from talking_avatar.errors import (
    ApiError,
    AuthError,
    DecodeError,
    InvalidRequest,
    NotFound,
    QuotaError,
    ServerFault,
    TalkingAvatarError,
    Throttled,
    Unreachable,
)
from talking_avatar.testing import VirtualClock
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.events import Event, Finished, StatusChanged
from talking_avatar.watch.events import Reachable as Answers
from talking_avatar.watch.events import Unreachable as Silent

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]

ABSORBED = [
    Unreachable("connection reset"),
    ServerFault("500"),
    DecodeError("HTML where JSON was expected"),
    Throttled("429", retry_after=7.0),
    QuotaError("of the account, not of the job"),
    ApiError("a refusal that no document knows"),
    TimeoutError("of a service of the caller's own"),
    KeyError("a bug in a service of the caller's own"),
]


async def settled(jobs: list[Any]) -> None:
    for job in jobs:
        await job.wait()


def until(moment: float, clock: VirtualClock, error: Exception) -> Callable[[str, str], None]:
    def answer(kind: str, job_id: str) -> None:
        if kind != "create" and clock.monotonic() < moment:
            raise error

    return answer


async def test_one_list_answers_for_every_job(studio: Make, watch: Make, film: Make) -> None:
    service = studio(lists=True)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(seconds)) for seconds in range(30, 60)]
    await settled(jobs)
    assert service.counted("list") <= 15
    # The last one alone is asked for by its id.
    assert service.counted("get") <= 2
    assert all(job.video for job in jobs)


async def test_one_job_is_got_rather_than_listed(studio: Make, watch: Make, film: Make) -> None:
    service = studio(lists=True)
    await (await watch(service, cadence=5).submit(film(60)))
    assert service.counted("list") == 0


@pytest.mark.parametrize(("list_takes", "kind"), [(0.1, "list"), (30.0, "get")])
async def test_the_cheaper_way_to_ask_is_taken_once_both_were_measured(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, list_takes: float, kind: str
) -> None:
    service = studio(lists=True)
    service.answer = lambda kind, job_id: clock.sleep({"list": list_takes, "get": 0.1}.get(kind, 0))
    watcher = watch(service, cadence=50)
    await (await watcher.submit(film(1)))
    jobs = [await watcher.submit(film(2000)) for _ in range(6)]
    await clock.sleep(400)
    service.asked.clear()
    await clock.sleep(400)
    assert service.counted(kind) > 5 * service.counted("list" if kind == "get" else "get")
    assert not any(job.done() for job in jobs)


async def test_where_places_are_scarce_a_slow_list_is_cheaper_than_many_gets(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    gate = Gate(Budget(limit=6), clock)
    service = studio(lists=True, gate=gate)
    service.answer = lambda kind, job_id: clock.sleep({"list": 5.0, "get": 0.1}.get(kind, 0))
    watcher = watch(service, cadence=60)
    jobs = [await watcher.submit(film(600)) for _ in range(10)]
    await settled(jobs)
    assert service.counted("list") >= service.counted("get")


async def test_a_job_that_the_list_leaves_out_is_asked_for_by_id_after_a_few_misses(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(lists=True, unlisted={"film-0", "film-1", "film-2"})
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(100)) for _ in range(6)]
    await settled(jobs)
    assert {job.status for job in jobs} == {RenderStatus.FINISHED}
    assert {job_id for _, kind, job_id in service.asked if kind == "get"} >= {"film-0", "film-1", "film-2"}
    # A list that will never tell is not asked in a loop, and every miss does not cost a get.
    assert service.counted("list") <= 30
    assert service.counted("get") <= 25
    assert clock.monotonic() < 130


async def test_an_empty_or_stale_list_neither_fails_nor_unfinishes_a_job(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(lists=True)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(60)) for _ in range(4)]
    told: list[Event] = []
    collecting = asyncio.create_task(collect(watcher.events(), told))
    await clock.sleep(20)
    service.unlisted = set(service.ends)
    await clock.sleep(11)
    service.unlisted = set()
    service.words = dict.fromkeys(service.ends, "pending")  # a replica that lags behind
    await clock.sleep(10)
    assert {job.status for job in jobs} == {RenderStatus.PROCESSING}
    service.words = {"film-0": "finished"}
    await jobs[0]
    service.words = {"film-0": "pending"}
    await settled(jobs)
    assert jobs[0].status is RenderStatus.FINISHED
    collecting.cancel()
    for job in jobs:
        ranks = [e.status.rank for e in told if isinstance(e, StatusChanged) and e.ref == job.ref]
        assert ranks == sorted(ranks)


async def collect(feed: Any, told: list[Event]) -> None:
    async for event in feed:
        told.append(event)  # noqa: PERF401 - its test looks at them before the end


@pytest.mark.parametrize("lists", [False, True])
async def test_a_status_that_nobody_knows_is_watched_like_a_running_job(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(100)) for _ in range(2)]
    service.words = dict.fromkeys(service.ends, "warming_up")
    await clock.sleep(200)
    assert not any(job.done() for job in jobs)
    service.words = {}
    await settled(jobs)
    assert {job.status for job in jobs} == {RenderStatus.FINISHED}


@pytest.mark.parametrize("error", ABSORBED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("lists", [False, True])
async def test_trouble_is_absorbed_until_the_service_answers_again(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, error: Exception, lists: bool
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(30)) for _ in range(5)]
    service.answer = until(600.0, clock, error)
    await settled(jobs)
    assert {job.status for job in jobs} == {RenderStatus.FINISHED}
    assert 600 <= clock.monotonic() < 680


@pytest.mark.parametrize("lists", [False, True])
async def test_eight_seconds_of_errors_cost_no_job_and_little_time(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    took = []
    for outage in (0.0, 8.0):
        service, began = studio(lists=lists), clock.monotonic()
        watcher = watch(service)
        jobs = [await watcher.submit(film(30 + n)) for n in range(28)]
        # It begins when the first renders end.
        await clock.sleep(28)
        service.answer = until(clock.monotonic() + outage, clock, ServerFault("500"))
        await settled(jobs)
        assert all(job.video for job in jobs)
        took.append(clock.monotonic() - began)
    assert took[1] < took[0] + 15


async def test_a_family_that_keeps_failing_is_probed_by_one_request(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(100)) for _ in range(300)]
    service.answer = until(3000.0, clock, ServerFault("503"))
    await clock.sleep(100)
    service.asked.clear()
    await clock.sleep(2800)
    # 300 jobs that each asked every 5 seconds would have sent 168,000.
    assert service.counted("get") <= 300
    await settled(jobs)
    assert all(job.video for job in jobs)


async def test_trouble_and_its_end_are_told_once_each(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    job = await watch(service, cadence=5).submit(film(100))
    service.answer = until(60.0, clock, ServerFault("HTTP 503, upstream is gone"))
    told = [event async for event in job]
    turns = [event for event in told if isinstance(event, Silent | Answers)]
    assert [type(event) for event in turns] == [Silent, Answers]
    assert isinstance(turns[0], Silent)
    assert "upstream is gone" in turns[0].reason
    assert isinstance(told[-1], Finished)


@pytest.mark.parametrize("lists", [False, True])
async def test_one_job_that_cannot_be_read_does_not_slow_the_others_and_is_asked_rarely(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    service = studio(lists=lists, unlisted={"film-0"})

    def answer(kind: str, job_id: str) -> None:
        if kind == "get" and job_id == "film-0":
            raise DecodeError("garbage, for this one only")

    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(600)) for _ in range(5)]
    service.answer = answer
    await settled(jobs[1:])
    assert clock.monotonic() < 610
    assert sum(1 for _, kind, job_id in service.asked if (kind, job_id) == ("get", "film-0")) < 60
    service.answer = lambda kind, job_id: None
    assert (await jobs[0]).status is RenderStatus.FINISHED


async def test_a_row_that_cannot_be_read_does_not_cost_the_others_their_list(
    studio: Make, watch: Make, film: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = studio(lists=True)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(60)) for _ in range(5)]
    whole = service.listing

    async def listing() -> Any:
        rows = await whole()
        rows.videos["film-0"] = lambda: rows.words["a bug in a service of the caller's own"]
        return rows

    monkeypatch.setattr(type(service), "listing", lambda _self: listing())
    await settled(jobs)
    assert {job.status for job in jobs} == {RenderStatus.FINISHED}


async def test_a_list_that_is_broken_for_good_gives_way_to_gets(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(lists=True)

    def answer(kind: str, job_id: str) -> None:
        if kind == "list":
            raise DecodeError("HTML")

    service.answer = answer
    watcher = watch(service, cadence=10)
    jobs = [await watcher.submit(film(600)) for _ in range(5)]
    await settled(jobs)
    assert clock.monotonic() < 640
    assert service.counted("list") < 15
    assert {job.status for job in jobs} == {RenderStatus.FINISHED}


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("error", [AuthError("the token has ended"), AuthError("no permission")])
async def test_a_refused_credential_ends_every_job_at_once(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool, error: AuthError
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(600)) for _ in range(5)]
    service.answer = until(9e9, clock, error)
    await settled(jobs)
    assert [job.error for job in jobs] == [error] * 5
    assert clock.monotonic() < 8


@pytest.mark.parametrize("error", [NotFound("no such video"), InvalidRequest("no such id")])
async def test_an_unknown_id_is_believed_unknown_after_a_grace_period(
    studio: Make, watch: Make, clock: VirtualClock, error: TalkingAvatarError
) -> None:
    service = studio()
    service.answer = until(9e9, clock, error)
    job = await watch(service).attach("canned.film:mistyped")
    with pytest.raises(type(error)):
        await job
    assert 120 <= clock.monotonic() < 130
    assert service.counted("get") < 30


async def test_a_young_id_that_is_not_known_everywhere_yet_is_forgiven(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    job = await watch(service).submit(film(60))
    service.answer = until(100.0, clock, NotFound("not yet"))
    assert (await job).status is RenderStatus.FINISHED


async def test_news_that_comes_while_an_answer_is_on_its_way_is_followed_by_another_look(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher: JobWatcher = watch(service, cadence=1000)
    job = await watcher.submit(film(50))

    async def late(kind: str) -> str | None:
        if kind == "get" and clock.monotonic() < 40:
            await clock.sleep(30)
            return "processing"  # as it stood when it was asked
        return None

    service.answer = lambda kind, job_id: late(kind)
    await clock.sleep(30)
    assert watcher.wake("film-0")
    await clock.sleep(25)
    assert watcher.wake("film-0")
    await job
    assert clock.monotonic() == pytest.approx(60, abs=1)


async def test_detached_and_expired_jobs_are_not_asked_about(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(gate=Gate(Budget(limit=2), clock))
    watcher = watch(service, cadence=5)
    jobs = [await watcher.submit(film(600), deadline=300) for _ in range(20)]
    for job in jobs[1:]:
        job.detach()
    await clock.sleep(30)
    service.asked.clear()
    await jobs[0].wait()
    assert {job_id for _, _, job_id in service.asked} <= {jobs[0].ref.id}


async def test_a_second_job_of_an_id_is_watched_although_the_firsts_answer_is_still_out(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher = watch(service, cadence=5)
    first = await watcher.submit(film(100))
    service.answer = lambda kind, job_id: clock.sleep(50) if clock.monotonic() < 10 else None
    await clock.sleep(6)
    first.detach()
    second = await watcher.attach(first.ref)
    assert isinstance(await second, Video)
    assert clock.monotonic() < 110


async def test_a_finished_jobs_answer_that_comes_after_all_changes_nothing(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher = watch(service, cadence=5)
    job = await watcher.submit(film(600), deadline=30)
    service.answer = lambda kind, job_id: clock.sleep(20) if clock.monotonic() > 20 else None
    await job.wait()
    error, status = job.error, job.status
    await clock.sleep(100)
    assert (job.error, job.status) == (error, status)


async def test_durations_are_learned_from_the_looks_around_the_end(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio(lists=True)
    watcher = watch(service, cadence=5)
    await settled([await watcher.submit(film(300)) for _ in range(20)])
    (family,) = watcher._roster
    assert family.durations.outlook().median == pytest.approx(300, rel=0.05)
