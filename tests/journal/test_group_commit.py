"""One thread, one commit for all who wait, and nobody's write lost or spoiled by another's."""

import asyncio
import gc
import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from talking_avatar.errors import ConfigurationError, JournalConflict, JournalError
from talking_avatar.journal import EntryState, Intent, SqliteJournal

pytestmark = pytest.mark.anyio
Make = Callable[..., Intent]
Run = Callable[[str, Path], "subprocess.CompletedProcess[str]"]


def threads_of_journals() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("journal ")]


async def test_writes_that_wait_together_share_commits(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        before = journal.commits
        entries = await asyncio.gather(*(journal.plan([intent(f"k-{i}")]) for i in range(1_000)))
        assert len({entry.number for (entry,) in entries}) == 1_000
        assert journal.commits - before <= 20


async def test_more_than_one_commit_takes_is_still_all_written(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        entries = await asyncio.gather(*(journal.plan([intent()]) for _ in range(4_500)))
        assert {entry.number for (entry,) in entries} == set(range(1, 4_501))


async def test_one_failing_write_does_not_spoil_its_neighbours(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        outcomes = await asyncio.gather(
            journal.plan([intent("a")]),
            journal.plan([intent("b"), intent("a", fingerprint="other")]),
            journal.plan([intent("c")]),
            journal.sent(99),
            journal.plan([intent("surrogate \udce9")]),
            journal.sent(1),
            return_exceptions=True,
        )
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds[1] is JournalConflict
        assert isinstance(outcomes[3], JournalError)
        assert isinstance(outcomes[4], ValueError)
        assert journal.commits <= 3
        assert [entry.key async for entry in journal.open_entries()] == ["a", "c"]
        assert [entry.state async for entry in journal.open_entries()] == [EntryState.SENT, EntryState.PLANNED]


async def test_a_cancelled_caller_does_not_lose_its_write(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        waiting = asyncio.ensure_future(journal.plan([intent("k")]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        (entry,) = await journal.plan([intent("k")])
        assert entry.number == 1


async def test_closing_writes_what_still_waits(path: Path, intent: Make) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    waiting = [asyncio.ensure_future(journal.plan([intent()])) for _ in range(50)]
    await asyncio.sleep(0)
    await journal.aclose()
    assert len(await asyncio.gather(*waiting)) == 50
    with pytest.raises(JournalError, match="not open"):
        await journal.plan([intent()])
    assert threads_of_journals() == []


def test_one_journal_serves_several_event_loops(path: Path, intent: Make) -> None:
    journal = SqliteJournal(path)
    asyncio.run(journal.open())

    def in_a_loop_of_its_own(name: str) -> None:
        async def plan_many() -> None:
            await asyncio.gather(*(journal.plan([intent(f"{name}-{i}")]) for i in range(100)))

        asyncio.run(plan_many())

    threads = [threading.Thread(target=in_a_loop_of_its_own, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def count() -> int:
        return len([entry async for entry in journal.open_entries()])

    assert asyncio.run(count()) == 300
    asyncio.run(journal.aclose())


async def test_the_clock_is_busy_while_a_thread_works(path: Path, intent: Make, clock: Any) -> None:
    async with SqliteJournal(path, clock=clock) as journal:
        before = clock.times_busy
        await journal.plan([intent()])
        await journal.get(1)
        assert clock.times_busy == before + 2


async def test_reads_go_on_while_another_process_holds_the_write_lock(path: Path, intent: Make) -> None:
    async with SqliteJournal(path, busy_timeout=0.0) as journal:
        await journal.plan([intent("k")])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked by another program"):
            await journal.sent(1)
        assert await journal.get(1) is not None
        other.close()
        await journal.sent(1)


async def test_a_journal_nobody_closed_lets_go_when_it_is_forgotten(path: Path, intent: Make) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await journal.plan([intent()])
    del journal
    gc.collect()
    assert threads_of_journals() == []
    assert not path.with_name("renders.db-wal").exists()


UNCLOSED = """
import asyncio, sys
from talking_avatar.journal import Intent, SqliteJournal

journal = SqliteJournal(sys.argv[1])

async def main():
    await journal.open()
    intent = Intent(service="surreal", family="v2v", payload="{}", fingerprint="f")
    asyncio.ensure_future(journal.plan([intent] * 500))
    await asyncio.sleep(0)

asyncio.run(main())
"""


def test_an_unclosed_journal_neither_hangs_the_exit_nor_warns_nor_loses_what_waits(path: Path, run: Run) -> None:
    ended = run(UNCLOSED, path)
    assert (ended.returncode, ended.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (500,)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
async def test_a_forked_child_is_told_to_open_its_own(
    path: Path, intent: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteJournal(path) as journal:
        with monkeypatch.context() as patched:
            patched.setattr(os, "getpid", lambda: 1)
            with pytest.raises(JournalError, match="forked"):
                await journal.plan([intent()])
        await journal.plan([intent()])


@pytest.mark.parametrize("nowhere", ["", ":memory:"])
def test_a_path_that_is_no_file_is_refused(nowhere: str) -> None:
    with pytest.raises(ConfigurationError, match="MemoryJournal"):
        SqliteJournal(nowhere)
