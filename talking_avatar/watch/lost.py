"""Which job a create whose answer was lost became, where the service lists its jobs."""

from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.product import Listing
from talking_avatar.transport.budget import Purpose
from talking_avatar.transport.retry import Retry
from talking_avatar.watch.bookkeeping import Bookkeeping
from talking_avatar.watch.family import Family
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["Lost"]

# A list may lag behind a create, so an absent id is looked for more than once.
LOOKS = (0.0, 2.0, 5.0)
# Somebody else may create on the same account; what came longer ago than this is not taken for ours.
FRESH = 60.0

Place = tuple[str, str]


class Lost:
    """Knows what was at each service before a create left, and tells what is new since."""

    def __init__(self, books: Bookkeeping, scheduler: Scheduler) -> None:
        self._books = books
        self._scheduler = scheduler
        self._known: dict[Place, set[str]] = {}
        self._fresh_until: dict[Place, float] = {}

    async def note_baseline(self, family: Family) -> None:
        """Know what is at the service before a create leaves, asking only if nobody has for a while."""
        is_stale = self._books.clock.monotonic() >= self._fresh_until.get(_place(family), float("-inf"))
        if is_stale and not await self._undecided(family):
            await self._remember(family, await self._listed(family))

    def forget_baseline(self, family: Family) -> None:
        """A lost create was given up or sent again: should its job still turn up, it is nobody's."""
        self._fresh_until.pop(_place(family), None)

    def saw(self, family: Family, ids: set[str]) -> None:
        """A list was read while no create of ours was under way here."""
        known = self._known.get(_place(family))
        if known is None or ids - known - family.jobs.keys():
            self._books.begin(self._remember(family, ids))
        else:
            self._freshen(family)

    async def candidates(self, family: Family, entry: Entry) -> tuple[list[str], bool]:
        """New jobs that no entry has, and whether *entry* is the only one that could have made them.

        Raises what kept the list from being read.
        """
        product, found = family.product, set[str]()
        for wait in LOOKS:
            await self._books.clock.sleep(wait)
            listed = await self._listed(family)
            # In this order: a job whose id is being written just now is then among the known.
            found = listed - await self._books.journal.known_ids(product.name, product.account)
            if found:
                break
        alone = not any(other.number != entry.number for other in await self._undecided(family))
        return sorted(found), alone

    async def _listed(self, family: Family) -> set[str]:
        async def look() -> Listing:
            async with family.gate.passing(Purpose.READ):
                return await family.product.listing()  # type: ignore[misc]

        return set((await Retry().run(look, idempotent=True, clock=self._books.clock, rng=self._scheduler.rng)).words)

    async def _remember(self, family: Family, ids: set[str]) -> None:
        # While a create is on its way or lost, here or in another process, any new id may be the one it made. Asked
        # after the list was read: whoever created in between is in the journal by now.
        if await self._undecided(family):
            return
        product, place = family.product, _place(family)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = await self._books.journal.known_ids(product.name, product.account)
        fresh = ids - known - family.jobs.keys()
        if fresh:
            await self._books.journal.remember_ids(product.name, product.account, fresh)
        known |= ids
        self._freshen(family)

    async def _undecided(self, family: Family) -> list[Entry]:
        product, states = family.product, {EntryState.SENT, EntryState.UNKNOWN}
        accounts = [(product.service, product.account)]
        entries = self._books.journal.open_entries(accounts=accounts, states=states)
        return [entry async for entry in entries if entry.family == product.family]

    def _freshen(self, family: Family) -> None:
        self._fresh_until[_place(family)] = self._books.clock.monotonic() + FRESH


def _place(family: Family) -> Place:
    return family.product.name, family.product.account
