"""A thread that owns one database connection, and what is sent to it from any event loop."""

import asyncio
import copy
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

import attrs

from talking_avatar.errors import JournalError

__all__ = ["DatabaseThread", "Order", "fail"]

R = TypeVar("R")

# More in one transaction saves nothing, and keeps the first of them waiting.
MOST_AT_ONCE = 2_000
# What an interpreter that exits waits for a journal nobody closed.
EXIT_PATIENCE = 2.0


@attrs.define(eq=False)
class Order:
    """One call to make with the connection, and who waits for its outcome."""

    call: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        """Tell the waiter, who may have been cancelled; the call was made all the same."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


@attrs.define(eq=False)
class DatabaseThread:
    """Runs orders in their sequence, handing *serve* all that wait at once.

    A daemon, so that it never keeps a program alive; `stop` lets it finish what was ordered before.
    """

    _name: str
    _connect: Callable[[], sqlite3.Connection]
    _serve: Callable[[sqlite3.Connection, list[Order]], None]
    _orders: "SimpleQueue[Order | None]" = attrs.field(factory=SimpleQueue, init=False)
    # Nothing may be ordered behind the end, where no one would look.
    _gate: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)
    _pid: int = attrs.field(factory=os.getpid, init=False)
    _thread: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    def order(self, call: Callable[[sqlite3.Connection], R]) -> asyncio.Future[R]:
        """Queue *call*; it is made even when its future is cancelled."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if os.getpid() != self._pid:
            raise JournalError("this journal was opened before the process forked; open another in the child")
        with self._gate:
            if self._stopping:
                raise _own(self._failure or JournalError("this journal is closed; open it first"))
            self._orders.put(Order(call, future))
        return future

    def stop(self) -> None:
        """Take no more orders; returns at once."""
        with self._gate:
            if not self._stopping:
                self._stopping = True
                self._orders.put(None)

    async def aclose(self) -> None:
        """Stop, and return when everything ordered is done and the file let go."""
        self.stop()
        await asyncio.to_thread(self._thread.join)

    def join(self) -> None:
        """Wait for the thread to end, for as long as an exiting program would."""
        if self._thread is not threading.current_thread():
            self._thread.join(EXIT_PATIENCE)

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            self._refuse(error)
            return
        try:
            more = True
            while more:
                orders, more = self._waiting()
                self._attend(connection, orders)
        finally:
            connection.close()

    def _attend(self, connection: sqlite3.Connection, orders: list[Order]) -> None:
        try:
            self._serve(connection, orders)
        except Exception as error:  # noqa: BLE001 - as above
            fail(orders, error)
        _deliver(orders)

    def _waiting(self) -> tuple[list[Order], bool]:
        """All that is queued, at least one, and whether more may come."""
        orders: list[Order] = []
        item = self._orders.get()
        while item is not None:
            orders.append(item)
            if len(orders) == MOST_AT_ONCE or self._orders.empty():
                return orders, True
            item = self._orders.get()
        return orders, False

    def _refuse(self, error: Exception) -> None:
        self._failure = error
        self.stop()
        more = True
        while more:
            orders, more = self._waiting()
            fail(orders, error)
            _deliver(orders)


def fail(orders: Iterable[Order], error: Exception) -> None:
    """Tell each of *orders* of *error*."""
    for order in orders:
        order.result, order.error = None, _own(error)


def _own(error: Exception) -> Exception:
    # Each waiter raises it somewhere else, and one instance would collect all their tracebacks.
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied


def _deliver(orders: Iterable[Order]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Order]] = {}
    for order in orders:
        by_loop.setdefault(order.future.get_loop(), []).append(order)
    for loop, settled in by_loop.items():
        # A loop that has closed since has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, settled)


def _settle(orders: Iterable[Order]) -> None:
    for order in orders:
        order.settle()
