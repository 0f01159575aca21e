"""The watcher: every job of any number of accounts on one timer."""

import asyncio
import logging
import random
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, overload

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import (
    Closed,
    ConfigurationError,
    SubmissionUnknown,
    TalkingAvatarError,
)
from talking_avatar.journal.protocol import Journal
from talking_avatar.models.product import JobResult, Product, Request
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.batch import Batch, as_completed
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.cadence import Cadence, as_cadence
from talking_avatar.watch.decisions import Decisions
from talking_avatar.watch.desk import Desk
from talking_avatar.watch.family import Family
from talking_avatar.watch.feed import Feed
from talking_avatar.watch.job import Job
from talking_avatar.watch.owed import Owed
from talking_avatar.watch.resumption import Resumed, Resumption
from talking_avatar.watch.roster import Client, Roster
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.stats import WatcherStats
from talking_avatar.watch.unjournaled import Unjournaled

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
        self._desk = Desk(
            self._scheduler, download_to=download_dir, mask=download_masks, called_back=webhook_url is not None
        )
        self._roster = Roster()
        for product in (product for client in clients for product in client.products):
            self._roster.add(self._family(product, as_cadence(cadence)))
        self._unjournaled = Unjournaled(self._scheduler, self._desk)
        self._owed = self._owing(journal, webhook_url)
        self._resumption = None if self._owed is None else Resumption(self._owed, self._roster.by_place, self._desk)
        self._decisions = None if self._owed is None else Decisions(self._owed, self._roster)
        self._creates = 0
        self._started = self._closed = False
        self._starting = asyncio.Lock()

    async def start(self) -> Self:
        """Begin to watch; `submit` and `attach` do it by themselves. Raises `JournalError` before anything is sent."""
        if self._closed:
            msg = "this watcher has been closed; make a new one and attach the jobs by their refs"
            raise Closed(msg)
        async with self._starting:
            if not self._started:
                if self._owed is not None:
                    await self._owed.open()
                self._started = True
        # Every time, because the event loop that ran it may have ended.
        self._scheduler.start()
        return self

    async def aclose(self) -> None:
        """Watch no more; open jobs go on at their services, and a log line names the refs to attach them by.

        What has left is seen accepted, and downloads under way are finished; whoever still waits gets `Closed`.
        """
        await self._close(deliver=True)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        while kind is None and self._on_exit == "wait" and self._desk.open:
            await next(iter(self._desk.open)).wait()
        left_open = [str(job.ref) for job in self._desk.open]
        await self._close(deliver=kind is None)
        if kind is None and self._on_exit == "raise" and left_open:
            msg = f"{len(left_open)} jobs were still open: {', '.join(left_open[:10])}. They go on; attach them by ref"
            raise TalkingAvatarError(msg)

    async def _close(self, *, deliver: bool) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._unjournaled.aclose()
            if self._owed is not None:
                await self._owed.call_off()
            self._detach_open()
            if deliver:
                await self._desk.delivered()
        finally:
            self._started = False
            await self._scheduler.aclose()
            await self._desk.aclose()
            if self._owed is not None:
                await self._owed.aclose()

    @overload
    async def submit(
        self, request: Request[T], *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Job[T]: ...
    @overload
    async def submit(
        self, request: Any, *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Job[Any]: ...
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
        self._creates += 1
        try:
            return await (self._owed or self._unjournaled).submit(family, request, key=key, lasts=lasts)
        except SubmissionUnknown as error:
            raise error.offer(self)  # noqa: B904 - the same error, with its choices

    @overload
    async def render(
        self, request: Request[T], *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> T: ...
    @overload
    async def render(
        self, request: Any, *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Any: ...
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
        entry = None if self._owed is None else await self._owed.attached(ref)
        return self._desk.attached(family, ref, self._lasts(family, deadline), entry)

    async def resume(self, *, deadline: Seconds | None = None) -> Resumed:
        """Take up what the journal says is open: watch what was accepted, send what was planned, download what is
        finished (where there is a *download_dir*), and report what nobody knows.

        From then on this watcher also takes over the jobs of a process that dies.
        """
        await self.start()
        if self._resumption is None:
            msg = "resume() takes up what a journal keeps: JobWatcher(…, journal='renders.db')"
            raise ConfigurationError(msg)
        resumed = await self._resumption.resume(lambda family: self._lasts(family, deadline))
        for error in resumed.unknown:
            error.offer(self)
        return resumed

    async def adopt(self, lost: SubmissionUnknown, ref: JobRef | str) -> Job[Any]:
        """Say that *ref* is the job of a lost create."""
        ref = JobRef.parse(ref)
        self._roster.reads(ref)
        if self._decisions is not None and lost.intent is not None:
            return await self._decisions.adopt(lost.intent, ref)
        job = await self.attach(ref)
        self._unjournaled.decided(lost, job)
        return job

    async def abandon(self, lost: SubmissionUnknown) -> None:
        """Say that nobody needs a lost create any more."""
        if self._decisions is not None and lost.intent is not None:
            await self._decisions.abandon(lost.intent)
        self._unjournaled.decided(lost, None)

    async def resubmit(self, lost: SubmissionUnknown) -> Job[Any]:
        """Send a lost create again, although it may be paid already."""
        if self._decisions is None or lost.intent is None:
            self._unjournaled.decided(lost, None)
            return await self.submit(lost.request, key=lost.key)
        try:
            return await self._decisions.resubmit(lost.intent)
        except SubmissionUnknown as error:
            raise error.offer(self)  # noqa: B904 - the same error, with its choices

    async def as_completed(self, jobs: Iterable[Job[T]]) -> AsyncIterator[Job[T]]:
        """The jobs in the order they settle."""
        async with aclosing(as_completed(jobs)) as settled:
            async for job in settled:
                yield job

    def events(self, *, size: int = 1_000) -> Feed:
        """Everything that happens to any job from now on; a reader that lags more than *size* loses the oldest."""
        feed = Feed(size=size, ends=False)
        self._desk.listen(feed)
        return feed

    def wake(self, job_id: str, status: RenderStatus | None = None) -> bool:
        """Look at a job as soon as the budget allows, because somebody says that it changed; False if it is unknown.

        Made to be the *wake* of a `WebhookReceiver`. A *status* is no result, but one of a running job is not worth a
        look.
        """
        for family in self._roster:
            job = family.jobs.get(job_id)
            if job is not None:
                if status not in {RenderStatus.PENDING, RenderStatus.PROCESSING}:
                    family.look_soon(job)
                return True
        return False

    def settle(self, token: str, job_id: str) -> None:
        """A callback came to the URL of the create that carried *token*; the *settle* of a `WebhookReceiver`."""
        if self._owed is not None and not self._closed:
            self._owed.books.begin(self._settle(token, job_id))

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
            on_detached=self._desk.open.discard,
            fetch=self._desk.fetch,
        )

    def _owing(self, journal: Journal | str | PathLike[str] | None, webhook_url: str | None) -> Owed | None:
        if journal is None:
            return None
        closes = isinstance(journal, str | PathLike)
        if isinstance(journal, str | PathLike):
            from talking_avatar.journal.sqlite import SqliteJournal  # noqa: PLC0415 - not everybody keeps one

            journal = SqliteJournal(journal, clock=self._clock)
        accounts = frozenset((family.product.service, family.product.account) for family in self._roster)
        books = Bookkeeping(journal, self._scheduler, accounts, closes=closes, on_renewed=self._renewed)
        self._desk.books = books
        return Owed(
            books,
            self._scheduler,
            self._desk,
            roster=self._roster,
            webhook_url=webhook_url,
            lasts=lambda family: self._lasts(family, None),
        )

    async def _settle(self, token: str, job_id: str) -> None:
        # A web server may receive before anything was submitted here.
        await self.start()
        if self._decisions is not None:
            await self._decisions.settle(token, job_id)

    async def _renewed(self, kept: bool) -> None:  # noqa: FBT001 - what a lease's renewal answers
        if self._owed is not None and self._resumption is not None:
            await self._owed.save_learned()
            # Not waited for: it may send creates, and the next renewal must not be late.
            self._scheduler.spawn(self._resumption.renewed(kept=kept))

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
