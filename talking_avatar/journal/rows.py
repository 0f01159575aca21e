"""Entries as SQL: how a row becomes a value, and a move an update."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import attrs

from talking_avatar.journal import schema
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.journal.moves import MOVES, job_taken, moved, no_entry
from talking_avatar.journal.protocol import Accounts
from talking_avatar.models.refs import JobRef

__all__ = [
    "STORED",
    "among",
    "by_job",
    "by_key",
    "by_number",
    "by_token",
    "entries_of",
    "finished_page",
    "insert",
    "move",
    "open_page",
]

_STATES = {state.value: state for state in EntryState}
_FIELDS = tuple(attrs.fields_dict(Entry))
STORED = ", ".join(f"entries.{name}" for name in _FIELDS if name not in {"holder", "lease_until"})
_SELECT = f"SELECT {STORED}, leases.holder, leases.until FROM entries"  # noqa: S608 - our own field names
_JOIN = "LEFT JOIN leases ON leases.number = entries.lease WHERE"
_BY_NUMBER = f"{_SELECT} {_JOIN} entries.number = ?"
_BY_KEY = f"{_SELECT} {_JOIN} service = ? AND account = ? AND key = ?"
_BY_JOB = f"{_SELECT} {_JOIN} job_id = ? AND service = ? AND family = ? AND account = ? ORDER BY entries.number LIMIT 1"
_BY_TOKEN = f"{_SELECT} {_JOIN} webhook_token = ? ORDER BY entries.number LIMIT 1"
_OPEN = f"{_SELECT} INDEXED BY entries_open {_JOIN} {schema.OPEN} AND entries.number > ?"
_EXPIRY = "ifnull(expires_at, 9e999)"
_FINISHED = f"{_SELECT} INDEXED BY entries_finished {_JOIN} state = 'finished' AND ({_EXPIRY}, entries.number) > (?, ?)"
_INSERT = """INSERT INTO entries
    (service, account, family, payload, fingerprint, key, webhook_token, state, job_id, planned_at, accepted_at, lease)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_CHANGING = tuple(name for name in _FIELDS[_FIELDS.index("state") :] if name not in {"holder", "lease_until"})


def _quick(name: str, facts: str = "") -> str:
    move = MOVES[name]
    states = ", ".join(f"'{state}'" for state in sorted(move.sources))
    given = f", {facts} = :{facts}" if facts else ""
    same = f" AND ({facts} IS NULL OR {facts} = :{facts})" if facts else ""
    return (
        f"UPDATE entries SET state = '{move.target}', error = NULL, {move.stamp} = ifnull({move.stamp}, :at){given} "  # noqa: S608 - our own names
        f"WHERE number = :number AND state IN ({states}){same}"
    )


# The two that every create waits for, without reading the entry first; where they change nothing, `moved` says why.
_QUICK = {"sent": _quick("sent"), "accepted": _quick("accepted", "job_id")}


def insert(connection: sqlite3.Connection, entry: Entry, lease: int | None) -> int | None:
    """The new row's number, or None when its key is there already."""
    values = (
        entry.service,
        entry.account,
        entry.family,
        entry.payload,
        entry.fingerprint,
        entry.key,
        entry.webhook_token,
        entry.state,
        entry.job_id,
        entry.planned_at,
        entry.accepted_at,
        lease,
    )
    cursor = connection.execute(_INSERT, values)
    return cursor.lastrowid if cursor.rowcount else None


def move(connection: sqlite3.Connection, number: int, name: str, at: float, facts: dict[str, Any]) -> None:
    quick = _QUICK.get(name)
    if quick is not None and connection.execute(quick, {"number": number, "at": at, **facts}).rowcount:
        return
    before = by_number(connection, number)
    if before is None:
        raise no_entry(number)
    after = moved(before, name, at, **facts)
    if name == "adopted" and before.job_id is None and after.ref is not None:
        other = by_job(connection, after.ref)
        if other is not None:
            raise job_taken(before, after.ref.id, other.number)
    # Only what differs, because a column that is named is written to its indexes even when it stays the same.
    changed = {name: value for name in _CHANGING if (value := getattr(after, name)) != getattr(before, name)}
    if after.holder is None:
        changed["lease"] = None
    if changed:
        assignments = ", ".join(f"{name} = ?" for name in changed)
        connection.execute(f"UPDATE entries SET {assignments} WHERE number = ?", (*changed.values(), number))  # noqa: S608


def by_number(connection: sqlite3.Connection, number: int) -> Entry | None:
    return _one(connection, _BY_NUMBER, (number,))


def by_key(connection: sqlite3.Connection, service: str, account: str, key: str) -> Entry | None:
    return _one(connection, _BY_KEY, (service, account, key))


def by_job(connection: sqlite3.Connection, ref: JobRef) -> Entry | None:
    return _one(connection, _BY_JOB, (ref.id, ref.service, ref.family, ref.account))


def by_token(connection: sqlite3.Connection, webhook_token: str) -> Entry | None:
    return _one(connection, _BY_TOKEN, (webhook_token,))


def open_page(
    connection: sqlite3.Connection,
    after: int,
    limit: int,
    accounts: Accounts | None,
    holder: str | None,
    states: Collection[EntryState] | None,
) -> list[Entry]:
    """The open entries behind number *after*."""
    where, values = among(accounts)
    whose, names = ("", ()) if holder is None else (" AND leases.holder = ?", (holder,))
    among_states = "" if states is None else f" AND state IN ({', '.join('?' * len(states))})"
    sql = f"{_OPEN}{where}{whose}{among_states} ORDER BY entries.number LIMIT ?"
    return entries_of(connection, sql, (after, *values, *names, *(states or ()), limit))


def finished_page(
    connection: sqlite3.Connection, after: tuple[float, int], limit: int, accounts: Accounts | None
) -> list[Entry]:
    """The finished entries behind the expiry and number *after*."""
    where, values = among(accounts)
    sql = f"{_FINISHED}{where} ORDER BY {_EXPIRY}, entries.number LIMIT ?"
    return entries_of(connection, sql, (*after, *values, limit))


def among(accounts: Accounts | None) -> tuple[str, Sequence[str]]:
    """The further condition for entries of *accounts*, and its values."""
    if accounts is None:
        return "", ()
    # An empty VALUES is no SQL; NULL equals nothing, as nobody's entries are none.
    pairs = ", ".join(["(?, ?)"] * len(accounts)) or "(NULL, NULL)"
    return f" AND (service, account) IN (VALUES {pairs})", [name for pair in accounts for name in pair]


def _one(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Entry | None:
    row = connection.execute(sql, values).fetchone()
    return None if row is None else _entry(row)


def entries_of(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> list[Entry]:
    """The entries of a query that selects `STORED`, the holder and the end of its lease."""
    return [_entry(row) for row in connection.execute(sql, values)]


def _entry(row: tuple[Any, ...]) -> Entry:
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["state"] = _STATES[fields["state"]]
    return Entry(**fields)
