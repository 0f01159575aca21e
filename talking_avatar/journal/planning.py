"""New entries as SQL: an intent, a key seen before, or a job from elsewhere."""

import sqlite3
from collections.abc import Sequence

import attrs

from talking_avatar.journal import rows
from talking_avatar.journal.entries import Entry, Intent
from talking_avatar.journal.leases import Lease, hold
from talking_avatar.journal.moves import same_request
from talking_avatar.models.refs import JobRef

__all__ = ["attached", "plan"]


def plan(
    connection: sqlite3.Connection, intents: Sequence[Intent], at: float, holder: str | None, until: float | None
) -> list[Entry]:
    """An entry each; whoever calls undoes all of them when one is refused."""
    lease = hold(connection, holder, until)
    return [_planned(connection, intent, at, lease) for intent in intents]


def attached(connection: sqlite3.Connection, ref: JobRef, at: float, holder: str | None, until: float | None) -> Entry:
    existing = rows.by_job(connection, ref)
    if existing is not None:
        return existing
    entry = _inserted(connection, Entry.of_job(ref, at=at), hold(connection, holder, until))
    return _certain(entry, ref)


def _planned(connection: sqlite3.Connection, intent: Intent, at: float, lease: Lease | None) -> Entry:
    entry = _inserted(connection, Entry.of(intent, at=at), lease)
    if entry is not None:
        return entry
    existing = rows.by_key(connection, intent.service, intent.account, intent.key or "")
    return same_request(_certain(existing, intent.key), intent)


def _certain(entry: Entry | None, what: object) -> Entry:
    # Only a unique index can keep a row out, and then the row it points at is there: unless the index is damaged.
    if entry is None:
        raise sqlite3.IntegrityError(f"the row for {what} is neither new nor there")
    return entry


def _inserted(connection: sqlite3.Connection, entry: Entry, lease: Lease | None) -> Entry | None:
    number = rows.insert(connection, entry, None if lease is None else lease.number)
    if number is None:
        return None
    if lease is None:
        return attrs.evolve(entry, number=number)
    return attrs.evolve(entry, number=number, holder=lease.holder, lease_until=lease.until)
