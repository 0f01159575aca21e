"""What outlives single jobs, as SQL: ids that were there before us, and how long renders take."""

import sqlite3
from collections.abc import Iterable

__all__ = ["known_ids", "load_durations", "remember_ids", "save_durations"]

_REMEMBER = "INSERT INTO known_ids (product, account, job_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_KNOWN = """SELECT job_id FROM known_ids WHERE product = ? AND account = ?
    UNION SELECT job_id FROM entries
    WHERE job_id IS NOT NULL AND service || '.' || family = ? AND account = ?"""
_SAVE = "INSERT INTO durations (product, position, seconds, noted) VALUES (?, ?, ?, ?)"


def remember_ids(connection: sqlite3.Connection, product: str, account: str, ids: Iterable[str]) -> None:
    connection.executemany(_REMEMBER, ((product, account, job_id) for job_id in ids))


def known_ids(connection: sqlite3.Connection, product: str, account: str) -> set[str]:
    return {row[0] for row in connection.execute(_KNOWN, (product, account) * 2)}


def save_durations(connection: sqlite3.Connection, product: str, samples: Iterable[tuple[float, float]]) -> None:
    connection.execute("DELETE FROM durations WHERE product = ?", (product,))
    rows = ((product, position, seconds, noted) for position, (seconds, noted) in enumerate(samples))
    connection.executemany(_SAVE, rows)


def load_durations(connection: sqlite3.Connection, product: str) -> list[tuple[float, float]]:
    sql = "SELECT seconds, noted FROM durations WHERE product = ? ORDER BY position"
    return connection.execute(sql, (product,)).fetchall()
