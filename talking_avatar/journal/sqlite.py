"""A journal in one SQLite file, shared by every process that opens it."""

import math
import os
import sqlite3
import weakref
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import attrs

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import ConfigurationError
from talking_avatar.journal import learned, leases, planning, rows
from talking_avatar.journal.commits import GroupCommit, answer
from talking_avatar.journal.entries import Entry, EntryState, Intent
from talking_avatar.journal.faults import trouble
from talking_avatar.journal.orders import DatabaseThread
from talking_avatar.journal.protocol import Accounts
from talking_avatar.journal.telling import Telling
from talking_avatar.models.refs import JobRef

__all__ = ["SqliteJournal"]

R = TypeVar("R")

PAGE = 2_000


def _file_path(path: str | os.PathLike[str]) -> Path:
    if os.fspath(path) in {"", ":memory:"}:
        raise ConfigurationError("a journal in memory is MemoryJournal(); SqliteJournal needs the path of a file")
    # Made absolute now, because a program may change its folder later.
    return Path(path).expanduser().absolute()


@attrs.define(eq=False)
class SqliteJournal(Telling):
    """Keeps entries in the file at *path*, readable by its owner alone.

    One thread writes and commits in groups, another reads. A write waits up to *busy_timeout* seconds for other
    processes. After a fault of the file itself every further write raises `JournalError` until the journal is
    opened again; a full disk and a lock are tried anew each time. Not for network file systems.
    """

    path: Path = attrs.field(converter=_file_path)
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, kw_only=True)
    busy_timeout: float = attrs.field(default=5.0, kw_only=True, validator=attrs.validators.ge(0))
    _writes: GroupCommit | None = attrs.field(default=None, init=False, repr=False)
    _writer: DatabaseThread | None = attrs.field(default=None, init=False, repr=False)
    _reader: DatabaseThread | None = attrs.field(default=None, init=False, repr=False)
    _unclosed: "weakref.finalize[Any, Any] | None" = attrs.field(default=None, init=False, repr=False)

    @property
    def commits(self) -> int:
        """How many transactions were committed since it was opened."""
        return 0 if self._writes is None else self._writes.commits

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def open(self) -> None:
        if self._writer is None or self._reader is None:
            self._writes = GroupCommit(self.path, self.busy_timeout)
            self._writer = DatabaseThread("journal writer", self._writes.connect, self._writes.serve)
            self._reader = DatabaseThread("journal reader", self._writes.connect_reader, partial(answer, self.path))
            self._unclosed = weakref.finalize(self, _let_go, self._reader, self._writer)
        try:
            await self._write(_nothing)
            await self._read(_nothing)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        threads, self._reader, self._writer = (self._reader, self._writer), None, None
        if self._unclosed is not None:
            self._unclosed.detach()
        with self.clock.busy():
            for thread in threads:
                if thread is not None:
                    await thread.aclose()

    async def plan(
        self, intents: Sequence[Intent], *, holder: str | None = None, until: float | None = None
    ) -> list[Entry]:
        return await self._write(
            partial(planning.plan, intents=list(intents), at=self.clock.time(), holder=holder, until=until)
        )

    async def attached(self, ref: JobRef, *, holder: str | None = None, until: float | None = None) -> Entry:
        return await self._write(partial(planning.attached, ref=ref, at=self.clock.time(), holder=holder, until=until))

    async def get(self, number: int) -> Entry | None:
        return await self._read(partial(rows.by_number, number=number))

    async def by_key(self, service: str, account: str, key: str) -> Entry | None:
        return await self._read(partial(rows.by_key, service=service, account=account, key=key))

    async def by_job(self, ref: JobRef) -> Entry | None:
        return await self._read(partial(rows.by_job, ref=ref))

    async def by_token(self, webhook_token: str) -> Entry | None:
        return await self._read(partial(rows.by_token, webhook_token=webhook_token))

    async def open_entries(
        self,
        *,
        accounts: Accounts | None = None,
        holder: str | None = None,
        states: Collection[EntryState] | None = None,
        page: int = PAGE,
    ) -> AsyncIterator[Entry]:
        after = 0
        while True:
            entries = await self._read(
                partial(rows.open_page, after=after, limit=page, accounts=accounts, holder=holder, states=states)
            )
            for entry in entries:
                yield entry
            if len(entries) < page:
                return
            after = entries[-1].number

    async def finished_entries(self, *, accounts: Accounts | None = None, page: int = PAGE) -> AsyncIterator[Entry]:
        after = (-math.inf, 0)
        while True:
            entries = await self._read(partial(rows.finished_page, after=after, limit=page, accounts=accounts))
            for entry in entries:
                yield entry
            if len(entries) < page:
                return
            last = entries[-1]
            after = (math.inf if last.expires_at is None else last.expires_at, last.number)

    async def claim(
        self,
        holder: str,
        *,
        until: float,
        now: float,
        after: int = 0,
        limit: int = PAGE,
        accounts: Accounts | None = None,
    ) -> list[Entry]:
        return await self._write(
            partial(leases.claim, holder=holder, until=until, now=now, after=after, limit=limit, accounts=accounts)
        )

    async def claim_these(
        self, holder: str, numbers: Iterable[int], *, until: float, now: float, seize: bool = False
    ) -> list[Entry]:
        return await self._write(
            partial(leases.claim_these, holder=holder, numbers=list(numbers), until=until, now=now, seize=seize)
        )

    async def renew(self, holder: str, until: float) -> bool:
        return await self._write(partial(leases.renew, holder=holder, until=until))

    async def holders(self) -> list[str]:
        return await self._read(leases.holders)

    async def release(self, holder: str) -> None:
        await self._write(partial(leases.release, holder=holder))

    async def take_turn(self, name: str, holder: str, *, until: float, now: float) -> bool:
        return await self._write(partial(leases.take_turn, name=name, holder=holder, until=until, now=now))

    async def give_turn(self, name: str, holder: str) -> None:
        await self._write(partial(leases.give_turn, name=name, holder=holder))

    async def remember_ids(self, product: str, account: str, ids: Iterable[str]) -> None:
        await self._write(partial(learned.remember_ids, product=product, account=account, ids=list(ids)))

    async def known_ids(self, product: str, account: str) -> set[str]:
        return await self._read(partial(learned.known_ids, product=product, account=account))

    async def save_durations(self, product: str, samples: Iterable[tuple[float, float]]) -> None:
        await self._write(partial(learned.save_durations, product=product, samples=list(samples)))

    async def load_durations(self, product: str) -> list[tuple[float, float]]:
        return await self._read(partial(learned.load_durations, product=product))

    async def _move(self, number: int, name: str, **facts: Any) -> None:
        await self._write(partial(rows.move, number=number, name=name, at=self.clock.time(), facts=facts))

    async def _write(self, call: Callable[[sqlite3.Connection], R]) -> R:
        return await self._ask(self._writer, call)

    async def _read(self, call: Callable[[sqlite3.Connection], R]) -> R:
        return await self._ask(self._reader, call)

    async def _ask(self, thread: DatabaseThread | None, call: Callable[[sqlite3.Connection], R]) -> R:
        if thread is None:
            raise trouble(str(self.path), "is not open; await its open(), or use it in an async with")
        future = thread.order(call)
        with self.clock.busy():
            return await future


def _nothing(_connection: sqlite3.Connection) -> None:
    """What is asked to learn whether a thread could open its file."""


def _let_go(*threads: DatabaseThread) -> None:
    for thread in threads:
        thread.stop()
    for thread in threads:
        thread.join()
