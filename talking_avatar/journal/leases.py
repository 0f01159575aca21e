"""Who works on what, and whose turn it is, as SQL; every function runs inside the writer's transaction."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

import attrs

from talking_avatar.journal import schema
from talking_avatar.journal.entries import OPEN_STATES, Entry, EntryState
from talking_avatar.journal.protocol import Accounts
from talking_avatar.journal.rows import STORED, among, by_number, entries_of

__all__ = ["Lease", "claim", "claim_these", "give_turn", "hold", "holders", "release", "renew", "take_turn"]

_UPSERT = "INSERT INTO leases (holder, until) VALUES (?, ?) ON CONFLICT (holder) DO UPDATE SET until = excluded.until"
_FREE = (
    f"SELECT {STORED}, ?, ? FROM entries INDEXED BY entries_open WHERE {schema.OPEN} "  # noqa: S608 - our own names
    "AND number > ? AND (lease IS NULL OR lease NOT IN (SELECT number FROM leases))"
)
_TAKE = """INSERT INTO turns (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name)
    DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE turns.holder = excluded.holder OR turns.until <= ?"""


class Lease(NamedTuple):
    number: int
    holder: str
    until: float


def hold(connection: sqlite3.Connection, holder: str | None, until: float | None) -> Lease | None:
    """The holder's lease, made or moved where *until* is given."""
    if holder is None:
        return None
    if until is not None:
        connection.execute(_UPSERT, (holder, until))
    row = connection.execute("SELECT number, holder, until FROM leases WHERE holder = ?", (holder,)).fetchone()
    return None if row is None else Lease(*row)


def claim(
    connection: sqlite3.Connection,
    *,
    holder: str,
    until: float,
    now: float,
    after: int,
    limit: int,
    accounts: Accounts | None,
) -> list[Entry]:
    _end_others(connection, holder, now)
    lease = hold(connection, holder, until)
    where, values = among(accounts)
    # Read before they are marked, and already as the holder's: one pass over the rows instead of two.
    sql = f"{_FREE}{where} ORDER BY number LIMIT ?"
    free = entries_of(connection, sql, (holder, until, after, *values, limit))
    return _give(connection, free, lease)


def claim_these(
    connection: sqlite3.Connection, holder: str, numbers: Iterable[int], until: float, now: float, *, seize: bool
) -> list[Entry]:
    _end_others(connection, holder, now)
    wanted = OPEN_STATES | {EntryState.FINISHED}
    entries = [entry for number in sorted(set(numbers)) if (entry := by_number(connection, number)) is not None]
    free = [entry for entry in entries if entry.state in wanted and (seize or entry.holder in {None, holder})]
    lease = hold(connection, holder, until)
    return _give(connection, [attrs.evolve(entry, holder=holder, lease_until=until) for entry in free], lease)


def renew(connection: sqlite3.Connection, holder: str, until: float) -> bool:
    # A lease that ran out but is still here was taken by nobody, so its entries are still the holder's.
    return connection.execute("UPDATE leases SET until = ? WHERE holder = ?", (until, holder)).rowcount == 1


def holders(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT holder FROM leases")]


def release(connection: sqlite3.Connection, holder: str) -> None:
    connection.execute("DELETE FROM leases WHERE holder = ?", (holder,))
    connection.execute("DELETE FROM turns WHERE holder = ?", (holder,))


def take_turn(connection: sqlite3.Connection, name: str, holder: str, until: float, now: float) -> bool:
    return connection.execute(_TAKE, (name, holder, until, now)).rowcount == 1


def give_turn(connection: sqlite3.Connection, name: str, holder: str) -> None:
    connection.execute("DELETE FROM turns WHERE name = ? AND holder = ?", (name, holder))


def _end_others(connection: sqlite3.Connection, holder: str, now: float) -> None:
    connection.execute("DELETE FROM leases WHERE until <= ? AND holder <> ?", (now, holder))


def _give(connection: sqlite3.Connection, entries: list[Entry], lease: Lease | None) -> list[Entry]:
    if lease is not None:
        rows = ((lease.number, entry.number) for entry in entries)
        connection.executemany("UPDATE entries SET lease = ? WHERE number = ?", rows)
    return entries
