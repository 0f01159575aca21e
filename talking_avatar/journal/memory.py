"""A journal that lasts as long as its process: for tests, and where a lost render is no loss."""

import math
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any, Self

import attrs

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.journal.entries import OPEN_STATES, Entry, EntryState, Intent
from talking_avatar.journal.moves import job_taken, moved, no_entry, same_request
from talking_avatar.journal.protocol import Accounts
from talking_avatar.journal.telling import Telling
from talking_avatar.models.refs import JobRef

__all__ = ["MemoryJournal"]


@attrs.define(eq=False)
class _Lease:
    holder: str
    until: float
    ended: bool = False


@attrs.define(eq=False)
class MemoryJournal(Telling):
    """Keeps entries in dicts; what it knows survives `aclose`, not the process."""

    clock: Clock = attrs.field(default=SYSTEM_CLOCK, kw_only=True)
    _entries: dict[int, Entry] = attrs.field(factory=dict, init=False)
    # Keys, jobs and tokens all point at numbers.
    _index: dict[object, int] = attrs.field(factory=dict, init=False)
    _held: dict[int, _Lease] = attrs.field(factory=dict, init=False)
    _leases: dict[str, _Lease] = attrs.field(factory=dict, init=False)
    _turns: dict[str, tuple[str, float]] = attrs.field(factory=dict, init=False)
    _ids: dict[tuple[str, str], set[str]] = attrs.field(factory=dict, init=False)
    _durations: dict[str, list[tuple[float, float]]] = attrs.field(factory=dict, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def plan(
        self, intents: Sequence[Intent], *, holder: str | None = None, until: float | None = None
    ) -> list[Entry]:
        at = self.clock.time()
        numbers: list[int] = []
        fresh: dict[object, Entry] = {}
        for intent in intents:
            key = _key_of(intent) or object()
            existing = fresh.get(key) or self._entries.get(self._index.get(key, 0))
            if existing is None:
                existing = fresh[key] = Entry.of(intent, at=at, number=len(self._entries) + len(fresh) + 1)
            numbers.append(same_request(existing, intent).number)
        # Nothing above has changed anything, so a conflict leaves no half of a batch behind.
        self._insert(fresh.values(), holder, until)
        return [self._shown(number) for number in numbers]

    async def attached(self, ref: JobRef, *, holder: str | None = None, until: float | None = None) -> Entry:
        number = self._index.get(ref)
        if number is None:
            number = len(self._entries) + 1
            self._insert([Entry.of_job(ref, at=self.clock.time(), number=number)], holder, until)
        return self._shown(number)

    async def get(self, number: int) -> Entry | None:
        return self._shown(number) if number in self._entries else None

    async def by_key(self, service: str, account: str, key: str) -> Entry | None:
        return await self.get(self._index.get((service, account, key), 0))

    async def by_job(self, ref: JobRef) -> Entry | None:
        return await self.get(self._index.get(ref, 0))

    async def by_token(self, webhook_token: str) -> Entry | None:
        return await self.get(self._index.get(webhook_token, 0))

    async def open_entries(
        self,
        *,
        accounts: Accounts | None = None,
        holder: str | None = None,
        states: Collection[EntryState] | None = None,
        page: int = 2_000,
    ) -> AsyncIterator[Entry]:
        del page  # nothing is read from anywhere
        wanted = OPEN_STATES if states is None else OPEN_STATES.intersection(states)
        for number, kept in list(self._entries.items()):
            if kept.state in wanted and _among(kept, accounts) and holder in {None, self._shown(number).holder}:
                yield self._shown(number)

    async def finished_entries(self, *, accounts: Accounts | None = None, page: int = 2_000) -> AsyncIterator[Entry]:
        del page
        for number in sorted(self._entries, key=lambda number: _expiry(self._entries[number])):
            entry = self._shown(number)
            if entry.state is EntryState.FINISHED and _among(entry, accounts):
                yield entry

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
        self._end_leases(now, but=holder)
        held = {number for number, lease in self._held.items() if not lease.ended}
        free = [
            number
            for number, entry in self._entries.items()
            if number > after and number not in held and entry.state in OPEN_STATES and _among(entry, accounts)
        ]
        return self._give(free[:limit], holder, until)

    async def claim_these(
        self, holder: str, numbers: Iterable[int], *, until: float, now: float, seize: bool = False
    ) -> list[Entry]:
        self._end_leases(now, but=holder)
        wanted = OPEN_STATES | {EntryState.FINISHED}
        asked = [self._shown(number) for number in sorted(set(numbers) & self._entries.keys())]
        free = [entry.number for entry in asked if entry.state in wanted and (seize or entry.holder in {None, holder})]
        return self._give(free, holder, until)

    async def renew(self, holder: str, until: float) -> bool:
        return holder in self._leases and self._lease(holder, until) is not None

    async def holders(self) -> list[str]:
        return list(self._leases)

    async def release(self, holder: str) -> None:
        if (lease := self._leases.pop(holder, None)) is not None:
            lease.ended = True
        self._turns = {name: turn for name, turn in self._turns.items() if turn[0] != holder}

    async def take_turn(self, name: str, holder: str, *, until: float, now: float) -> bool:
        whose, ends = self._turns.get(name, (holder, until))
        if whose != holder and ends > now:
            return False
        self._turns[name] = (holder, until)
        return True

    async def give_turn(self, name: str, holder: str) -> None:
        if name in self._turns and self._turns[name][0] == holder:
            del self._turns[name]

    async def remember_ids(self, product: str, account: str, ids: Iterable[str]) -> None:
        self._ids.setdefault((product, account), set()).update(ids)

    async def known_ids(self, product: str, account: str) -> set[str]:
        of_product = (entry for entry in self._entries.values() if (entry.product, entry.account) == (product, account))
        journaled = {entry.job_id for entry in of_product if entry.job_id is not None}
        return journaled | self._ids.get((product, account), set())

    async def save_durations(self, product: str, samples: Iterable[tuple[float, float]]) -> None:
        self._durations[product] = list(samples)

    async def load_durations(self, product: str) -> list[tuple[float, float]]:
        return list(self._durations.get(product, ()))

    async def _move(self, number: int, name: str, **facts: Any) -> None:
        if number not in self._entries:
            raise no_entry(number)
        before = self._shown(number)
        after = moved(before, name, self.clock.time(), **facts)
        if name == "adopted" and before.job_id is None and after.ref in self._index:
            raise job_taken(before, str(after.job_id), self._index[after.ref])
        if after.holder is None:
            self._held.pop(number, None)
        self._keep(after)

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.number] = entry
        for name in (_key_of(entry), entry.ref, entry.webhook_token):
            if name is not None:
                self._index[name] = min(entry.number, self._index.get(name, entry.number))

    def _insert(self, entries: Iterable[Entry], holder: str | None, until: float | None) -> None:
        lease = None if holder is None else self._lease(holder, until)
        for entry in entries:
            self._keep(entry)
            if lease is not None:
                self._held[entry.number] = lease

    def _lease(self, holder: str, until: float | None) -> _Lease | None:
        if until is not None:
            self._leases.setdefault(holder, _Lease(holder, until)).until = until
        return self._leases.get(holder)

    def _end_leases(self, now: float, *, but: str) -> None:
        for lease in list(self._leases.values()):
            if lease.until <= now and lease.holder != but:
                lease.ended = True
                del self._leases[lease.holder]

    def _give(self, numbers: Sequence[int], holder: str, until: float) -> list[Entry]:
        lease = self._lease(holder, until)
        if lease is not None:
            self._held.update(dict.fromkeys(numbers, lease))
        return [self._shown(number) for number in numbers]

    def _shown(self, number: int) -> Entry:
        lease = self._held.get(number)
        live = lease is not None and not lease.ended
        return attrs.evolve(
            self._entries[number],
            holder=lease.holder if lease and live else None,
            lease_until=lease.until if lease and live else None,
        )


def _key_of(intent: Intent) -> object:
    return None if intent.key is None else (intent.service, intent.account, intent.key)


def _among(entry: Entry, accounts: Accounts | None) -> bool:
    return accounts is None or (entry.service, entry.account) in accounts


def _expiry(entry: Entry) -> tuple[float, int]:
    return (math.inf if entry.expires_at is None else entry.expires_at, entry.number)
