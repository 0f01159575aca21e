"""The jobs of one product, from the first look to the last."""

import random
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from talking_avatar.clock import Clock
from talking_avatar.errors import Closed, JobStateUnknown, JobTimeout, TalkingAvatarError
from talking_avatar.models.product import JobResult, Listing, Product
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.gate import Gate
from talking_avatar.watch import events
from talking_avatar.watch.answers import MISSES_BEFORE_ASKING, Answers
from talking_avatar.watch.asking import Asking
from talking_avatar.watch.cadence import Cadence
from talking_avatar.watch.durations import Durations
from talking_avatar.watch.endings import detached
from talking_avatar.watch.health import Health
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.timetable import FEWEST_TO_LEARN_FROM, Timetable

__all__ = ["Family"]

# A deadline that is noticed this late passed while the machine slept: the job is looked at once more.
OVERSLEPT = 5.0
AFTER_SLEEP = 30.0


class Family:
    """Shares a cadence, a health and what was learned of durations among the jobs of one product.

    Each job stands in the agenda with its next look or its deadline; where the service lists, one look is for all.
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
        on_detached: Callable[[Job[Any]], None],
        fetch: Callable[..., Coroutine[Any, Any, Path]],
    ) -> None:
        self.product = product
        self.gate = gate
        self.jobs: dict[str, Job[Any]] = {}
        # Of renders whose audio is of unknown length in seconds, of others in seconds for each second of it.
        self.durations, self.paces = Durations(), Durations()
        self.learned_before = 0
        self.health = Health()
        self.on_ids_seen: Callable[[set[str]], None] | None = None
        self._scheduler = scheduler
        self._announce = announce
        self._on_settled = on_settled
        self._on_detached = on_detached
        self._fetch = fetch
        self._called: set[Job[Any]] = set()
        self._timetable = Timetable(self.jobs, self.durations, self.paces, cadence, scheduler.rng)
        self._asking = Asking(product, scheduler, gate, self.health, self)
        self._answers = Answers(self)
        self._creating = 0
        self._created_at = float("-inf")

    @property
    def clock(self) -> Clock:
        return self._scheduler.clock

    @property
    def rng(self) -> random.Random:
        return self._scheduler.rng

    @property
    def scheduler(self) -> Scheduler:
        return self._scheduler

    @property
    def counts(self) -> dict[str, int]:
        """Lists and gets that were sent, and those of them that failed."""
        return self._asking.counts

    @property
    def creating(self) -> int:
        """Creates under way: while there are any, a new id in a list may be ours."""
        return self._creating

    @creating.setter
    def creating(self, count: int) -> None:
        self._creating, self._created_at = count, self.clock.monotonic()

    @property
    def lists(self) -> bool:
        """Whether the service can name all its jobs at once."""
        return self.product.listing is not None

    def add(self, job: Job[Any]) -> None:
        """Watch *job* from now on."""
        self.jobs[job.ref.id] = job
        self._plan(job)

    def detach(self, job: Job[Any]) -> None:
        """Watch *job* no more."""
        self._forget(job)
        job.settle(error=detached(job))
        self.emit(job, self._ending(job))
        self._on_detached(job)

    def took(self, job: Job[Any], seconds: float) -> None:
        """Learn that *job* took so long."""
        durations = self._timetable.durations_of(job)
        durations.add(seconds / job.scale)
        if durations.seen == FEWEST_TO_LEARN_FROM and self._timetable.learns and not self._asking.lists:
            self._plan_anew(besides=job)

    def look_soon(self, job: Job[Any]) -> None:
        """Look at *job* as soon as the budget allows, because somebody says that it changed."""
        if not job.settled:
            self._called.add(job)
            if job.expects_call:
                self._timetable.calls_come = self._timetable.calls_came = True
            self._scheduler.schedule(job, job.deadline_at)
            self._asking.about_again(job)

    def ask_by_id(self, job: Job[Any]) -> None:
        """Look at *job* itself, because a list does not tell of it."""
        self._scheduler.schedule(job, job.deadline_at)
        self._asking.about(job, by_id=True)

    def look_at(self, job: Job[Any], at: float) -> None:
        """Look at *job* at monotonic time *at*, and once more before its deadline."""
        self._scheduler.schedule(job, min(at, self._timetable.last_look(job, self.clock.monotonic())))

    def job_due(self, job: Job[Any], now: float) -> None:
        """A job's own turn: its deadline or its next look."""
        if job.settled:
            return
        late = now - job.deadline_at
        if late >= OVERSLEPT:
            job.deadline_at = now + AFTER_SLEEP
        elif late >= 0:
            self.end(job, self._answers.out_of_time(job))
            return
        # While it waits for a place its deadline still counts.
        self._scheduler.schedule(job, job.deadline_at)
        self._asking.about(job)

    def learn(self, job: Job[Any], answer: JobResult) -> None:
        """Take in the service's word about *job*."""
        self._answers.learn(job, answer)

    def answered(self, job: Job[Any], answer: JobResult) -> None:
        self._timetable.answer_takes = self._asking.latency["get"]
        self._answers.answered(job, answer)
        if not job.settled:
            if job in self._called:
                # Its call came early, and there may be no other to wait for.
                job.expects_call = False
                self._called.discard(job)
            self._plan(job)

    def unanswered(self, job: Job[Any], error: TalkingAvatarError) -> None:
        self._answers.unanswered(job, error)

    def listed(self, listing: Listing, begun: float) -> None:
        self._timetable.answer_takes = self._asking.latency["list"]
        self._answers.listed(listing, begun)
        if self.on_ids_seen is not None and not self.creating and self._created_at < begun:
            self.on_ids_seen(set(listing.words))
        self._plan_list()

    def unlisted(self, error: TalkingAvatarError) -> None:
        self._answers.unlisted(error)
        self._plan_list()

    def silent_since(self, job: Job[Any]) -> float | None:
        """When the request was sent that *job* still has no answer to."""
        return self._asking.silent_since(job)

    def story(self, job: Job[Any]) -> Iterator[events.Event]:
        """Where *job* stands, as events, for whoever begins to listen now."""
        at = self.clock.time()
        kind = events.Submitted if job.timed else events.Attached
        yield kind(ref=job.ref, at=job.opened_wall)
        if job.latest is not None:
            yield events.StatusChanged(ref=job.ref, at=at, status=job.latest.status, raw_status=job.latest.raw_status)
        if job.settled:
            yield self._ending(job)

    async def download(self, job: Job[Any], path: str | Path, **options: Any) -> Path:
        """Bring the file of a finished job here."""
        return await self._fetch(self, job, path, **options)

    def end(self, job: Job[Any], error: BaseException | None) -> None:
        """Settle *job*, and tell everyone."""
        if job.error is None and job.expects_call and job.status.is_final and job not in self._called:
            self._timetable.calls_come = False
        self._forget(job)
        job.settle(error=error)
        self.emit(job, self._ending(job))
        self._on_settled(job)

    def emit(self, job: Job[Any], event: events.Event) -> None:
        """Tell whoever follows *job* or the watcher."""
        job.tell(event)
        self._announce(event)

    def tell_everyone(self, make: Callable[[JobRef, float], events.Event]) -> None:
        """Tell of every job."""
        at = self.clock.time()
        for job in self.jobs.values():
            self.emit(job, make(job.ref, at))

    def _plan(self, job: Job[Any]) -> None:
        now = self.clock.monotonic()
        if self._asking.lists and job.misses < MISSES_BEFORE_ASKING:
            self._scheduler.schedule(job, self._timetable.last_look(job, now))
            self._asking.about_all_at(self._timetable.next_look(job, now, listed=True), at_latest=True)
        else:
            self._scheduler.schedule(job, self._timetable.next_look(job, now))

    def _plan_anew(self, *, besides: Job[Any]) -> None:
        """Let those who waited for the scouts use what these have learned, spread out or they would ask all at once."""
        now = self.clock.monotonic()
        for job in self.jobs.values():
            if job is not besides:
                wait = self._timetable.next_look(job, now) - now
                self.look_at(job, now + wait * self.rng.uniform(0.5, 2.5))

    def _plan_list(self) -> None:
        now = self.clock.monotonic()
        if not self.jobs:
            return
        if self._asking.lists:
            self._asking.about_all_at(self._timetable.next_list(now))
        else:
            for job in self.jobs.values():
                self._plan(job)

    def _ending(self, job: Job[Any]) -> events.Event:
        at = self.clock.time()
        if job.error is None and job.latest is not None:
            return events.Finished(ref=job.ref, at=at, result=job.latest)
        if isinstance(job.error, Closed):
            return events.Detached(ref=job.ref, at=at)
        kind = events.TimedOut if isinstance(job.error, JobTimeout | JobStateUnknown) else events.Failed
        return kind(ref=job.ref, at=at, reason=str(job.error))

    def _forget(self, job: Job[Any]) -> None:
        if self.jobs.get(job.ref.id) is job:
            del self.jobs[job.ref.id]
        self._called.discard(job)
        self._answers.forget(job)
        self._scheduler.discard(job)
        self._asking.forget(job)
