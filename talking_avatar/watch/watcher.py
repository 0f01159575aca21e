"""The watcher: every job of any number of accounts on one timer."""

import asyncio
import logging
import random
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import (
    Closed,
    ConfigurationError,
    JournalConflict,
    SubmissionUnknown,
    TalkingAvatarError,
)
from talking_avatar.journal.protocol import Journal
from talking_avatar.models.product import JobResult, Product
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.batch import Batch
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.cadence import Cadence, as_cadence
from talking_avatar.watch.desk import Desk
from talking_avatar.watch.family import Family
from talking_avatar.watch.feed import Feed
from talking_avatar.watch.job import Job
from talking_avatar.watch.owed import Owed
from talking_avatar.watch.resumption import Resumed, resume
from talking_avatar.watch.roster import Client, Roster
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.stats import WatcherStats
from talking_avatar.watch.submission import UNNOTED, submit_once

__all__ = ["JobWatcher"]

log = logging.getLogger("talking_avatar")

T = TypeVar("T", bound=JobResult)
Seconds = float | timedelta
OnExit = Literal["detach", "wait", "raise"]


class JobWatcher:
    """Submits jobs and awaits any number of them, asking as rarely as the arithmetic allows.

    *journal* (a path or a `Journal`) makes every create durable before it leaves: no render is paid twice or lost.
    *deadline* (seconds or timedelta) is how long a job may take by default, otherwise each product has its own.
    *cadence* is learned when left out; a `Backoff`, a number of seconds or a `Cadence` replaces that.
    *download_dir* (a folder or a pattern such as ``videos/{key}.mp4``) brings every finished file here, with masks
    where *download_masks* asks for them. *webhook_url* is where a `WebhookReceiver` of yours listens. *on_exit* says
    what leaving ``async with`` does with open jobs: detach them (they go on at the service), wait for them, or raise.
    """

    def __init__(
        self,
        *clients: Client,
        journal: Journal | str | PathLike[str] | None = None,
        deadline: Seconds | None = None,
        cadence: Cadence | Backoff | float | None = None,
        download_dir: str | Path | None = None,
        download_masks: bool = False,
        webhook_url: str | None = None,
        on_exit: OnExit = "detach",
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        if not clients:
            msg = "a JobWatcher needs at least one client: JobWatcher(Surreal(), …)"
            raise ConfigurationError(msg)
        self._clock = clock or getattr(clients[0], "clock", None) or SYSTEM_CLOCK
        self._deadline = None if deadline is None else _seconds(deadline)
        self._on_exit = on_exit
        self._scheduler = Scheduler(self._clock, random.Random(seed))  # noqa: S311 - jitter
        self._desk = Desk(self._scheduler, download_to=download_dir, mask=download_masks)
        self._roster = Roster()
        for product in (product for client in clients for product in client.products):
            self._roster.add(self._family(product, as_cadence(cadence)))
        self._owed = self._owing(journal, webhook_url)
        self._keys: dict[tuple[str, str, str], tuple[Any, asyncio.Task[Job[Any]]]] = {}
        self._creates = 0
        self._started = self._closed = self._takes_over = False

    async def start(self) -> Self:
        """Begin to watch; `submit` and `attach` do it by themselves. Raises `JournalError` before anything is sent."""
        if self._closed:
            msg = "this watcher has been closed; make a new one and attach the jobs by their refs"
            raise Closed(msg)
        if not self._started:
            if self._owed is not None:
                await self._owed.open(self._roster)
            self._started = True
            self._scheduler.start()
        return self

    async def aclose(self) -> None:
        """Watch no more; open jobs go on at their services, and a log line names the refs to attach them by."""
        if self._closed:
            return
        self._closed, self._started = True, False
        self._detach_open()
        await self._scheduler.aclose()
        await self._desk.aclose()
        if self._owed is not None:
            await self._owed.aclose(self._roster)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._on_exit == "wait":
            await asyncio.gather(*(job.wait() for job in self.jobs))
        left_open = [str(job.ref) for job in self._desk.open]
        if kind is None:
            await self._desk.delivered()
        await self.aclose()
        if kind is None and self._on_exit == "raise" and left_open:
            msg = f"{len(left_open)} jobs were still open: {', '.join(left_open[:10])}. They go on; attach them by ref"
            raise TalkingAvatarError(msg)

    async def submit(
        self, request: Any, *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Job[Any]:
        """Start *request* and watch it; returns when the service has accepted it and its id is safe.

        The same *key* never renders twice: it gives the job that it stands for, and `JournalConflict` for another
        request. *via* is the client or account name to use where several could. Raises `InvalidRequest`, `QuotaError`
        or another `ApiError` when the service refuses, `Unreachable` when the request never left, and
        `SubmissionUnknown` when it left and no answer came: then it may be paid, and is not sent again.
        """
        family = self._roster.renders(request, via)
        lasts = self._lasts(family, deadline)
        await self.start()
        if self._owed is not None:
            self._creates += 1
            try:
                return await self._owed.submit(family, request, key=key, lasts=lasts)
            except SubmissionUnknown as error:
                raise error.offer(self)  # noqa: B904 - the same error, with its choices
        return await (
            self._submit(family, request, key, lasts) if key is None else self._keyed(family, request, key, lasts)
        )

    async def render(
        self, request: Any, *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Any:
        """Submit *request* and await its result."""
        return await (await self.submit(request, key=key, deadline=deadline, via=via))

    def render_all(
        self, requests: Iterable[Any] | AsyncIterable[Any], *, max_in_flight: int = 50, via: Any = None
    ) -> Batch[Any]:
        """Every one of *requests*, at most *max_in_flight* at a time; iterate over the settled jobs as they land.

        Requests are drawn as there is room, so any iterable or async iterable will do; a pair is a (key, request). A
        failure is its own job's.
        """
        if max_in_flight < 1:
            msg = f"max_in_flight must be 1 or more, not {max_in_flight}"
            raise ValueError(msg)

        async def submit(item: Any) -> Job[Any]:
            key, request = item if isinstance(item, tuple) else (None, item)
            return await self.submit(request, key=key, via=via)

        return Batch(requests, submit=submit, clock=self._clock, max_in_flight=max_in_flight)

    async def attach(self, ref: JobRef | str, *, deadline: Seconds | None = None) -> Job[Any]:
        """Watch a job that exists; a ref that is watched already gives the same job."""
        ref = JobRef.parse(ref)
        family = self._roster.reads(ref)
        await self.start()
        return self._desk.attached(family, ref, self._lasts(family, deadline))

    async def resume(self, *, deadline: Seconds | None = None) -> Resumed:
        """Take up what the journal says is open: watch what was accepted, send what was planned, download what is
        finished (where there is a *download_dir*), and report what nobody knows.

        From then on this watcher also takes over the jobs of a process that dies.
        """
        await self.start()
        if self._owed is None:
            msg = "resume() takes up what a journal keeps: JobWatcher(…, journal='renders.db')"
            raise ConfigurationError(msg)
        self._takes_over = True
        resumed = await resume(
            self._owed,
            self._roster.by_place,
            self._desk,
            lasts=None if deadline is None else _seconds(deadline),
            deliver=self._desk.download_to is not None,
        )
        for error in resumed.unknown:
            error.offer(self)
        return resumed

    async def adopt(self, lost: SubmissionUnknown, ref: JobRef | str) -> Job[Any]:
        """Say that *ref* is the job of a lost create."""
        ref = JobRef.parse(ref)
        if self._owed is None or lost.intent is None:
            return await self.attach(ref)
        return await self._owed.adopt_as(lost.intent, ref, self._roster, self._lasts(self._roster.reads(ref), None))

    async def abandon(self, lost: SubmissionUnknown) -> None:
        """Say that nobody needs a lost create any more."""
        if self._owed is not None and lost.intent is not None:
            await self._owed.abandon(lost.intent)

    async def resubmit(self, lost: SubmissionUnknown) -> Job[Any]:
        """Send a lost create again, although it may be paid already."""
        if self._owed is None or lost.intent is None:
            return await self.submit(lost.request)
        return await self._owed.resubmit_as(lost.intent, self._roster)

    async def as_completed(self, jobs: Iterable[Job[T]]) -> AsyncIterator[Job[T]]:
        """The jobs in the order they settle."""
        waiting = set(jobs)
        settled: asyncio.Queue[Job[T]] = asyncio.Queue()
        for job in tuple(waiting):
            job.when_done(settled.put_nowait)
        while waiting:
            job = await settled.get()
            waiting.discard(job)
            yield job

    def events(self, *, size: int = 1_000) -> Feed:
        """Everything that happens to any job from now on; a reader that lags more than *size* loses the oldest."""
        feed = Feed(size=size, ends=False)
        self._desk.listen(feed)
        return feed

    def wake(self, job_id: str, status: object = None) -> bool:  # noqa: ARG002 - a webhook's word is no result
        """Look at a job as soon as the budget allows, because somebody says that it changed; False if it is unknown.

        Made to be the *wake* of a `WebhookReceiver`.
        """
        for family in self._roster:
            job = family.jobs.get(job_id)
            if job is not None:
                family.look_soon(job)
                return True
        return False

    def settle(self, token: str, job_id: str) -> None:
        """A callback came to the URL of the create that carried *token*; the *settle* of a `WebhookReceiver`."""
        if self._owed is not None:
            self._scheduler.spawn(self._owed.settle_by_token(token, job_id, self._roster))

    @property
    def jobs(self) -> tuple[Job[Any], ...]:
        """The jobs watched now."""
        return tuple(self._desk.open)

    @property
    def stats(self) -> WatcherStats:
        """Counts since the watcher was made."""
        counts = [family.counts for family in self._roster]
        return WatcherStats(
            watched=len(self._desk.open),
            settled=self._desk.settled,
            creates=self._creates,
            lists=sum(count["list"] for count in counts),
            gets=sum(count["get"] for count in counts),
            failed_reads=sum(count["failed"] for count in counts),
            in_flight=self._scheduler.in_flight,
        )

    def _family(self, product: Product[Any, Any], cadence: Cadence) -> Family:
        return Family(
            product,
            self._scheduler,
            gate=product.gate or Gate(Budget(limit=None), self._clock),
            cadence=cadence,
            announce=self._desk.tell,
            on_settled=self._desk.on_settled,
            fetch=self._desk.fetch,
        )

    def _owing(self, journal: Journal | str | PathLike[str] | None, webhook_url: str | None) -> Owed | None:
        if journal is None:
            return None
        if isinstance(journal, str | PathLike):
            from talking_avatar.journal.sqlite import SqliteJournal  # noqa: PLC0415 - not everybody keeps one

            journal = SqliteJournal(journal, clock=self._clock)
        accounts = frozenset((family.product.service, family.product.account) for family in self._roster)
        books = Bookkeeping(journal, self._scheduler, accounts, on_lapsed=self._take_over)
        self._desk.books = books
        return Owed(books, self._scheduler, self._desk, webhook_url)

    async def _take_over(self) -> None:
        if self._takes_over and self._owed is not None:
            await resume(
                self._owed,
                self._roster.by_place,
                self._desk,
                lasts=None,
                deliver=self._desk.download_to is not None,
                lost=False,
            )

    async def _submit(self, family: Family, request: Any, key: str | None, lasts: float) -> Job[Any]:
        self._creates += 1
        return await submit_once(
            family,
            request,
            self._scheduler,
            notes=UNNOTED,
            watch=lambda answer: self._desk.accepted(family, answer, None, request, lasts, key),
            give_up_at=self._clock.monotonic() + lasts,
        )

    async def _keyed(self, family: Family, request: Any, key: str, lasts: float) -> Job[Any]:
        """Without a journal a key holds within this watcher."""
        place = (family.product.name, family.product.account, key)
        known = self._keys.get(place)
        if known is None:
            known = self._keys[place] = (request, asyncio.ensure_future(self._submit(family, request, key, lasts)))
        if known[0] != request:
            raise JournalConflict(f"the key {key!r} already stands for a different request; nothing was sent", key=key)
        try:
            return await asyncio.shield(known[1])
        except TalkingAvatarError as error:
            # A refusal cost nothing, so the key is free again; a lost create keeps it.
            if not isinstance(error, SubmissionUnknown):
                self._keys.pop(place, None)
            raise

    def _lasts(self, family: Family, deadline: Seconds | None) -> float:
        if deadline is not None:
            return _seconds(deadline)
        return family.product.deadline.total_seconds() if self._deadline is None else self._deadline

    def _detach_open(self) -> None:
        open_jobs = self.jobs
        if open_jobs:
            shown = ", ".join(str(job.ref) for job in open_jobs[:10])
            more = f" and {len(open_jobs) - 10} more" if len(open_jobs) > 10 else ""
            how = "resume()" if self._owed is not None else "attach(ref)"
            log.warning("%d open jobs go on at the service; %s takes them up: %s%s", len(open_jobs), how, shown, more)
        for job in open_jobs:
            job.detach()


def _seconds(duration: Seconds) -> float:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not seconds > 0:
        msg = f"a deadline must be longer than nothing, not {seconds} s; nothing was sent"
        raise ValueError(msg)
    return seconds
