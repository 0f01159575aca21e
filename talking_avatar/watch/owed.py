"""Submissions through a journal: each intent once, whatever happened to the process that had it first."""

import asyncio
import secrets
from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import attrs

from talking_avatar.errors import ApiError, JournalError, RenderFailed, SubmissionUnknown
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.product import JobResult, Listing
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.budget import Purpose
from talking_avatar.transport.retry import Retry
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.roster import Roster
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.submission import submit_once
from talking_avatar.watch.turns import Turns
from talking_avatar.wire.request_codec import decode_request

__all__ = ["Owed", "Watching"]

# How long another process is given to finish a create that it holds.
BETWEEN_LOOKS = 0.5
# A list may lag behind a create, so an absent id is looked for more than once.
LOOKS_FOR_LOST = (0.0, 2.0, 5.0)
_WATCHED = {EntryState.ACCEPTED, EntryState.ADOPTED, EntryState.FINISHED, EntryState.DOWNLOADED}


class Watching(Protocol):
    """What a watcher does with a job once there is one."""

    def accepted(self, family: Family, answer: JobResult, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Watch a job from its create's answer."""
        ...

    def known(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Watch a job that an entry names."""
        ...

    def tell_adopted(self, ref: JobRef) -> None:
        """Announce that a lost job was found."""
        ...


class Owed:
    """What the journal says is owed, and how each piece of it is made good."""

    def __init__(self, books: Bookkeeping, scheduler: Scheduler, watching: Watching, webhook_url: str | None) -> None:
        self.books = books
        self._scheduler = scheduler
        self._watching = watching
        self._webhook_url = webhook_url
        self._under_way: dict[int, asyncio.Future[Job[Any]]] = {}
        self._turns: dict[str, Turns] = {}
        self._with_baseline: set[str] = set()
        self._remembered: dict[str, set[str]] = {}

    async def open(self, families: Iterable[Family]) -> None:
        """Open the journal and take in what it has learned; raises `JournalError` before anything is sent."""
        await self.books.open()
        for family in families:
            samples = await self.books.journal.load_durations(family.product.name)
            family.durations.learn(seconds for seconds, _ in samples)
            family.learned_before = family.durations.seen
            if family.lists:
                family.on_ids_seen = partial(self._remember, family)

    async def aclose(self, families: Iterable[Family]) -> None:
        """Keep what was learned, and give back what is held."""
        for family in families:
            if family.durations.seen > family.learned_before:
                samples = [(seconds, 1.0) for seconds in family.durations.samples()]
                await self.books.write(self.books.journal.save_durations(family.product.name, samples))
        await self.books.aclose()

    async def submit(self, family: Family, request: Any, *, key: str | None, lasts: float) -> Job[Any]:
        """The job of *request*: a new one, or the one that *key* stands for."""
        token = secrets.token_urlsafe(16) if self._takes_webhooks(request) else None
        entry = await self.books.plan(family.product, request, key, token)
        return await self.proceed(family, entry, request, lasts=lasts)

    async def proceed(self, family: Family, entry: Entry, request: Any, *, lasts: float) -> Job[Any]:
        """Bring *entry* on from where it stands; a request is only sent where it provably was not before."""
        under_way = self._under_way.get(entry.number)
        if under_way is not None:
            return await asyncio.shield(under_way)
        promise = self._under_way[entry.number] = asyncio.get_running_loop().create_future()
        try:
            job = await self._from_where_it_stands(family, entry, request, lasts)
        except BaseException as error:
            if isinstance(error, Exception):
                promise.set_exception(error)
                promise.exception()  # whoever shares it may be nobody
            else:
                promise.cancel()
            raise
        else:
            promise.set_result(job)
            return job
        finally:
            del self._under_way[entry.number]

    async def adopt(self, entry: Entry, family: Family, job_id: str, *, lasts: float) -> Job[Any]:
        """The caller, a callback or a list says that this unknown create became *job_id*."""
        await self.books.journal.adopted(entry.number, job_id)
        adopted = attrs.evolve(entry, state=EntryState.ADOPTED, job_id=job_id)
        job = self._watching.known(family, adopted, self.request_of(family, entry), lasts)
        self._watching.tell_adopted(job.ref)
        return job

    async def resubmit(self, entry: Entry, family: Family, *, lasts: float) -> Job[Any]:
        """The caller says that the create is to be sent again."""
        await self.books.journal.resubmitted(entry.number)
        planned = attrs.evolve(entry, state=EntryState.PLANNED, holder=None)
        return await self.proceed(family, planned, self.request_of(family, entry), lasts=lasts)

    async def adopt_as(self, number: int, ref: JobRef, roster: Roster, lasts: float) -> Job[Any]:
        """`adopt` by the entry's number."""
        return await self.adopt(await self._entry(number), roster.reads(ref), ref.id, lasts=lasts)

    async def resubmit_as(self, number: int, roster: Roster) -> Job[Any]:
        """`resubmit` by the entry's number."""
        entry = await self._entry(number)
        family = roster.by_place[entry.service, entry.account, entry.family]
        return await self.resubmit(entry, family, lasts=family.product.deadline.total_seconds())

    async def abandon(self, number: int) -> None:
        """The caller says that nobody needs this create any more."""
        await self.books.journal.abandoned(number)

    async def settle_by_token(self, token: str, job_id: str, roster: Roster) -> None:
        """A callback to a create's own URL proves which job it became."""
        entry = await self.books.journal.by_token(token)
        if entry is None or entry.state not in {EntryState.SENT, EntryState.UNKNOWN} or entry.number in self._under_way:
            return
        family = roster.by_place.get((entry.service, entry.account, entry.family))
        if family is not None and await self.books.take(entry):
            if entry.state is EntryState.SENT:
                await self.books.journal.unknown(entry.number, "a callback came before its answer")
            await self.adopt(entry, family, job_id, lasts=family.product.deadline.total_seconds())

    async def _entry(self, number: int) -> Entry:
        entry = await self.books.journal.get(number)
        if entry is None:
            raise JournalError(f"the journal has no entry {number}")
        return entry

    def _remember(self, family: Family, ids: set[str]) -> None:
        fresh = ids - self._remembered.setdefault(family.product.name, set())
        if fresh:
            self._remembered[family.product.name] |= fresh
            self.books.saw(family.product, fresh)

    @staticmethod
    def request_of(family: Family, entry: Entry) -> Any:
        """The request that an entry keeps, None for a job attached from elsewhere."""
        return decode_request(family.product.request_type, entry.payload) if entry.payload else None

    async def _from_where_it_stands(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        while entry.state in {EntryState.PLANNED, EntryState.SENT} and not await self.books.take(entry):
            # Another process holds it; its answer will be in the journal, or its lease will end.
            await self.books.clock.sleep(BETWEEN_LOOKS)
            entry = await self.books.journal.get(entry.number) or entry
        if entry.state in _WATCHED:
            await self.books.take(entry)
            return self._watching.known(family, entry, request, lasts)
        if entry.state is EntryState.SENT:
            await self.books.journal.unknown(entry.number, "the process ended while its create was on the way")
        if entry.state in {EntryState.SENT, EntryState.UNKNOWN}:
            return await self._find_lost(family, entry, request, lasts)
        if entry.state is EntryState.FAILED and entry.job_id is None:
            await self.books.journal.resubmitted(entry.number)
        elif entry.state is not EntryState.PLANNED:
            raise _at_its_end(entry, request)
        return await self._create(family, entry, request, lasts)

    async def _create(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        sent = self._with_webhook(request, entry.webhook_token)
        if not family.lists:
            return await self._send(family, entry, request, sent, lasts)
        async with self._turn(family).mine():
            await self._ensure_baseline(family)
            return await self._send(family, entry, request, sent, lasts)

    async def _send(self, family: Family, entry: Entry, request: Any, sent: Any, lasts: float) -> Job[Any]:
        family.creating += 1
        try:
            return await submit_once(
                family,
                sent,
                self._scheduler,
                notes=_Written(self.books, entry.number),
                watch=lambda answer: self._watching.accepted(family, answer, entry, request, lasts),
                give_up_at=self.books.clock.monotonic() + lasts,
            )
        except SubmissionUnknown:
            return await self._find_lost(family, entry, request, lasts)
        finally:
            family.creating -= 1

    async def _find_lost(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Adopt the one new job that can only be ours, or raise `SubmissionUnknown` with what there is."""
        candidates: set[str] = set()
        if family.lists:
            product = family.product
            for wait in LOOKS_FOR_LOST:
                await self.books.clock.sleep(wait)
                candidates = await self.strangers(family)
                if candidates:
                    break
            if len(candidates) == 1 and await self._is_only_unknown(entry):
                return await self.adopt(entry, family, candidates.pop(), lasts=lasts)
            refs = tuple(JobRef(product.service, product.family, i, product.account) for i in sorted(candidates))
        else:
            refs = ()
        raise self.unknown(family, entry, request, refs)

    async def strangers(self, family: Family) -> set[str]:
        """Jobs at the service that neither were there before nor are in the journal."""
        product = family.product

        async def look() -> Listing:
            async with family.gate.passing(Purpose.READ):
                return await product.listing()  # type: ignore[misc]

        listing = await Retry().run(look, idempotent=True, clock=self.books.clock, rng=self._scheduler.rng)
        return set(listing.words) - await self.books.journal.known_ids(product.name, product.account)

    async def _is_only_unknown(self, entry: Entry) -> bool:
        lost = {EntryState.UNKNOWN, EntryState.SENT}
        async for other in self.books.journal.open_entries(accounts=[(entry.service, entry.account)]):
            if other.number != entry.number and other.product == entry.product and other.state in lost:
                return False
        return True

    async def _ensure_baseline(self, family: Family) -> None:
        product = family.product
        name = f"{product.name}@{product.account}"
        if name not in self._with_baseline:
            ids = await self.strangers(family)
            await self.books.journal.remember_ids(product.name, product.account, ids)
            self._with_baseline.add(name)

    def unknown(self, family: Family, entry: Entry, request: Any, candidates: tuple[JobRef, ...]) -> SubmissionUnknown:
        """The error that leaves the choice to the caller."""
        product = family.product
        found = f"{len(candidates)} jobs there could be it" if family.lists else "the service cannot list its jobs"
        return SubmissionUnknown(
            f"the create {entry.number}{f' (key {entry.key!r})' if entry.key else ''} left for {product.name} and its "
            f"answer was lost; {found}. It may be paid, so it is not sent again on its own: await error.adopt(ref), "
            "error.abandon() or error.resubmit()",
            request=request,
            key=entry.key,
            intent=entry.number,
            candidates=candidates,
        )

    def _turn(self, family: Family) -> Turns:
        product = family.product
        name = f"create:{product.name}@{product.account}"
        if name not in self._turns:
            self._turns[name] = Turns(name, self.books)
        return self._turns[name]

    def _takes_webhooks(self, request: Any) -> bool:
        return self._webhook_url is not None and hasattr(request, "webhook_url") and request.webhook_url is None

    def _with_webhook(self, request: Any, token: str | None) -> Any:
        if token is None or self._webhook_url is None:
            return request
        joint = "&" if "?" in self._webhook_url else "?"
        return attrs.evolve(request, webhook_url=f"{self._webhook_url}{joint}{urlencode({'job': token})}")


@attrs.frozen
class _Written:
    """Notes of one create, in the journal before the step they tell of."""

    _books: Bookkeeping
    _number: int

    async def leaving(self) -> None:
        await self._books.journal.sent(self._number)

    async def never_left(self) -> None:
        await self._kept(self._books.journal.unsent(self._number))

    async def refused(self, error: ApiError) -> None:
        await self._kept(self._books.journal.failed(self._number, str(error)))

    async def lost(self, error: Exception) -> None:
        await self._kept(self._books.journal.unknown(self._number, str(error)))

    async def accepted(self, answer: JobResult) -> None:
        # The id is here even where the disk fails now: the job is watched, and further creates stop.
        await self._kept(self._books.journal.accepted(self._number, answer.id))

    async def _kept(self, write: Any) -> None:
        await self._books.write(write)


def _at_its_end(entry: Entry, request: Any) -> Exception:
    what = f"entry {entry.number}{f' (key {entry.key!r})' if entry.key else ''}"
    if entry.state is EntryState.FAILED:
        return RenderFailed(
            f"{what} failed at the service as {entry.ref}: {entry.error}. It is not rendered again under this key; "
            "submit it under another one for a new render",
            ref=entry.ref,
            reason=entry.error or "",
        )
    if entry.state is EntryState.ABANDONED:
        return SubmissionUnknown(
            f"{what} was abandoned when its answer had been lost; await error.resubmit() to send it again",
            request=request,
            key=entry.key,
            intent=entry.number,
        )
    return JournalError(f"{what} is {entry.state}, which this version cannot bring on")
