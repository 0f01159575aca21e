"""Watching every job of one product: when to look, at one or at all, and what the answers mean."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from talking_avatar.clock import Clock
from talking_avatar.errors import AuthError, InvalidRequest, NotFound, TalkingAvatarError
from talking_avatar.models.product import JobResult, Listing, Product
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus
from talking_avatar.transport.budget import Permit, Purpose
from talking_avatar.transport.gate import Gate
from talking_avatar.watch import events
from talking_avatar.watch.cadence import Cadence, Situation, scouts_among
from talking_avatar.watch.durations import Durations
from talking_avatar.watch.endings import not_readable, render_failed, still_running
from talking_avatar.watch.health import Health
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["Family"]

MOST_READS_IN_FLIGHT = 32
MISSES_BEFORE_ASKING = 3
AGES_SAMPLED = 32
# How rarely a job is looked at whose service calls when it changes.
BACKSTOP = 300.0
# The last look before a deadline leaves this much time for its answer.
LAST_LOOK = 2.0


class Family:
    """The jobs of one product, sharing a cadence, a health and what was learned of durations.

    Where the service lists, the family itself stands in the agenda and a job only with its deadline; where it does
    not, each job stands there with its next look.
    """

    def __init__(
        self,
        product: Product[Any, Any],
        scheduler: Scheduler,
        *,
        gate: Gate,
        cadence: Cadence,
        announce: Callable[[events.Event], None],
        on_settled: Callable[[Job[Any]], None],
        fetch: Callable[..., Coroutine[Any, Any, Path]],
    ) -> None:
        self.product = product
        self.gate = gate
        self.jobs: dict[str, Job[Any]] = {}
        self.durations = Durations()
        self.learned_before = 0
        # Whether callbacks come: believed until a look finds a finished job that nobody called about.
        self.calls_come = True
        self.health = Health()
        self.counts = {"list": 0, "get": 0, "failed": 0}
        # Creates under way: while there are any, a new id in a list may be ours.
        self.creating = 0
        self.on_ids_seen: Callable[[set[str]], None] | None = None
        self._scheduler = scheduler
        self._cadence = cadence
        self._announce = announce
        self._on_settled = on_settled
        self._fetch = fetch
        self._waiting: deque[Job[Any]] = deque()
        self._looking: set[str] = set()
        self._called: set[str] = set()
        self._list_at: float | None = None
        self._turn_at = float("inf")
        self._listing = False
        self._cost_of_list = self._cost_of_get = 0.0

    @property
    def clock(self) -> Clock:
        return self._scheduler.clock

    @property
    def lists(self) -> bool:
        """Whether one request can answer for all jobs."""
        return self.product.listing is not None

    def add(self, job: Job[Any]) -> None:
        """Watch *job* from now on."""
        self.jobs[job.ref.id] = job
        self._plan(job)

    def detach(self, job: Job[Any]) -> None:
        """Watch *job* no more."""
        self._forget(job)
        self._emit(job, events.Detached(ref=job.ref, at=self.clock.time()))
        job.settle(error=asyncio.CancelledError(f"{job.ref} was detached; attach it again by its ref"))

    def look_soon(self, job: Job[Any]) -> None:
        """Look at *job* as soon as the budget allows, because somebody says that it changed."""
        self.calls_come = self.calls_come or job.expects_call
        self._called.add(job.ref.id)
        if not job.settled:
            self._queue(job)
            self._serve(self.clock.monotonic())

    def story(self, job: Job[Any]) -> Iterator[events.Event]:
        """Where *job* stands, as events, for whoever begins to listen now."""
        at = self.clock.time()
        kind = events.Submitted if job.timed else events.Attached
        yield kind(ref=job.ref, at=job.opened_wall)
        if job.latest is not None:
            yield events.StatusChanged(ref=job.ref, at=at, status=job.latest.status, raw_status=job.latest.raw_status)
        if job.settled:
            yield self._ending(job)

    async def within(self, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* at most *seconds* by the watcher's clock."""
        main = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait((main, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            main.cancel()
            timer.cancel()
            await asyncio.gather(main, timer, return_exceptions=True)

    async def download(self, job: Job[Any], path: str | Path, **options: Any) -> Path:
        """Bring the file of a finished job here."""
        return await self._fetch(self, job, path, **options)

    def when_due(self, now: float) -> None:
        """The family's own turn: a list, or places in the budget for those who wait."""
        self._turn_at = float("inf")
        self._serve(now)

    def job_due(self, job: Job[Any], now: float) -> None:
        """A job's own turn: its deadline or its next look."""
        if job.settled:
            return
        if now >= job.deadline_at:
            self._expire(job)
        else:
            self._queue(job)
            self._serve(now)

    def _queue(self, job: Job[Any]) -> None:
        # While it waits for a place its deadline still counts.
        self._scheduler.schedule(job, job.deadline_at)
        if job.ref.id not in self._looking:
            self._looking.add(job.ref.id)
            self._waiting.append(job)

    def _serve(self, now: float) -> None:
        """Send what is due, as far as health, budget and the number in flight allow."""
        if self.health.is_failing and now < self.health.retry_at:
            self._again_at(self.health.retry_at)
            return
        while self._wants_list(now) or self._waiting:
            if self._in_flight() >= (1 if self.health.is_failing else MOST_READS_IN_FLIGHT):
                return  # the next answer serves again
            permit = self.gate.try_acquire(Purpose.READ)
            if permit is None:
                self._again_at(now + max(self.gate.ready_in(Purpose.READ), 0.01))
                return
            self._send(permit, now)
        if self._list_at is not None:
            self._again_at(self._list_at)

    def _send(self, permit: Permit, now: float) -> None:
        if self._wants_list(now):
            self._list_at, self._listing = None, True
            self._looking.difference_update(job.ref.id for job in self._waiting)
            self._waiting.clear()
            self._scheduler.spawn(self._scan(permit, now))
        else:
            self._scheduler.spawn(self._read(self._waiting.popleft(), permit))

    def _in_flight(self) -> int:
        return len(self._looking) - len(self._waiting) + self._listing

    def _wants_list(self, now: float) -> bool:
        if not self.lists or self._listing:
            return False
        due = len(self.jobs) if self._list_at is not None and self._list_at <= now else len(self._waiting)
        if due == 0:
            return False
        ratio = self._cost_of_list / self._cost_of_get if self._cost_of_get else 1.0
        if due >= max(2.0, ratio):
            return True
        if self._list_at is not None and self._list_at <= now:
            # So few that asking for each is cheaper than the whole list.
            self._list_at = None
            for job in self.jobs.values():
                self._queue(job)
        return False

    def _again_at(self, at: float) -> None:
        if at < self._turn_at:
            self._turn_at = at
            self._scheduler.schedule(self, at)

    def _plan(self, job: Job[Any]) -> None:
        """Put the next look at *job* in the agenda."""
        now = self.clock.monotonic()
        if self.lists and job.misses < MISSES_BEFORE_ASKING:
            self._scheduler.schedule(job, job.deadline_at)
            self._plan_list(now, job)
            return
        wait = self._cadence.delay(self._situation(job, now), self._scheduler.rng)
        if job.expects_call and self.calls_come:
            wait = max(wait, BACKSTOP)
        self._scheduler.schedule(job, self._before_deadline(job, now, now + wait))

    def _plan_list(self, now: float, newest: Job[Any] | None = None) -> None:
        """Move the family's next list to when the job that needs it first does."""
        if not self.jobs or self._listing:
            return
        sampled = [newest] if newest is not None else islice(self.jobs.values(), 0, None, self._stride())
        at = min(
            self._before_deadline(job, now, now + self._cadence.delay(self._situation(job, now), self._scheduler.rng))
            for job in sampled
        )
        if newest is None or self._list_at is None or at < self._list_at:
            self._list_at = at
            self._again_at(at if not self.health.is_failing else max(at, self.health.retry_at))

    def _stride(self) -> int:
        return max(1, len(self.jobs) // AGES_SAMPLED)

    @staticmethod
    def _before_deadline(job: Job[Any], now: float, at: float) -> float:
        last = job.deadline_at - LAST_LOOK
        return last if now < last < at else min(at, job.deadline_at)

    def _situation(self, job: Job[Any], now: float) -> Situation:
        age = max(now - job.accepted_at, 0.0)
        outlook = self.durations.outlook() if self.durations.seen >= 3 else None
        return Situation(
            age=age,
            looks=job.looks,
            running=len(self.jobs),
            listed=self.lists,
            scout=outlook is not None or self._is_scout(job),
            progress=job.progress,
            outlook=outlook,
            scale=job.scale,
        )

    def _is_scout(self, job: Job[Any]) -> bool:
        return any(job is scout for scout in islice(self.jobs.values(), scouts_among(len(self.jobs))))

    async def _read(self, job: Job[Any], permit: Permit) -> None:
        begun = self.clock.monotonic()
        self.counts["get"] += 1
        try:
            async with self.gate.settling(permit):
                answer = await self.product.read(job.ref.id)
        except TalkingAvatarError as error:
            self._looking.discard(job.ref.id)
            self._read_failed(job, error)
        else:
            self._looking.discard(job.ref.id)
            self._cost_of_get = _average(self._cost_of_get, self.clock.monotonic() - begun)
            self._recovered()
            job.looks += 1
            job.misses = 0
            called = job.ref.id in self._called
            self._called.discard(job.ref.id)
            self.calls_come = called or not (job.expects_call and answer.status.is_final) and self.calls_come
            self.learn(job, answer)
            if not job.settled:
                self._plan(job)
        self._serve(self.clock.monotonic())

    async def _scan(self, permit: Permit, begun: float) -> None:
        self.counts["list"] += 1
        quiet = not self.creating
        try:
            async with self.gate.settling(permit):
                listing: Listing = await self.product.listing()  # type: ignore[misc]
        except AuthError as error:
            self._listing = False
            for job in tuple(self.jobs.values()):
                self._end(job, error)
        except TalkingAvatarError as error:
            self._listing = False
            self._failed(error)
        else:
            self._listing = False
            self._cost_of_list = _average(self._cost_of_list, self.clock.monotonic() - begun)
            self._recovered()
            self._compare(listing, begun)
            if self.on_ids_seen is not None and quiet and not self.creating:
                self.on_ids_seen(set(listing.words))
        now = self.clock.monotonic()
        self._plan_list(now)
        self._serve(now)

    def _compare(self, listing: Listing, begun: float) -> None:
        words = listing.words
        for job_id, job in tuple(self.jobs.items()):
            word = words.get(job_id)
            if word is None:
                self._missed(job, begun)
                continue
            job.misses = 0
            job.looks += 1
            if job.latest is None or job.latest.raw_status != word:
                try:
                    self.learn(job, listing.decode(job_id))
                except TalkingAvatarError:
                    self._queue(job)

    def _missed(self, job: Job[Any], begun: float) -> None:
        # A list may be cut short or older than the job; only asking for it by id tells.
        if job.accepted_at < begun:
            job.misses += 1
            if job.misses >= MISSES_BEFORE_ASKING:
                self._queue(job)

    def learn(self, job: Job[Any], answer: JobResult) -> None:
        """Take in the service's word about *job*; an earlier state than the known one is a stale reading."""
        now = self.clock.monotonic()
        known = job.latest
        if job.settled or (known is not None and answer.status.rank < known.status.rank):
            return
        previous_read, job.last_read_at = job.last_read_at, now
        job.advance(answer)
        self._tell_changes(job, known, answer)
        if answer.status is RenderStatus.FINISHED:
            if job.timed:
                self.durations.add(((previous_read + now) / 2 - job.accepted_at) / job.scale)
            self._end(job, None)
        elif answer.status is RenderStatus.FAILED:
            self._end(job, render_failed(job, answer, now))

    def _tell_changes(self, job: Job[Any], known: JobResult | None, answer: JobResult) -> None:
        at = self.clock.time()
        if known is None or known.raw_status != answer.raw_status:
            self._emit(
                job, events.StatusChanged(ref=job.ref, at=at, status=answer.status, raw_status=answer.raw_status)
            )
        progress = getattr(answer, "progress", None)
        if progress is not None and progress != getattr(known, "progress", None):
            self._emit(job, events.Progressed(ref=job.ref, at=at, percent=progress))

    def _read_failed(self, job: Job[Any], error: TalkingAvatarError) -> None:
        now = self.clock.monotonic()
        if job.settled:
            return
        patient_until = job.accepted_at + self.product.patience.total_seconds()
        if isinstance(error, AuthError) or (isinstance(error, NotFound | InvalidRequest) and now >= patient_until):
            self._recovered()
            self._end(job, error)
        elif isinstance(error, NotFound | InvalidRequest):
            # The service answered, so the family is well; a young id may simply not be known everywhere yet.
            self._recovered()
            wait = self.health.backoff.wait(min(job.looks, 5), self._scheduler.rng)
            job.looks += 1
            self._scheduler.schedule(job, self._before_deadline(job, now, max(now + wait, min(patient_until, now + 5))))
        else:
            self._failed(error)
            wait = self.health.backoff.wait(self.health.failures, self._scheduler.rng)
            self._scheduler.schedule(job, min(now + wait, job.deadline_at))

    def _failed(self, error: TalkingAvatarError) -> None:
        self.counts["failed"] += 1
        turned = self.health.failed(error, self.clock.monotonic(), self.clock.time(), self._scheduler.rng)
        if turned:
            self._tell_everyone(lambda ref, at: events.Unreachable(ref=ref, at=at, reason=str(error)))

    def _recovered(self) -> None:
        if self.health.succeeded():
            self._tell_everyone(lambda ref, at: events.Reachable(ref=ref, at=at))

    def _tell_everyone(self, make: Callable[[JobRef, float], events.Event]) -> None:
        at = self.clock.time()
        for job in self.jobs.values():
            self._emit(job, make(job.ref, at))

    def _expire(self, job: Job[Any]) -> None:
        now, wall = self.clock.monotonic(), self.clock.time()
        error = not_readable(job, self.health, now) if self.health.failures else still_running(job, now)
        self._emit(job, events.TimedOut(ref=job.ref, at=wall, reason=str(error)))
        self._end(job, error)

    def _end(self, job: Job[Any], error: BaseException | None) -> None:
        self._forget(job)
        job.settle(error=error)
        self._emit(job, self._ending(job))
        self._on_settled(job)

    def _ending(self, job: Job[Any]) -> events.Event:
        at = self.clock.time()
        if job.error is None and job.latest is not None:
            return events.Finished(ref=job.ref, at=at, result=job.latest)
        return events.Failed(ref=job.ref, at=at, reason=str(job.error))

    def _forget(self, job: Job[Any]) -> None:
        self.jobs.pop(job.ref.id, None)
        self._scheduler.discard(job)
        if not self.jobs:
            self._list_at, self._turn_at = None, float("inf")
            self._scheduler.discard(self)

    def _emit(self, job: Job[Any], event: events.Event) -> None:
        job.tell(event)
        self._announce(event)


def _average(known: float, latest: float) -> float:
    return latest if not known or not isfinite(known) else 0.8 * known + 0.2 * latest
