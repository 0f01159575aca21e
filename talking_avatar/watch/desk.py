"""The jobs on a watcher's desk: made here, followed here, and handed on when they settle."""

import asyncio
import logging
import weakref
from functools import partial
from pathlib import Path
from typing import Any

from talking_avatar.errors import ResultExpired, TalkingAvatarError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.delivery import Delivery
from talking_avatar.watch.events import Adopted, Attached, Event, LinkExpiring, Submitted
from talking_avatar.watch.family import Family
from talking_avatar.watch.feed import Feed
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.wire.request_codec import decode_request

__all__ = ["Desk"]

log = logging.getLogger("talking_avatar")

# How long before the end of an undelivered file's link somebody is told.
EXPIRY_WARNING = 600.0


class Desk:
    """Every open job of a watcher."""

    def __init__(self, scheduler: Scheduler, *, download_to: str | Path | None, mask: bool) -> None:
        self.open: set[Job[Any]] = set()
        self.settled = 0
        self.books: Bookkeeping | None = None
        self.delivery = Delivery(scheduler.clock, self.tell)
        self.download_to = download_to
        self._mask = mask
        self._scheduler = scheduler
        self._feeds: list[Feed] = []
        self._deliveries: set[asyncio.Task[None]] = set()

    def accepted(
        self, family: Family, answer: JobResult, entry: Entry | None, request: Any, lasts: float, key: str | None = None
    ) -> Job[Any]:
        """Watch a job from its create's answer."""
        product = family.product
        ref = JobRef(product.service, product.family, answer.id, product.account)
        job = self._job(family, ref, request, key if entry is None else entry.key, lasts, entry)
        job.timed = True
        job.expects_call = _names_webhook(request, entry)
        job.advance(answer)
        self.tell(Submitted(ref=ref, at=self._scheduler.clock.time()))
        family.add(job)
        if answer.status.is_final:
            family.learn(job, answer)
        return job

    def attached(self, family: Family, ref: JobRef, lasts: float) -> Job[Any]:
        """Watch a job that somebody else created."""
        existing = family.jobs.get(ref.id)
        if existing is not None:
            return existing
        job = self._job(family, ref, None, None, lasts, None)
        self.tell(Attached(ref=ref, at=self._scheduler.clock.time()))
        family.add(job)
        return job

    def known(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Watch a job that a journal's entry names; one that had ended is looked at once."""
        ref = entry.ref
        if ref is None:
            raise TalkingAvatarError(f"entry {entry.number} is {entry.state} and has no job to watch")
        existing = family.jobs.get(ref.id)
        if existing is not None:
            return existing
        kept = partial(decode_request, family.product.request_type, entry.payload) if entry.payload else None
        job = self._job(family, ref, kept if request is None else request, entry.key, lasts, entry)
        if entry.accepted_at is not None:
            job.accepted_at -= max(self._scheduler.clock.time() - entry.accepted_at, 0.0)
        family.add(job)
        if entry.state in {EntryState.FINISHED, EntryState.DOWNLOADED}:
            family.look_soon(job)
        return job

    def tell_adopted(self, ref: JobRef) -> None:
        self.tell(Adopted(ref=ref, at=self._scheduler.clock.time()))

    def tell(self, event: Event) -> None:
        """Pass *event* to everyone who follows the whole watcher."""
        for feed in self._feeds:
            feed.push(event)

    def listen(self, feed: Feed) -> None:
        """Send every event from now on to *feed*."""
        self._feeds.append(feed)

    def on_settled(self, job: Job[Any]) -> None:
        """A family has settled *job*."""
        self.open.discard(job)
        self.settled += 1
        if self.books is not None:
            self.books.settled(job)
        if job.error is not None or job.status is not RenderStatus.FINISHED:
            return
        if self.download_to is not None:
            task = asyncio.get_running_loop().create_task(self._deliver(job, self.download_to))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)
        else:
            self._plan_expiry_warning(job)

    async def delivered(self) -> None:
        """Wait for the downloads that are under way."""
        while self._deliveries:
            await asyncio.wait(self._deliveries)

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
        try:
            await job.download(path, mask=self._mask and getattr(job.latest, "mask_video_url", None) is not None)
        except ResultExpired as error:
            log.warning("%s", error)
            if self.books is not None and job.entry is not None:
                await self.books.write(self.books.journal.abandoned(job.entry, str(error)))
        except (TalkingAvatarError, OSError, ValueError) as error:
            log.warning("the file of %s was not brought here: %s", job.ref, error)

    def _plan_expiry_warning(self, job: Job[Any]) -> None:
        expires = getattr(job.latest, "expires_at", None)
        if expires is not None:
            clock = self._scheduler.clock
            wait = expires.timestamp() - EXPIRY_WARNING - clock.time()
            if wait > 0:
                warning = _ExpiryWarning(weakref.ref(job), expires.timestamp(), self)
                self._scheduler.schedule(warning, clock.monotonic() + wait)

    def _job(
        self, family: Family, ref: JobRef, request: Any, key: str | None, lasts: float, entry: Entry | None
    ) -> Job[Any]:
        clock = self._scheduler.clock
        now = clock.monotonic()
        job: Job[Any] = Job(
            family=family, ref=ref, request=request, key=key, now=now, wall=clock.time(), deadline_at=now + lasts
        )
        job.entry = None if entry is None else entry.number
        self.open.add(job)
        return job


def _names_webhook(request: Any, entry: Entry | None) -> bool:
    own = getattr(request, "webhook_url", None)
    return own is not None or (entry is not None and entry.webhook_token is not None)


class _ExpiryWarning:
    """Tells of a link that ends soon, if anybody still holds the job and has not fetched its file."""

    def __init__(self, job: "weakref.ref[Job[Any]]", expires_at: float, desk: Desk) -> None:
        self._job = job
        self._expires_at = expires_at
        self._desk = desk

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        job = self._job()
        if job is not None and not job.delivered:
            log.warning("%s has not been downloaded, and its link ends in %.0f minutes", job.ref, EXPIRY_WARNING / 60)
            event = LinkExpiring(ref=job.ref, at=self._expires_at - EXPIRY_WARNING, expires_at=self._expires_at)
            job.tell(event)
            self._desk.tell(event)
