"""Submissions through a journal: each intent once, whatever happened to the process that had it first."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

from talking_avatar.errors import JournalError, SubmissionUnknown, TalkingAvatarError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.lost import Lost
from talking_avatar.watch.roster import Roster
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.sharing import Sharing
from talking_avatar.watch.submission import submit_once
from talking_avatar.watch.turns import Turns
from talking_avatar.watch.verdicts import at_its_end, lost
from talking_avatar.watch.written import Written
from talking_avatar.wire.request_codec import decode_request, with_webhook

__all__ = ["Owed", "Watching"]

# How soon to look again whether another process is through with a create that it holds.
BETWEEN_LOOKS = 0.5
_S = EntryState
_HAS_JOB = {_S.ACCEPTED, _S.ADOPTED, _S.FINISHED, _S.DOWNLOADED}


class Watching(Protocol):
    """What a watcher does with a job once there is one."""

    def accepted(
        self, family: Family, answer: JobResult, entry: Entry, request: Any, lasts: float, *, called: bool
    ) -> Job[Any]:
        """Watch a job from its create's answer; *called* when the service will call back."""
        ...

    def known(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Watch a job that an entry names."""
        ...

    def tell_adopted(self, ref: JobRef) -> None:
        """Announce that a lost job was found."""
        ...


class Owed:
    """What the journal says is owed, and how each piece of it is made good."""

    def __init__(
        self,
        books: Bookkeeping,
        scheduler: Scheduler,
        watching: Watching,
        *,
        roster: Roster,
        webhook_url: str | None,
        lasts: Callable[[Family], float],
    ) -> None:
        self.books = books
        self.lasts = lasts
        self._scheduler = scheduler
        self._watching = watching
        self._roster = roster
        self._webhook_url = webhook_url
        self._sharing = Sharing()
        self.lost = Lost(books, scheduler)
        self._turns: dict[str, Turns] = {}
        self._in_hand: set[int] = set()
        self._is_open = self._closing = False

    async def open(self) -> None:
        """Open the journal and take in what it has learned; raises `JournalError` before anything is sent."""
        await self.books.open()
        for family in self._roster:
            samples = await self.books.journal.load_durations(family.product.name)
            family.durations.learn(seconds for seconds, _ in samples)
            family.learned_before = family.durations.seen
            if family.lists:
                family.on_ids_seen = partial(self.lost.saw, family)
        self._is_open = True

    async def call_off(self) -> None:
        """Send nothing more, and see what has left accepted."""
        self._closing = True
        await self._sharing.aclose()

    async def aclose(self) -> None:
        """Keep what was learned, and give back what is held."""
        if self._is_open:
            await self.save_learned()
        await self.books.aclose()

    async def save_learned(self) -> None:
        """Keep how long renders take, where that is news."""
        for family in self._roster:
            if family.durations.seen > family.learned_before:
                family.learned_before = family.durations.seen
                samples = [(seconds, 1.0) for seconds in family.durations.samples()]
                await self.books.keep(partial(self.books.journal.save_durations, family.product.name, samples))

    async def submit(self, family: Family, request: Any, *, key: str | None, lasts: float) -> Job[Any]:
        """The job of *request*: a new one, or the one that *key* stands for."""
        product = family.product
        name = object() if key is None else (product.service, product.account, key)
        return await self._sharing.join(
            name, (product.family, request), lambda: self._planned(family, request, key, lasts)
        )

    async def proceed(self, family: Family, entry: Entry, *, lasts: float) -> Job[Any]:
        """Bring *entry* on from where it stands; a request is only sent where it provably was not before."""
        request = self.request_of(family, entry)
        name = entry.number if entry.key is None else (entry.service, entry.account, entry.key)
        return await self._sharing.join(
            name, (entry.family, request), lambda: self._brought_on(family, entry, request, lasts)
        )

    async def attached(self, ref: JobRef) -> Entry | None:
        """The entry of a job from elsewhere, None where the journal cannot take it: it is watched all the same."""
        try:
            return await self.books.journal.attached(ref, holder=self.books.holder, until=self.books.until)
        except JournalError as error:
            self.books.note(error)
            return None

    def is_in_hand(self, entry: Entry) -> bool:
        """Whether the entry is being brought on here just now."""
        return entry.number in self._in_hand

    def watched(self, family: Family, entry: Entry) -> Job[Any]:
        """The job that an entry found after all, announced and watched."""
        if entry.ref is not None:
            self._watching.tell_adopted(entry.ref)
        return self._watching.known(family, entry, None, self.lasts(family))

    async def entry(self, number: int) -> Entry:
        """The entry as it stands."""
        entry = await self.books.journal.get(number)
        if entry is None:
            raise JournalError(f"the journal has no entry {number}")
        return entry

    @staticmethod
    def request_of(family: Family, entry: Entry) -> Any:
        """The request that an entry keeps, None for a job attached from elsewhere."""
        return decode_request(family.product.request_type, entry.payload) if entry.payload else None

    async def _planned(self, family: Family, request: Any, key: str | None, lasts: float) -> Job[Any]:
        token = secrets.token_urlsafe(16) if self._takes_webhooks(request) else None
        planning = asyncio.ensure_future(self.books.plan(family.product, request, key, token))
        try:
            entry = await asyncio.shield(planning)
        except asyncio.CancelledError:
            # The journal has the order already, and what it writes nobody would send or take back.
            await self._withdraw(await planning, "its caller was cancelled")
            raise
        return await self._brought_on(family, entry, request, lasts)

    async def _brought_on(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        self._in_hand.add(entry.number)
        try:
            while True:
                try:
                    return await self._from_where_it_stands(family, entry, request, lasts)
                except TransitionRefused:
                    # Another process was there first; go on from where it has brought this.
                    before, entry = entry, await self.entry(entry.number)
                    if entry.state is before.state:
                        raise
        finally:
            self._in_hand.discard(entry.number)

    async def _from_where_it_stands(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        entry = await self._taken(entry)
        if entry.state in _HAS_JOB:
            return self._watching.known(family, entry, request, lasts)
        if entry.state is _S.SENT:
            await self.books.journal.unknown(entry.number, "the process ended while its create was on the way")
        if entry.state in {_S.SENT, _S.UNKNOWN}:
            async with self._turn(family) if family.lists else nullcontext():
                return await self._find(family, entry, request, lasts)
        if entry.state in {_S.FAILED, _S.ABANDONED}:
            if entry.job_id is not None or entry.state is _S.ABANDONED:
                raise at_its_end(entry, request)
            await self.books.journal.resubmitted(entry.number)
            await self.books.take(entry)
        return await self._create(family, entry, request, lasts)

    async def _taken(self, entry: Entry) -> Entry:
        while not await self.books.take(entry) and entry.state in {_S.PLANNED, _S.SENT}:
            # Another process is at it: its answer will be in the journal, or its lease will end.
            await self.books.clock.sleep(BETWEEN_LOOKS)
            entry = await self.entry(entry.number)
        return entry

    async def _create(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        try:
            if not family.lists:
                return await self._send(family, entry, request, lasts)
            # One at a time, so that a new job in the list can be told to be this one's.
            async with self._turn(family):
                await self.lost.note_baseline(family)
                return await self._send(family, entry, request, lasts)
        except (SubmissionUnknown, TransitionRefused):
            raise
        except BaseException as error:
            # Whoever asked for it has heard that it was not sent, and nobody here will: so no later process does.
            await self._withdraw(entry, str(error) or "its caller was cancelled")
            raise

    async def _send(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        sent = self._with_webhook(request, entry.webhook_token)
        called = getattr(sent, "webhook_url", None) is not None
        family.creating += 1
        try:
            return await submit_once(
                family,
                sent,
                self._scheduler,
                notes=Written(self.books, entry),
                watch=lambda answer: self._watching.accepted(family, answer, entry, request, lasts, called=called),
                give_up_at=self.books.clock.monotonic() + lasts,
            )
        except SubmissionUnknown:
            return await self._find(family, entry, request, lasts)
        finally:
            family.creating -= 1

    async def _find(self, family: Family, entry: Entry, request: Any, lasts: float) -> Job[Any]:
        """Adopt the one new job that can only be ours, or raise `SubmissionUnknown` with what there is."""
        found, why = list[str](), "the service cannot list its jobs"
        if family.lists and not self._closing:
            try:
                found, alone = await self.lost.candidates(family, entry)
            except TalkingAvatarError as error:
                why = f"its jobs could not be listed ({error})"
            else:
                if len(found) == 1 and alone:
                    await self._adopt_found(entry, found[0])
                why = f"{len(found)} jobs there could be it"
        now = await self._seen_again(entry)
        if now.state in _HAS_JOB and now.ref is not None:
            self._watching.tell_adopted(now.ref)
            return self._watching.known(family, now, request, lasts)
        refs = tuple(JobRef(entry.service, entry.family, job_id, entry.account) for job_id in found)
        raise lost(entry, request, why, refs)

    async def _seen_again(self, entry: Entry) -> Entry:
        try:
            return await self.entry(entry.number)
        except JournalError as error:
            # Whatever ails the journal, what its caller must hear of is a create that may be paid.
            self.books.note(error)
            return entry

    async def _adopt_found(self, entry: Entry, job_id: str) -> None:
        await self.books.keep(partial(self.books.journal.adopted, entry.number, job_id))

    async def _withdraw(self, entry: Entry, why: str) -> None:
        if entry.holder in {None, self.books.holder}:
            await self.books.keep(partial(self.books.journal.withdrawn, entry.number, why))

    def _turn(self, family: Family) -> AbstractAsyncContextManager[None]:
        product = family.product
        name = f"create:{product.name}@{product.account}"
        if name not in self._turns:
            self._turns[name] = Turns(name, self.books)
        return self._turns[name].mine()

    def _takes_webhooks(self, request: Any) -> bool:
        return self._webhook_url is not None and getattr(request, "webhook_url", "") is None

    def _with_webhook(self, request: Any, token: str | None) -> Any:
        if token is None or self._webhook_url is None:
            return request
        joint = "&" if "?" in self._webhook_url else "?"
        return with_webhook(request, f"{self._webhook_url}{joint}{urlencode({'job': token})}")
