"""Taking up what an earlier process, or one that died, left open in the journal."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import attrs

from talking_avatar.errors import SubmissionUnknown, TalkingAvatarError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.watch.desk import Desk
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.owed import Owed

__all__ = ["Resumed", "Resumption"]

log = logging.getLogger("talking_avatar")

PAGE = 2_000
CREATES_AT_ONCE = 8

Families = Mapping[tuple[str, str, str], Family]
Lasts = Callable[[Family], float]


@attrs.frozen(kw_only=True)
class Resumed:
    """What was taken up: *jobs* are watched again, *unknown* ones ask for a decision, *errors* were refused now."""

    jobs: tuple[Job[Any], ...] = ()
    unknown: tuple[SubmissionUnknown, ...] = ()
    errors: tuple[TalkingAvatarError, ...] = ()


@attrs.define(eq=False)
class Resumption:
    """Takes up entries that nobody works on, when it is asked and whenever a process has ended."""

    _owed: Owed
    _families: Families
    _desk: Desk
    _is_on: bool = False
    _is_busy: bool = False

    async def resume(self, lasts: Lasts) -> Resumed:
        """Claim every open entry, and each finished one that is to be delivered, and bring it on from where it stands.

        From then on the jobs of processes that end are taken over as well.
        """
        self._is_on = True
        return await self._take_up(lasts, again=True)

    async def renewed(self, *, kept: bool) -> None:
        """The lease was renewed, or had been lost: see what is free now."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            if not kept:
                log.warning("the journal's lease had ended, as after a machine's sleep; open jobs are claimed again")
                await self._claim_own_again()
            if self._is_on:
                self._tell(await self._take_up(self._owed.lasts, again=False))
        finally:
            self._is_busy = False

    async def _take_up(self, lasts: Lasts, *, again: bool) -> Resumed:
        jobs: list[Job[Any]] = []
        behind: list[tuple[Family, Entry]] = []
        async for entry in self._claimed():
            family = self._families.get((entry.service, entry.account, entry.family))
            if family is None:
                continue
            if entry.state in {EntryState.ACCEPTED, EntryState.ADOPTED}:
                jobs.append(self._desk.known(family, entry, None, lasts(family)))
            else:
                behind.append((family, entry))
        if again:
            behind += await self._unsettled_of_ours({entry.number for _, entry in behind})
        if self._desk.download_to is not None:
            jobs += [job async for job in self._undelivered(lasts, again=again)]
        outcomes = await self._bring_on(behind, lasts)
        return _sorted_out(jobs, outcomes)

    async def _claimed(self) -> AsyncIterator[Entry]:
        books, after = self._owed.books, 0
        while True:
            page = await books.journal.claim(
                books.holder,
                until=books.until,
                now=books.clock.time(),
                after=after,
                limit=PAGE,
                accounts=books.accounts,
            )
            for entry in page:
                yield entry
            if len(page) < PAGE:
                return
            after = page[-1].number

    async def _unsettled_of_ours(self, claimed: set[int]) -> list[tuple[Family, Entry]]:
        """Unknown ones that were claimed earlier: whoever asks again hears of them again."""
        books = self._owed.books
        entries = books.journal.open_entries(accounts=books.accounts, holder=books.holder, states={EntryState.UNKNOWN})
        return [
            (family, entry)
            async for entry in entries
            if entry.number not in claimed
            and (family := self._families.get((entry.service, entry.account, entry.family))) is not None
        ]

    async def _undelivered(self, lasts: Lasts, *, again: bool) -> AsyncIterator[Job[Any]]:
        """Finished ones whose files are not here; those of ours only *again*, because they are tried by themselves."""
        books = self._owed.books
        page: list[Entry] = []
        async for entry in books.journal.finished_entries(accounts=books.accounts):
            is_ours = entry.holder == books.holder
            if not self._desk.is_at_work(entry.number) and (again or not is_ours):
                page.append(entry)
            if len(page) == PAGE:
                for job in await self._looked_at(page, lasts):
                    yield job
                page = []
        for job in await self._looked_at(page, lasts):
            yield job

    async def _looked_at(self, entries: list[Entry], lasts: Lasts) -> list[Job[Any]]:
        taken = await self._owed.books.take(*entries)
        jobs = []
        for entry in entries:
            family = self._families.get((entry.service, entry.account, entry.family))
            if family is None or entry.number not in taken:
                continue
            job = self._desk.known(family, entry, None, lasts(family))
            if job.settled:
                self._desk.deliver(job)
            jobs.append(job)
        return jobs

    async def _bring_on(self, behind: list[tuple[Family, Entry]], lasts: Lasts) -> list[Job[Any] | TalkingAvatarError]:
        places = asyncio.Semaphore(CREATES_AT_ONCE)

        async def one(family: Family, entry: Entry) -> Job[Any] | TalkingAvatarError:
            async with places:
                try:
                    return await self._owed.proceed(family, entry, lasts=lasts(family))
                except TalkingAvatarError as error:
                    return error

        # Lost ones first and one by one: while one is open, no new id can be told from it.
        lost = [pair for pair in behind if pair[1].state is not EntryState.PLANNED]
        planned = [pair for pair in behind if pair[1].state is EntryState.PLANNED]
        found = [await one(*pair) for pair in lost]
        return [*found, *await asyncio.gather(*(one(*pair) for pair in planned))]

    async def _claim_own_again(self) -> None:
        books = self._owed.books
        numbers = [job.entry for job in self._desk.open if job.entry is not None]
        await books.journal.claim_these(books.holder, numbers, until=books.until, now=books.clock.time())

    @staticmethod
    def _tell(taken_up: Resumed) -> None:
        if taken_up.jobs:
            log.info("%d jobs of a process that ended are watched here now", len(taken_up.jobs))
        for error in (*taken_up.unknown, *taken_up.errors):
            log.warning("left by a process that ended: %s", error)


def _sorted_out(jobs: Iterable[Job[Any]], outcomes: list[Job[Any] | TalkingAvatarError]) -> Resumed:
    errors = [outcome for outcome in outcomes if isinstance(outcome, TalkingAvatarError)]
    return Resumed(
        jobs=tuple(dict.fromkeys((*jobs, *(outcome for outcome in outcomes if isinstance(outcome, Job))))),
        unknown=tuple(error for error in errors if isinstance(error, SubmissionUnknown)),
        errors=tuple(error for error in errors if not isinstance(error, SubmissionUnknown)),
    )
