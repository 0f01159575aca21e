"""What SQLite's errors mean to the person whose renders are in the file."""

import sqlite3

from talking_avatar.errors import JournalError

__all__ = ["explained", "is_for_good", "trouble"]

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is locked by another program for longer than the busy timeout; end that program's write "
    "(a database browser, a backup), or give SqliteJournal a longer busy_timeout",
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full, and this write was not kept; free some space and "
    "try again",
    sqlite3.SQLITE_READONLY: "is read-only; make the file and its folder writable for this user, or choose another "
    "path",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; the file and its folder must be writable for this user, because "
    "SQLite keeps a -wal file beside it",
    sqlite3.SQLITE_PERM: "may not be accessed; make the file and its folder writable for this user",
    sqlite3.SQLITE_CORRUPT: "is damaged; move it and its -wal file away, restore a backup or start a new one, and "
    "attach the jobs that still run by their refs",
    sqlite3.SQLITE_NOTADB: "is not a journal: the file is no SQLite database, or is damaged from its first page; "
    "choose another path",
    sqlite3.SQLITE_IOERR: "could not be read or written by the disk; check the disk and its quota, then open it again",
}
_FOR_GOOD = _MEANINGS.keys() - {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL}
_MEANINGS[sqlite3.SQLITE_LOCKED] = _MEANINGS[sqlite3.SQLITE_BUSY]


def trouble(path: str, what: str) -> JournalError:
    """An error that names the file first."""
    return JournalError(f"the journal {path} {what}", path=path)


def explained(error: sqlite3.Error, path: str) -> JournalError:
    """The same fault, with what to do about it."""
    meaning = _MEANINGS.get(_code(error), "failed")
    return trouble(path, f"{meaning} (SQLite: {error})")


def is_for_good(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, so that a later success would prove little.

    A failed fsync may have dropped what it did not write. A lock ends and a disk is freed, so those are tried anew.
    """
    return _code(error) in _FOR_GOOD


def _code(error: sqlite3.Error) -> int:
    # The upper bytes tell variants of one fault apart, such as which disk operation failed.
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
