"""A watcher's side of its journal: who holds what, and every step of a job written down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, cast

from talking_avatar.clock import Clock
from talking_avatar.errors import (
    ConfigurationError,
    InvalidRequest,
    JournalError,
    NotFound,
    ResultExpired,
    TalkingAvatarError,
)
from talking_avatar.journal.entries import Entry, Intent
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.journal.protocol import Journal
from talking_avatar.models.product import Product
from talking_avatar.watch.job import Job
from talking_avatar.watch.presence import has_ended, new_holder
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.wire.request_codec import encode_request, fingerprint

__all__ = ["LEASE", "Bookkeeping", "Fact"]

log = logging.getLogger("talking_avatar")

LEASE = 60.0
RENEWALS_PER_LEASE = 3

Fact = Callable[[], Awaitable[None]]
"""One write that can be tried again."""


class Bookkeeping:
    """Keeps one journal for one watcher, under a holder name that is new at each start.

    *on_renewed* is told, three times in each lease, whether the lease was still there.
    """

    def __init__(
        self,
        journal: Journal,
        scheduler: Scheduler,
        accounts: frozenset[tuple[str, str]],
        *,
        closes: bool,
        on_renewed: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.journal = journal
        self.accounts = accounts
        self.holder = new_holder()
        self._closes = closes
        self._on_renewed = on_renewed
        self._scheduler = scheduler
        self._is_open = self._leased = False
        self._trouble: JournalError | None = None
        self._unkept: list[Fact] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewing = False

    @property
    def clock(self) -> Clock:
        return self._scheduler.clock

    @property
    def until(self) -> float:
        """When a lease taken now ends."""
        return self.clock.time() + LEASE

    async def open(self) -> None:
        """Open the journal; raises `JournalError` before anything is sent."""
        await self.journal.open()
        await self._free_the_ended()
        self._is_open = True
        self._plan_renewal()

    async def aclose(self) -> None:
        """Finish what is to be written, and give back what is held, so that another process can take it up at once."""
        if not self._is_open:
            return
        self._scheduler.discard(self)
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._is_open = False
        try:
            await self._catch_up()
            await self.journal.release(self.holder)
        except JournalError as error:
            log.warning("the journal could not be brought up to date; leases in it end by themselves: %s", error)
        if self._closes:
            await self.journal.aclose()

    async def plan(self, product: Product[Any, Any], request: Any, key: str | None, token: str | None) -> Entry:
        """The entry of *request*: a new one, or what its *key* stands for already."""
        if self._trouble is not None:
            raise JournalError(
                f"nothing more is submitted because the journal failed: {self._trouble}. What was accepted is still "
                "watched, and the journal is tried again every few seconds",
            ) from self._trouble
        payload = encode_request(request)
        intent = Intent(
            service=product.service,
            account=product.account,
            family=product.family,
            key=_checked(key),
            payload=payload,
            fingerprint=fingerprint(product.name, payload),
            webhook_token=token,
        )
        # While the lease is kept alive there is no need to write it with every intent.
        until = None if self._leased else self.until
        (entry,) = await self.journal.plan([intent], holder=self.holder, until=until)
        self._leased = self._leased or entry.holder == self.holder
        return entry

    async def take(self, *entries: Entry, seize: bool = False) -> set[int]:
        """The numbers of those that are ours to work on: they were nobody's, or their holder has ended."""
        mine = {entry.number for entry in entries if entry.holder == self.holder}
        others = [entry.number for entry in entries if entry.number not in mine]
        if others:
            claimed = await self.journal.claim_these(
                self.holder, others, until=self.until, now=self.clock.time(), seize=seize
            )
            mine |= {entry.number for entry in claimed}
        return mine

    async def keep(self, fact: Fact) -> bool:
        """Write one fact, and say whether it was written.

        What cannot be is told of once and tried again at each renewal; until it is kept, nothing more is submitted.
        """
        if self._unkept:
            # Behind what it may build on.
            self._unkept.append(fact)
            return False
        try:
            await _told(fact)
        except JournalError as error:
            self._unkept.append(fact)
            self.note(error)
            return False
        return True

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Do *work* with the journal beside everything else; closing waits for it."""
        task = asyncio.get_running_loop().create_task(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def settled(self, job: Job[Any]) -> None:
        """Write down how *job* ended, beside everything else."""
        ending = self._ending_of(job)
        if ending is not None and self._is_open:
            self.begin(self.keep(ending))

    async def downloaded(self, job: Job[Any], path: str) -> None:
        """Write down that the file is here."""
        # A download may be quicker than the note that the job finished.
        ending = self._ending_of(job)
        if job.entry is not None and ending is not None and self._is_open:
            await self.keep(ending)
            await self.keep(partial(self.journal.downloaded, job.entry, path))

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        """Time to renew the lease."""
        self._plan_renewal()
        if not self._renewing:
            self._renewing = True
            self.begin(self._renew())

    def _plan_renewal(self) -> None:
        self._scheduler.schedule(self, self.clock.monotonic() + LEASE / RENEWALS_PER_LEASE)

    async def _renew(self) -> None:
        try:
            await self._catch_up()
            await self._free_the_ended()
            kept = self._leased = await self.journal.renew(self.holder, self.until)
        except JournalError as error:
            self.note(error)
        else:
            self._mended()
            # Also where it was kept: a process may have ended meanwhile.
            await self._on_renewed(kept)
        finally:
            self._renewing = False

    async def _free_the_ended(self) -> None:
        for holder in await self.journal.holders():
            if has_ended(holder):
                await self.journal.release(holder)

    async def _catch_up(self) -> None:
        while self._unkept:
            await _told(self._unkept[0])
            del self._unkept[0]

    def _ending_of(self, job: Job[Any]) -> Fact | None:
        number, journal = job.entry, self.journal
        if number is None:
            return None
        if job.error is None:
            expires = getattr(job.latest, "expires_at", None)
            return partial(journal.finished, number, expires.timestamp() if expires else None)
        if isinstance(job.error, ResultExpired):
            return partial(journal.abandoned, number, str(job.error))
        # Only what ended at the service has ended: after a deadline, or with a token that no longer works, it goes on.
        if job.status.is_final:
            return partial(journal.failed, number, str(job.error))
        if isinstance(job.error, NotFound | InvalidRequest):
            return partial(self._is_gone, number, str(job.error))
        return None

    async def _is_gone(self, number: int, why: str) -> None:
        try:
            await self.journal.failed(number, why)
        except TransitionRefused:
            # It had finished once, so what is gone is its result.
            await self.journal.abandoned(number, why)

    async def _quietly(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except JournalError as error:
            self.note(error)
        except TalkingAvatarError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("work with the journal ended in a way it should not; please report this")

    def note(self, error: JournalError) -> None:
        """The journal failed: tell of it once, and submit nothing more until it can be written again."""
        if self._trouble is None:
            log.error("the journal failed; nothing more is submitted, watching goes on: %s", error)
        self._trouble = error

    def _mended(self) -> None:
        if self._trouble is not None and not self._unkept:
            log.warning("the journal can be written again, and nothing is missing in it; creates go on")
            self._trouble = None


async def _told(fact: Fact) -> None:
    try:
        await fact()
    except TransitionRefused as error:
        log.debug("somebody else noted it first: %s", error)


def _checked(key: str | None) -> str | None:
    if key is None:
        return None
    if not isinstance(cast(object, key), str) or not key:
        raise ConfigurationError(f"a key is a text that names one render, not {key!r}; nothing was sent")
    try:
        key.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"the key {key!r} is no Unicode text and cannot be kept; nothing was sent") from None
    return key
