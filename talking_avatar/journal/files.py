"""Opening the file: whose it is, whether it is whole, and that only its owner may read it."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from talking_avatar.journal import schema
from talking_avatar.journal.faults import explained, trouble

__all__ = ["connect_reader", "connect_writer", "identity"]

OWNER_ONLY = 0o600
MOST_RIVALS = 50


def connect_writer(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """The connection that writes, on a file that is checked, private and of the newest version."""
    try:
        _create(path)
        connection = _connect(path, busy_timeout)
        try:
            _check(connection, path)
            _write_ahead(connection, path)
            schema.migrate(connection)
            # Changes nothing, but needs what a write needs: a read-only file would otherwise show at the first submit.
            connection.execute("DELETE FROM turns WHERE name IS NULL")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explained(error, str(path)) from error
    except OSError as error:
        raise trouble(str(path), f"cannot be opened: {error.strerror}; choose another path") from error
    return connection


def connect_reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """A connection that cannot write."""
    try:
        connection = _connect(path, busy_timeout)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise explained(error, str(path)) from error
    return connection


def identity(path: Path) -> tuple[int, int] | None:
    """Which file the path leads to; None when it leads nowhere."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked before every commit, and Path.stat takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _create(path: Path) -> None:
    if not path.parent.is_dir():
        raise trouble(str(path), f"cannot be made: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise trouble(str(path), "is a folder; give the path of a file in it")
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY))
    # By name, not by descriptor: closing a descriptor of an open database drops this process's locks on it.
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        # A file of another owner keeps the mode they gave it.
        with suppress(FileNotFoundError, PermissionError):
            if part.stat().st_mode & 0o077:
                part.chmod(OWNER_ONLY)


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application, version, tables = _told(connection)
    newest = len(schema.MIGRATIONS)
    if application != schema.APPLICATION_ID and (application or version or tables):
        raise trouble(str(path), "is another program's SQLite database; choose another path")
    if version > newest:
        raise trouble(
            str(path),
            f"was written by a newer talking-avatar (journal version {version}, this one knows {newest}); "
            "upgrade the package, or choose another path",
        )
    with closing(connection.execute("PRAGMA quick_check(1)")) as found:
        verdict = str(found.fetchone()[0])
    if verdict != "ok":
        raise explained(_damaged(verdict), str(path))


def _told(connection: sqlite3.Connection) -> list[int]:
    # One transaction, or a second process could make its tables between two of the questions.
    connection.execute("BEGIN")
    questions = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    answers = [int(connection.execute(question).fetchone()[0]) for question in questions]
    connection.execute("COMMIT")
    return answers


def _damaged(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _made_write_ahead(connection: sqlite3.Connection) -> str:
    for _ in range(MOST_RIVALS):
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            # Unlike any other statement this one does not wait for a second program that opens the file as well.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])


def _write_ahead(connection: sqlite3.Connection, path: Path) -> None:
    mode = _made_write_ahead(connection)
    if mode != "wal":
        raise trouble(str(path), f"is on a file system that cannot hold it (journal mode {mode}); use a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    # macOS needs its own word for a write that has left the drive's cache; elsewhere it does nothing.
    connection.execute("PRAGMA fullfsync = ON")
