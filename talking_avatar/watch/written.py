"""One create's way through the journal: each step is written down before the next is taken."""

import logging
from functools import partial

import attrs

from talking_avatar.errors import ApiError
from talking_avatar.journal.entries import Entry
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.watch.bookkeeping import Bookkeeping

__all__ = ["Written"]

log = logging.getLogger("talking_avatar")


@attrs.frozen
class Written:
    """The notes of the create that *entry* stands for."""

    _books: Bookkeeping
    _entry: Entry

    async def leaving(self) -> None:
        # Of all who ask one is allowed, so this is what keeps two processes from sending one intent.
        await self._books.journal.sent(self._entry.number)

    async def never_left(self) -> None:
        await self._books.keep(partial(self._books.journal.unsent, self._entry.number))

    async def refused(self, error: ApiError) -> None:
        await self._books.keep(partial(self._books.journal.failed, self._entry.number, str(error)))

    async def lost(self, error: Exception) -> None:
        await self._books.keep(partial(self._books.journal.unknown, self._entry.number, str(error)))

    async def accepted(self, answer: JobResult) -> None:
        entry = self._entry
        ref = JobRef(entry.service, entry.family, answer.id, entry.account)
        if not await self._books.keep(partial(self._has_job, ref)):
            log.error(
                "%s was accepted and is paid, but its id could not be written to the journal. It is watched here; "
                "if this program ends first, attach it by this ref",
                ref,
            )

    async def _has_job(self, ref: JobRef) -> None:
        books = self._books
        try:
            await books.journal.accepted(self._entry.number, ref.id)
        except TransitionRefused as error:
            # Another process gave this create up while its answer was on the way, and went on without it.
            log.warning("%s was accepted and is paid, beside what its entry became: %s", ref, error)
            await books.journal.attached(ref, holder=books.holder, until=books.until)
