"""The jobs on a watcher's desk: made here, followed here, and handed on when they settle."""

import asyncio
import logging
import weakref
from functools import partial
from pathlib import Path
from typing import Any

from talking_avatar.download import file_for_each
from talking_avatar.errors import ResultExpired, TalkingAvatarError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.delivery import Delivery
from talking_avatar.watch.events import Adopted, Attached, Event, Submitted
from talking_avatar.watch.family import Family
from talking_avatar.watch.feed import Feed
from talking_avatar.watch.job import Job
from talking_avatar.watch.reminders import DeliverAgain, ExpiryWarning
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.wire.request_codec import decode_request

__all__ = ["Desk"]

log = logging.getLogger("talking_avatar")

DELIVERIES_AT_ONCE = 4
_HAS_ENDED = {EntryState.FINISHED, EntryState.DOWNLOADED}


class Desk:
    """Every open job of a watcher."""

    def __init__(
        self, scheduler: Scheduler, *, download_to: str | Path | None, mask: bool, called_back: bool = False
    ) -> None:
        self.open: set[Job[Any]] = set()
        self.settled = 0
        self.books: Bookkeeping | None = None
        self.delivery = Delivery(scheduler.clock, self.tell, at_once=DELIVERIES_AT_ONCE)
        self.download_to = None if download_to is None else file_for_each(download_to)
        self._mask = mask
        self._called_back = called_back
        self._scheduler = scheduler
        # A reader that lets go of its feed has left.
        self._feeds: weakref.WeakSet[Feed] = weakref.WeakSet()
        self._by_entry: weakref.WeakValueDictionary[int, Job[Any]] = weakref.WeakValueDictionary()
        self._deliveries: dict[asyncio.Task[None], Job[Any]] = {}
        # In the order they came, which is that of their links' ends.
        self._places = asyncio.Semaphore(DELIVERIES_AT_ONCE)

    def accepted(
        self,
        family: Family,
        answer: JobResult,
        entry: Entry | None,
        request: Any,
        lasts: float,
        key: str | None = None,
        *,
        called: bool = False,
    ) -> Job[Any]:
        """Watch a job from its create's answer; *called* when the service will call back."""
        product = family.product
        ref = JobRef(product.service, product.family, answer.id, product.account)
        told = getattr(answer, "ref", None)
        # Equal refs of a hundred thousand jobs weigh something.
        ref = told if told == ref else ref
        watched = family.jobs.get(ref.id)
        if watched is not None:
            # A service of yours may know by itself that it has this already.
            family.learn(watched, answer)
            return watched
        job = self._job(family, ref, request, key if entry is None else entry.key, lasts, entry)
        job.timed = True
        # How long it speaks, where its request tells.
        job.scale = getattr(request, "spoken_seconds", None) or 1.0
        job.expects_call = called
        job.advance(answer)
        self.tell(Submitted(ref=ref, at=self._scheduler.clock.time()))
        family.add(job)
        if answer.status.is_final:
            family.learn(job, answer)
        return job

    def attached(self, family: Family, ref: JobRef, lasts: float, entry: Entry | None = None) -> Job[Any]:
        """Watch a job that somebody else created."""
        existing = family.jobs.get(ref.id)
        if existing is not None:
            return existing
        job = self._job(family, ref, None, None if entry is None else entry.key, lasts, entry)
        self.tell(Attached(ref=ref, at=self._scheduler.clock.time()))
        family.add(job)
        return job

    def known(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """The job that a journal's entry names, watched; one that had ended is looked at once."""
        ref = entry.ref
        if ref is None:
            raise TalkingAvatarError(f"entry {entry.number} is {entry.state} and has no job to watch")
        existing = family.jobs.get(ref.id) or self._ended_well(entry.number)
        if existing is not None:
            return existing
        kept = partial(decode_request, family.product.request_type, entry.payload) if entry.payload else None
        job = self._job(family, ref, kept if request is None else request, entry.key, lasts, entry)
        job.expects_call = self._called_back and entry.webhook_token is not None
        if entry.accepted_at is not None:
            job.accepted_at -= max(self._scheduler.clock.time() - entry.accepted_at, 0.0)
        family.add(job)
        if entry.state in _HAS_ENDED:
            family.look_soon(job)
        return job

    def is_at_work(self, number: int) -> bool:
        """Whether the job of an entry is watched, or its file on its way."""
        job = self._by_entry.get(number)
        return job is not None and (not job.settled or job in self._deliveries.values())

    def tell_adopted(self, ref: JobRef) -> None:
        self.tell(Adopted(ref=ref, at=self._scheduler.clock.time()))

    def tell(self, event: Event) -> None:
        """Pass *event* to everyone who follows the whole watcher."""
        # Iterating over a weak set costs more than all the rest, and mostly nobody listens.
        for feed in self._feeds or ():
            feed.push(event)

    def listen(self, feed: Feed) -> None:
        """Send every event from now on to *feed*."""
        self._feeds.add(feed)

    def on_settled(self, job: Job[Any]) -> None:
        """A family has settled *job*."""
        self.open.discard(job)
        self.settled += 1
        if self.books is not None:
            self.books.settled(job)
        if job.error is not None or job.status is not RenderStatus.FINISHED:
            return
        if self.download_to is not None:
            self.deliver(job)
        else:
            self._plan_warning(job)

    def deliver(self, job: Job[Any]) -> None:
        """Bring the file of a finished *job* to where the watcher's files go, beside everything else."""
        if self.download_to is not None:
            task = asyncio.get_running_loop().create_task(self._deliver(job, self.download_to))
            self._deliveries[task] = job
            task.add_done_callback(lambda task: self._deliveries.pop(task, None))

    async def delivered(self) -> None:
        """Wait for the downloads that are under way."""
        while self._deliveries:
            await asyncio.wait(tuple(self._deliveries))

    async def fetch(self, family: Family, job: Job[Any], path: str | Path, **options: Any) -> Path:
        """Bring a job's file here and note it."""
        here = await self.delivery.fetch(family, job, path, **options)
        job.delivered = True
        if self.books is not None:
            await self.books.downloaded(job, str(here))
        return here

    async def aclose(self) -> None:
        """Stop downloads, whose part files stay, and end every feed."""
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self.delivery.aclose()
        for feed in self._feeds:
            feed.close()

    async def _deliver(self, job: Job[Any], path: str | Path) -> None:
        if getattr(job.latest, "video_url", None) is None and getattr(job.latest, "url", None) is None:
            return  # an avatar or a voice has no file
        try:
            async with self._places:
                await job.download(path, mask=self._mask and getattr(job.latest, "mask_video_url", None) is not None)
        except ResultExpired as error:
            log.warning("%s", error)
            if self.books is not None and job.entry is not None:
                await self.books.keep(partial(self.books.journal.abandoned, job.entry, str(error)))
        except (TalkingAvatarError, OSError) as error:
            log.warning("the file of %s was not brought here, and is tried again later: %s", job.ref, error)
            DeliverAgain(job, self.deliver).plan(self._scheduler)

    def _plan_warning(self, job: Job[Any]) -> None:
        expires = getattr(job.latest, "expires_at", None)
        if expires is not None:
            ExpiryWarning(job, expires.timestamp(), self.tell).plan(self._scheduler)

    def _ended_well(self, number: int) -> Job[Any] | None:
        job = self._by_entry.get(number)
        return job if job is not None and job.settled and job.error is None else None

    def _job(
        self, family: Family, ref: JobRef, request: Any, key: str | None, lasts: float, entry: Entry | None
    ) -> Job[Any]:
        clock = self._scheduler.clock
        now = clock.monotonic()
        job: Job[Any] = Job(
            family=family, ref=ref, request=request, key=key, now=now, wall=clock.time(), deadline_at=now + lasts
        )
        self.open.add(job)
        if entry is not None:
            job.entry = entry.number
            self._by_entry[entry.number] = job
        return job
