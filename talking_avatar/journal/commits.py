"""Many writes, one commit: a disk takes as long to make one safe as a thousand."""

import sqlite3
import threading
from pathlib import Path

import attrs

from talking_avatar.errors import JournalError
from talking_avatar.journal.faults import explained, is_for_good, trouble
from talking_avatar.journal.files import connect_reader, connect_writer, identity
from talking_avatar.journal.orders import Order, fail

__all__ = ["GroupCommit", "answer"]


@attrs.define(eq=False)
class GroupCommit:
    """Runs all waiting writes in one transaction, each in a savepoint of its own.

    What fails alone is undone alone. What fails the transaction fails all of them, and where the file can no longer
    be trusted, all that follow.
    """

    path: Path
    busy_timeout: float
    commits: int = 0
    _file: tuple[int, int] | None = None
    _broken: JournalError | None = None
    _tried: threading.Event = attrs.field(factory=threading.Event)

    def connect(self) -> sqlite3.Connection:
        """The writer's connection."""
        try:
            connection = connect_writer(self.path, self.busy_timeout)
            self._file = identity(self.path)
        finally:
            self._tried.set()
        return connection

    def connect_reader(self) -> sqlite3.Connection:
        """The reader's, once the file has been checked and brought up to date."""
        self._tried.wait()
        if self._file is None:
            raise trouble(str(self.path), "could not be opened for writing")
        return connect_reader(self.path, self.busy_timeout)

    def serve(self, connection: sqlite3.Connection, orders: list[Order]) -> None:
        """Commit *orders*, or tell each why not."""
        try:
            self._refuse_if_broken()
            connection.execute("BEGIN IMMEDIATE")
            if len(orders) == 1:
                self._attempt_alone(connection, orders[0])
            else:
                for order in orders:
                    self._attempt(connection, order)
            if connection.in_transaction:
                connection.execute("COMMIT")
                self.commits += 1
        except JournalError as error:
            fail(orders, error)
        except sqlite3.Error as error:
            connection.rollback()
            fail(orders, self._noted(error))

    def _attempt_alone(self, connection: sqlite3.Connection, order: Order) -> None:
        # Most are alone, and for one a savepoint costs as much as what it guards.
        try:
            order.result = order.call(connection)
        except Exception as error:  # noqa: BLE001 - whoever ordered it hears of it
            connection.rollback()
            order.error = self._noted(error) if isinstance(error, sqlite3.Error) else error

    def _attempt(self, connection: sqlite3.Connection, order: Order) -> None:
        connection.execute("SAVEPOINT one")
        try:
            order.result = order.call(connection)
        except Exception as error:
            # A full disk may have ended the whole transaction, and then there is no savepoint to go back to.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO one")
            order.error = self._noted(error) if isinstance(error, sqlite3.Error) else error
        connection.execute("RELEASE one")

    def _noted(self, error: sqlite3.Error) -> JournalError:
        clear = explained(error, str(self.path))
        clear.__cause__ = error
        if is_for_good(error):
            self._broken = trouble(str(self.path), f"takes no more writes until it is opened again, since: {clear}")
            self._broken.__cause__ = error
        return clear

    def _refuse_if_broken(self) -> None:
        # A deleted file goes on taking writes that nobody will ever read.
        if self._broken is None and identity(self.path) != self._file:
            what = "was moved, replaced or deleted while in use; put it back and open it again"
            self._broken = trouble(str(self.path), what)
        if self._broken is not None:
            raise self._broken


def answer(path: Path, connection: sqlite3.Connection, orders: list[Order]) -> None:
    """Serve reads, each on its own."""
    for order in orders:
        try:
            order.result = order.call(connection)
        except sqlite3.Error as error:
            order.error = explained(error, str(path))
            order.error.__cause__ = error
