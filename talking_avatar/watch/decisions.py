"""What settles a lost create: its caller's word, or a callback that proves which job it became."""

from typing import Any

import attrs

from talking_avatar.errors import ConfigurationError
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.refs import JobRef
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.owed import Owed
from talking_avatar.watch.roster import Roster

__all__ = ["Decisions"]


@attrs.frozen(eq=False)
class Decisions:
    """Carries out what was decided about an entry, by its number."""

    _owed: Owed
    _roster: Roster

    async def adopt(self, number: int, ref: JobRef) -> Job[Any]:
        """The lost create became *ref*."""
        entry = await self._owed.entry(number)
        if (ref.product, ref.account) != (entry.product, entry.account):
            raise ConfigurationError(f"{ref} cannot be entry {number}, which is a create of {entry.product}")
        await self._owed.books.journal.adopted(number, ref.id)
        await self._owed.books.take(entry, seize=True)
        return self._owed.watched(self._roster.reads(ref), await self._owed.entry(number))

    async def abandon(self, number: int) -> None:
        """Nobody needs this create any more."""
        self._forget_baseline(await self._owed.entry(number))
        await self._owed.books.journal.abandoned(number, "its caller gave it up")

    async def resubmit(self, number: int) -> Job[Any]:
        """The create is to be sent again, although it may be paid."""
        entry = await self._owed.entry(number)
        self._forget_baseline(entry)
        await self._owed.books.journal.resubmitted(number)
        await self._owed.books.take(entry, seize=True)
        family = self._roster.by_place[entry.service, entry.account, entry.family]
        return await self._owed.proceed(family, await self._owed.entry(number), lasts=self._owed.lasts(family))

    async def settle(self, token: str, job_id: str) -> None:
        """A callback came to the URL of one create alone: it became *job_id*."""
        books = self._owed.books
        entry = await books.journal.by_token(token)
        if entry is None or entry.state not in {EntryState.SENT, EntryState.UNKNOWN}:
            return
        await books.journal.accepted(entry.number, job_id)
        family = self._family(entry)
        # One that is being created, here or elsewhere, is watched from there, whether its answer is lost or not.
        is_lost = entry.state is EntryState.UNKNOWN
        if family is not None and not self._owed.is_in_hand(entry) and await books.take(entry, seize=is_lost):
            self._owed.watched(family, await self._owed.entry(entry.number))

    def _forget_baseline(self, entry: Entry) -> None:
        family = self._family(entry)
        if family is not None:
            self._owed.lost.forget_baseline(family)

    def _family(self, entry: Entry) -> Family | None:
        return self._roster.by_place.get((entry.service, entry.account, entry.family))
