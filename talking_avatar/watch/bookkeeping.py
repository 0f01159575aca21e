"""A watcher's side of its journal: who holds what, and every step of a job written down."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from talking_avatar.clock import Clock
from talking_avatar.errors import ApiError, JournalError
from talking_avatar.journal.entries import Entry, Intent
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.journal.protocol import Journal
from talking_avatar.models.product import Product
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.wire.request_codec import encode_request, fingerprint

__all__ = ["LEASE", "Bookkeeping"]

log = logging.getLogger("talking_avatar")

LEASE = 60.0
RENEWALS_PER_LEASE = 3


class Bookkeeping:
    """Keeps one journal for one watcher, under a holder name that is new at each start."""

    def __init__(
        self,
        journal: Journal,
        scheduler: Scheduler,
        accounts: frozenset[tuple[str, str]],
        *,
        on_lapsed: Callable[[], Awaitable[None]],
    ) -> None:
        self.journal = journal
        self.accounts = accounts
        self.holder = secrets.token_hex(8)
        self._on_lapsed = on_lapsed
        self._scheduler = scheduler
        self._is_open = False
        self._trouble: JournalError | None = None

    @property
    def clock(self) -> Clock:
        return self._scheduler.clock

    @property
    def until(self) -> float:
        """When a lease taken now ends."""
        return self.clock.time() + LEASE

    async def open(self) -> None:
        """Open the journal; raises `JournalError` before anything is sent."""
        if not self._is_open:
            await self.journal.open()
            self._is_open = True
            self._plan_renewal()

    async def aclose(self) -> None:
        """Give back what is held, so that another process can take it up at once."""
        if not self._is_open:
            return
        self._is_open = False
        self._scheduler.discard(self)
        try:
            await self.journal.release(self.holder)
        except JournalError as error:
            log.warning("the journal could not give back its leases, which end by themselves: %s", error)
        await self.journal.aclose()

    async def plan(self, product: Product[Any, Any], request: Any, key: str | None, token: str | None) -> Entry:
        """The entry of *request*: a new one, or what its *key* stands for already."""
        if self._trouble is not None:
            raise JournalError(
                f"nothing more is submitted because the journal failed: {self._trouble}. What was accepted is still "
                "watched; mend the journal and start again",
            ) from self._trouble
        payload = encode_request(request)
        intent = Intent(
            service=product.service,
            account=product.account,
            family=product.family,
            key=key,
            payload=payload,
            fingerprint=fingerprint(product.name, payload),
            webhook_token=token,
        )
        return (await self.journal.plan([intent], holder=self.holder, until=self.until))[0]

    async def take(self, entry: Entry) -> bool:
        """Whether *entry* is ours to work on: it was nobody's, or its holder's lease has ended."""
        now = self.clock.time()
        if entry.holder == self.holder:
            return True
        return bool(await self.journal.claim_these(self.holder, [entry.number], until=self.until, now=now))

    def settled(self, job: Job[Any]) -> None:
        """Write down how *job* ended, beside everything else."""
        if job.entry is not None and self._is_open:
            self._scheduler.spawn(self.write(self._ending_of(job)))

    async def downloaded(self, job: Job[Any], path: str) -> None:
        """Write down that the file is here."""
        if job.entry is not None and self._is_open:
            # A download may be quicker than the note that the job finished.
            await self.write(self._ending_of(job))
            await self.write(self.journal.downloaded(job.entry, path))

    def saw(self, product: Product[Any, Any], ids: set[str]) -> None:
        """Remember jobs that were at the service while none of our creates was under way."""
        if self._is_open:
            self._scheduler.spawn(self.write(self.journal.remember_ids(product.name, product.account, ids)))

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        """Time to renew the lease."""
        self._plan_renewal()
        self._scheduler.spawn(self.write(self._renew()))

    def _plan_renewal(self) -> None:
        self._scheduler.schedule(self, self.clock.monotonic() + LEASE / RENEWALS_PER_LEASE)

    async def _renew(self) -> None:
        kept = await self.journal.renew(self.holder, self.until)
        if not kept:
            log.warning("the journal's lease had ended, as after a machine's sleep; open jobs are claimed again")
        # Also where it was kept: a dead process's jobs are taken over once its lease ends.
        await self._on_lapsed()

    async def _ending_of(self, job: Job[Any]) -> None:
        number = job.entry
        if number is None:
            return
        if job.error is None:
            expires = getattr(job.latest, "expires_at", None)
            await self.journal.finished(number, expires.timestamp() if expires else None)
        elif job.status.is_final or isinstance(job.error, ApiError):
            await self.journal.failed(number, str(job.error))

    async def write(self, write: Coroutine[Any, Any, Any]) -> None:
        """Keep one fact; a journal that cannot is told of once, and from then on nothing more is submitted."""
        try:
            await write
        except TransitionRefused as error:
            log.debug("somebody else noted it first: %s", error)
        except JournalError as error:
            if self._trouble is None:
                log.error("the journal failed; nothing more is submitted, watching goes on: %s", error)  # noqa: TRY400
            self._trouble = error
