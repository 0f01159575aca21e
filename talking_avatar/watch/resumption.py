"""Taking up what an earlier process, or one that died, left open in the journal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import attrs

from talking_avatar.errors import SubmissionUnknown, TalkingAvatarError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.owed import Owed, Watching

__all__ = ["Resumed", "resume"]

PAGE = 2_000
CREATES_AT_ONCE = 8

Families = Mapping[tuple[str, str, str], Family]


@attrs.frozen(kw_only=True)
class Resumed:
    """What was taken up: *jobs* are watched again, *unknown* ones ask for a decision, *errors* were refused now."""

    jobs: tuple[Job[Any], ...] = ()
    unknown: tuple[SubmissionUnknown, ...] = ()
    errors: tuple[TalkingAvatarError, ...] = ()


async def resume(
    owed: Owed, families: Families, watching: Watching, *, lasts: float | None, deliver: bool, lost: bool = True
) -> Resumed:
    """Claim every open entry that nobody works on, and bring each on from where it stands.

    With *deliver* also those that finished and whose files are not here; without *lost* those whose fate is unknown are
    left to whoever asks.
    """
    jobs: list[Job[Any]] = []
    behind: list[tuple[Family, Entry]] = []
    async for entry in _claimed(owed.books):
        family = families.get((entry.service, entry.account, entry.family))
        if family is None:
            continue
        if entry.state in {EntryState.ACCEPTED, EntryState.ADOPTED}:
            jobs.append(watching.known(family, entry, None, _deadline(family, lasts)))
        elif lost or entry.state is EntryState.PLANNED:
            behind.append((family, entry))
    if deliver:
        jobs += [job async for job in _undelivered(owed, families, watching, lasts)]
    outcomes = await _bring_on(owed, behind, lasts)
    return Resumed(
        jobs=(*jobs, *(outcome for outcome in outcomes if isinstance(outcome, Job))),
        unknown=tuple(outcome for outcome in outcomes if isinstance(outcome, SubmissionUnknown)),
        errors=tuple(
            outcome
            for outcome in outcomes
            if isinstance(outcome, TalkingAvatarError) and not isinstance(outcome, SubmissionUnknown)
        ),
    )


async def _claimed(books: Bookkeeping) -> AsyncIterator[Entry]:
    after = 0
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


async def _undelivered(
    owed: Owed, families: Families, watching: Watching, lasts: float | None
) -> AsyncIterator[Job[Any]]:
    journal = owed.books.journal
    async for entry in journal.finished_entries(accounts=owed.books.accounts):
        family = families.get((entry.service, entry.account, entry.family))
        if family is not None and await owed.books.take(entry):
            yield watching.known(family, entry, None, _deadline(family, lasts))


async def _bring_on(
    owed: Owed, behind: list[tuple[Family, Entry]], lasts: float | None
) -> list[Job[Any] | TalkingAvatarError]:
    places = asyncio.Semaphore(CREATES_AT_ONCE)

    async def one(family: Family, entry: Entry) -> Job[Any] | TalkingAvatarError:
        async with places:
            try:
                request = owed.request_of(family, entry)
                return await owed.proceed(family, entry, request, lasts=_deadline(family, lasts))
            except TalkingAvatarError as error:
                return error

    # Lost ones first and one by one: while one is open, no new id can be told from it.
    lost = [pair for pair in behind if pair[1].state is not EntryState.PLANNED]
    planned = [pair for pair in behind if pair[1].state is EntryState.PLANNED]
    found = [await one(*pair) for pair in lost]
    return [*found, *await asyncio.gather(*(one(*pair) for pair in planned))]


def _deadline(family: Family, lasts: float | None) -> float:
    return family.product.deadline.total_seconds() if lasts is None else lasts
