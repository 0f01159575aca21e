"""A job is over at its deadline at the latest, and its error says whether anybody could read it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from talking_avatar import JobWatcher, RenderStatus
from talking_avatar.clock import SLICE, SystemClock
from talking_avatar.errors import JobStateUnknown, JobTimeout, ServerFault
from talking_avatar.testing import VirtualClock
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.events import TimedOut

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
BOTH = pytest.mark.parametrize("lists", [False, True])


async def failure(job: Any) -> Any:
    await job.wait()
    return job.error


def from_then_on(moment: float, clock: VirtualClock, error: Exception) -> Callable[[str, str], None]:
    def answer(kind: str, job_id: str) -> None:
        if kind != "create" and clock.monotonic() >= moment:
            raise error

    return answer


@BOTH
async def test_a_render_that_was_read_to_the_end_times_out_and_says_how_to_wait_longer(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    service = studio(lists=lists)
    watcher: JobWatcher = watch(service, cadence=25)
    everything = watcher.events()
    jobs = [await watcher.submit(film(900), deadline=timedelta(minutes=10)) for _ in range(3)]
    for job in jobs:
        error = await failure(job)
        assert isinstance(error, JobTimeout)
        assert isinstance(error, TimeoutError)
        assert (error.ref, error.status) == (job.ref, RenderStatus.PROCESSING)
        assert error.elapsed == pytest.approx(600, abs=0.01)
        assert f"attach('{job.ref}')" in str(error)
    assert clock.monotonic() == pytest.approx(600, abs=0.01)
    again = await watcher.attach(jobs[0].ref)
    assert (await again).status is RenderStatus.FINISHED
    await watcher.aclose()
    finals = [event for event in [event async for event in everything] if event.is_final and event.ref != again.ref]
    assert [type(event) for event in finals] == [TimedOut] * 2


@BOTH
@pytest.mark.parametrize("jobs", [1, 3, 100])
async def test_a_last_look_is_taken_shortly_before_the_deadline(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool, jobs: int
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=250)
    late = [await watcher.submit(film(595), deadline=600) for _ in range(jobs)]
    for job in late:
        await job.wait()
    assert all(job.video for job in late)


@BOTH
async def test_a_render_that_could_not_be_read_is_of_unknown_state(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=10)
    jobs = [await watcher.submit(film(900), deadline=600) for _ in range(3)]
    fault = ServerFault("HTTP 503")
    service.answer = from_then_on(400.0, clock, fault)
    for job in jobs:
        error = await failure(job)
        assert isinstance(error, JobStateUnknown)
        assert error.unreadable_since is not None
        assert error.unreadable_since - clock.time() + clock.monotonic() == pytest.approx(405, abs=10)
        assert error.last_error is fault
        assert (error.ref, error.status) == (job.ref, RenderStatus.PROCESSING)
        assert f"attach('{job.ref}')" in str(error)
    assert clock.monotonic() == pytest.approx(600, abs=0.01)


async def test_a_job_whose_own_reads_fail_is_of_unknown_state_although_its_family_is_well(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    watcher = watch(service, cadence=10)
    jobs = [await watcher.submit(film(900), deadline=600) for _ in range(3)]

    def answer(kind: str, job_id: str) -> None:
        if job_id == "film-1":
            raise ServerFault("for this one only")

    service.answer = answer
    assert [type(await failure(job)) for job in jobs] == [JobTimeout, JobStateUnknown, JobTimeout]


@BOTH
async def test_a_request_that_hangs_does_not_hold_up_the_deadline(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    service = studio(lists=lists)
    watcher = watch(service, cadence=10)
    jobs = [await watcher.submit(film(900), deadline=60) for _ in range(3)]
    service.answer = lambda kind, job_id: clock.sleep(9e9) if clock.monotonic() > 45 else None
    assert {type(await failure(job)) for job in jobs} == {JobStateUnknown}
    assert clock.monotonic() == pytest.approx(60, abs=0.01)


async def test_a_request_that_hangs_for_ever_is_given_up_and_repeated(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    job = await watch(service, cadence=10).submit(film(30))
    hung: list[str] = []

    def answer(kind: str, job_id: str) -> Any:
        if kind == "get" and not hung:
            hung.append(job_id)
            return clock.sleep(9e9)
        return None

    service.answer = answer
    await job
    assert clock.monotonic() < 75


async def test_a_place_in_the_budget_that_never_comes_does_not_hold_up_the_deadline(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    gate = Gate(Budget(limit=3), clock)
    watcher = watch(studio(gate=gate), cadence=10)
    jobs = [await watcher.submit(film(900), deadline=45) for _ in range(3)]
    assert all([isinstance(await failure(job), JobTimeout | JobStateUnknown) for job in jobs])
    assert clock.monotonic() == pytest.approx(45, abs=0.01)


async def test_an_attached_job_that_was_never_read_is_of_unknown_state(
    studio: Make, watch: Make, clock: VirtualClock
) -> None:
    service = studio()
    service.answer = lambda kind, job_id: clock.sleep(9e9)
    job = await watch(service).attach("canned.film:film-7", deadline=20)
    error = await failure(job)
    assert isinstance(error, JobStateUnknown)
    assert error.elapsed == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize("deadline", [0, -1, timedelta(0)])
async def test_a_deadline_in_the_past_is_refused_before_anything_is_sent(
    studio: Make, watch: Make, film: Make, deadline: Any
) -> None:
    service = studio()
    with pytest.raises(ValueError, match="nothing was sent"):
        await watch(service).submit(film(1), deadline=deadline)
    assert service.asked == []


async def test_each_product_has_a_deadline_of_its_own(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    job = await watch(studio(deadline=100.0)).submit(film(900))
    assert isinstance(await failure(job), JobTimeout)
    assert clock.monotonic() == pytest.approx(100, abs=0.01)


@BOTH
async def test_a_machine_that_slept_past_the_deadline_looks_once_before_it_gives_up(
    studio: Make, watch: Make, film: Make, clock: VirtualClock, lists: bool
) -> None:
    watcher = watch(studio(lists=lists), cadence=30)
    jobs = [await watcher.submit(film(seconds), deadline=3600) for seconds in (1800, 1800, 9e6)]
    await asyncio.sleep(0)
    clock.advance(8 * 3600.0)  # the lid was closed
    woke = clock.monotonic()
    assert (await jobs[0]).status is (await jobs[1]).status is RenderStatus.FINISHED
    assert clock.monotonic() - woke < 1
    assert isinstance(await failure(jobs[2]), JobTimeout)
    assert clock.monotonic() - woke < 60


async def test_a_machine_that_slept_looks_at_once_when_it_wakes(
    studio: Make, watch: Make, film: Make, clock: VirtualClock
) -> None:
    service = studio()
    job = await watch(service, cadence=1200).submit(film(1000))
    await asyncio.sleep(0)
    clock.advance(1300.0)
    await job
    assert clock.monotonic() < 1301


async def test_the_system_clock_notices_within_seconds_that_the_machine_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    awake = 0.0
    slices: list[float] = []

    class Laptop(SystemClock):
        def monotonic(self) -> float:
            return awake + (8 * 3600.0 if len(slices) > 3 else 0.0)

    async def sleep(seconds: float) -> None:
        nonlocal awake
        slices.append(seconds)
        awake += seconds

    monkeypatch.setattr("talking_avatar.clock.asyncio.sleep", sleep)
    await Laptop().sleep(4 * 3600.0)
    assert slices == [SLICE] * 4
    slices.clear()
    await Laptop().sleep(7.0)
    assert slices == [SLICE, pytest.approx(2.0)]
