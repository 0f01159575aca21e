"""What a journal promises, whatever it is written on."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Protocol

from talking_avatar.journal.entries import Entry, EntryState, Intent
from talking_avatar.models.refs import JobRef

__all__ = ["Accounts", "Journal"]

Accounts = Collection[tuple[str, str]]
"""Pairs of service and account."""


class Journal(Protocol):
    """The memory of what was asked and paid for; a write has happened, for good, when its call returns.

    A caller cancelled while it waits does not take its write back. Every write raises `JournalError` when it could
    not be kept, and `TransitionRefused` when the entry stands elsewhere. A *holder* is one running watcher: its name
    must be new at each start.
    """

    async def open(self) -> None:
        """Make ready; does nothing when it is open, and raises `JournalError` before anything is written."""
        ...

    async def aclose(self) -> None:
        """Finish what is queued and let go; may be opened again."""
        ...

    async def plan(
        self, intents: Sequence[Intent], *, holder: str | None = None, until: float | None = None
    ) -> list[Entry]:
        """One entry for each intent, all or none of them written.

        A key seen before gives its existing entry, whatever its state and holder; with another request it raises
        `JournalConflict`. New entries belong to *holder*, whose lease then ends at *until*, or where it did.
        """
        ...

    async def attached(self, ref: JobRef, *, holder: str | None = None, until: float | None = None) -> Entry:
        """The entry of a job that was created elsewhere; a job already here gives its own."""
        ...

    async def sent(self, number: int) -> None:
        """The create is about to leave; of all who ask, one is allowed."""
        ...

    async def unsent(self, number: int) -> None:
        """The create provably never left, so it may be sent again."""
        ...

    async def accepted(self, number: int, job_id: str) -> None:
        """The service took the create and named the job."""
        ...

    async def unknown(self, number: int, why: str) -> None:
        """Nobody can tell whether the create was taken."""
        ...

    async def adopted(self, number: int, job_id: str) -> None:
        """The unknown create turned out to be this job; refused when another entry has it."""
        ...

    async def withdrawn(self, number: int, why: str) -> None:
        """Whoever planned it no longer waits for it, and it was not sent; it may be submitted again."""
        ...

    async def resubmitted(self, number: int) -> None:
        """The caller wants an unknown, refused or abandoned create sent again; never once it has had a job."""
        ...

    async def abandoned(self, number: int, why: str | None = None) -> None:
        """Nobody will look at it again."""
        ...

    async def finished(self, number: int, expires_at: float | None = None) -> None:
        """The render is ready; said again, it renews *expires_at*."""
        ...

    async def failed(self, number: int, why: str) -> None:
        """The service refused the create, or gave up on the render."""
        ...

    async def downloaded(self, number: int, path: str) -> None:
        """The file is here, whole."""
        ...

    async def get(self, number: int) -> Entry | None:
        """The entry by its number."""
        ...

    async def by_key(self, service: str, account: str, key: str) -> Entry | None:
        """The entry by its caller's key."""
        ...

    async def by_job(self, ref: JobRef) -> Entry | None:
        """The entry by its job, the oldest where a service gave one id twice."""
        ...

    async def by_token(self, webhook_token: str) -> Entry | None:
        """The entry by the token of its webhook."""
        ...

    def open_entries(
        self,
        *,
        accounts: Accounts | None = None,
        holder: str | None = None,
        states: Collection[EntryState] | None = None,
        page: int = 2_000,
    ) -> AsyncIterator[Entry]:
        """Every entry that is not at an end, oldest first and each once, read *page* at a time."""
        ...

    def finished_entries(self, *, accounts: Accounts | None = None, page: int = 2_000) -> AsyncIterator[Entry]:
        """Every render that is ready and not here yet, the earliest to expire first."""
        ...

    async def claim(
        self,
        holder: str,
        *,
        until: float,
        now: float,
        after: int = 0,
        limit: int = 2_000,
        accounts: Accounts | None = None,
    ) -> list[Entry]:
        """Up to *limit* open entries numbered above *after* that nobody holds, oldest first, now held until *until*.

        Leases that ran out by *now* end here. The holder's own lease is made or moved to *until* in any case.
        """
        ...

    async def claim_these(
        self, holder: str, numbers: Iterable[int], *, until: float, now: float, seize: bool = False
    ) -> list[Entry]:
        """Those of *numbers*, open or finished, that nobody else held, or with *seize* whoever held them."""
        ...

    async def renew(self, holder: str, until: float) -> bool:
        """Move the end of the holder's lease; False when it was lost, and with it all it held: claim again."""
        ...

    async def holders(self) -> list[str]:
        """Whoever has a lease, run out or not."""
        ...

    async def release(self, holder: str) -> None:
        """Give back all the holder's entries and turns."""
        ...

    async def take_turn(self, name: str, holder: str, *, until: float, now: float) -> bool:
        """Whether it is the holder's turn at *name* until then; taking one's own again prolongs it."""
        ...

    async def give_turn(self, name: str, holder: str) -> None:
        """Let the next have the turn; does nothing when it is another's."""
        ...

    async def remember_ids(self, product: str, account: str, ids: Iterable[str]) -> None:
        """Note jobs that were at the service already."""
        ...

    async def known_ids(self, product: str, account: str) -> set[str]:
        """Every job id remembered or journaled for the product (``surreal.v2v``)."""
        ...

    async def save_durations(self, product: str, samples: Iterable[tuple[float, float]]) -> None:
        """Replace what was learned: how many seconds a render took, and when that was (or what it weighs)."""
        ...

    async def load_durations(self, product: str) -> list[tuple[float, float]]:
        """What was saved last, in its order."""
        ...
