"""Two programs on one file, and programs that are killed while they write to it."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from talking_avatar.journal import EntryState, Intent, SqliteJournal

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught"),
]
Make = Callable[..., Intent]

RIVAL = """
import asyncio, random, sys
from pathlib import Path
from talking_avatar.journal import EntryState, Intent, SqliteJournal, TransitionRefused

path, name, work = sys.argv[1:]
counter = Path(path).with_name("counter")

async def keys(journal):
    waiting = [f"k-{i}" for i in range(150)]
    random.shuffle(waiting)

    async def worker():
        while waiting:
            key = waiting.pop()
            intent = Intent(service="surreal", family="v2v", payload="{}", fingerprint=key, key=key)
            (entry,) = await journal.plan([intent])
            try:
                await journal.sent(entry.number)
            except TransitionRefused:
                continue
            print(key)
            await journal.accepted(entry.number, f"job-{name}-{key}")

    await asyncio.gather(*(worker() for _ in range(5)))

async def leases(journal):
    while entries := await journal.claim(name, until=2_000.0, now=1_000.0, limit=7):
        for entry in entries:
            print(entry.number)

async def turns(journal):
    for _ in range(40):
        while not await journal.take_turn("surreal.v2v", name, until=2_000.0, now=1_000.0):
            await asyncio.sleep(0.0005)
        before = int(counter.read_text())
        await asyncio.sleep(0)
        counter.write_text(str(before + 1))
        await journal.give_turn("surreal.v2v", name)

async def main():
    async with SqliteJournal(path, busy_timeout=20.0) as journal:
        await {"keys": keys, "leases": leases, "turns": turns}[work](journal)

asyncio.run(main())
"""


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours


def rivals(path: Path, work: str) -> list[str]:
    """The lines of two programs that do *work* at the same time."""
    programs = [start(RIVAL, path, name, work) for name in ("me", "you")]
    told = [program.communicate(timeout=30) for program in programs]
    assert [errors for _, errors in told] == ["", ""]
    return [line for lines, _ in told for line in lines.splitlines()]


async def test_of_two_programs_one_sends_each_key(path: Path) -> None:
    # Neither has made the file before, so they race for that as well.
    created = Counter(rivals(path, "keys"))
    assert set(created.values()) == {1}
    assert len(created) == 150
    async with SqliteJournal(path) as journal:
        assert Counter([entry.state async for entry in journal.open_entries()]) == {EntryState.ACCEPTED: 150}


async def test_two_programs_share_the_open_entries_without_overlap(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        await journal.plan([intent() for _ in range(500)])
    claimed = rivals(path, "leases")
    assert sorted(map(int, claimed)) == list(range(1, 501))


async def test_two_programs_take_turns(path: Path) -> None:
    counter = path.with_name("counter")
    counter.write_text("0")
    rivals(path, "turns")
    assert counter.read_text() == "80"


# Tells each write only once it was acknowledged, and is killed where *crash* says.
WRITER = """
import asyncio, itertools, os, signal, sys
from talking_avatar.journal import Intent, SqliteJournal, commits, orders

path, crash, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = itertools.count(1)

def die_in_time(*_):
    if next(seen) == after:
        os.kill(os.getpid(), signal.SIGKILL)

def die_at_commit(statement):
    if statement == "COMMIT":
        die_in_time()

if crash == "at the commit":
    connect = commits.connect_writer
    def traced(*options):
        connection = connect(*options)
        connection.set_trace_callback(die_at_commit)
        return connection
    commits.connect_writer = traced
elif crash == "before the answer":
    orders._deliver, deliver = lambda served: (die_in_time(), deliver(served)), orders._deliver
elif crash == "inside the transaction":
    attempt = commits.GroupCommit._attempt
    commits.GroupCommit._attempt = lambda *options: (attempt(*options), die_in_time())

async def submit(journal, name):
    for i in itertools.count():
        key = f"{name}-{i}"
        intent = Intent(service="surreal", family="v2v", payload="{}" * 100, fingerprint=key, key=key)
        (entry,) = await journal.plan([intent], holder="the dead", until=1_030.0)
        os.write(1, f"{key} planned\\n".encode())
        await journal.sent(entry.number)
        os.write(1, f"{key} sent\\n".encode())
        await journal.accepted(entry.number, f"job-{key}")
        os.write(1, f"{key} accepted\\n".encode())

async def main():
    async with SqliteJournal(path) as journal:
        await asyncio.gather(*(submit(journal, name) for name in "abcdefgh"))

asyncio.run(main())
"""


def acknowledged(lines: list[str]) -> dict[str, str]:
    """The last state each key was told to be in."""
    # A line cut off by the kill was not told.
    return dict(line.split() for line in lines if line.endswith("\n"))


async def check_after_death(path: Path, told: dict[str, str], intent: Make) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    order = ["planned", "sent", "accepted"]
    async with SqliteJournal(path) as journal:
        for key, state in told.items():
            entry = await journal.by_key("surreal", "default", key)
            assert entry is not None, f"{key} was acknowledged and is lost"
            assert order.index(entry.state) >= order.index(state)
            assert state != "accepted" or entry.job_id == f"job-{key}"
            (again,) = await journal.plan([intent(key, fingerprint=key)])
            assert again.number == entry.number
        assert await journal.claim("the next", until=1_060.0, now=1_029.0) == []
        taken = await journal.claim("the next", until=1_060.0, now=1_030.0, limit=100_000)
        assert {entry.key for entry in taken} >= told.keys()


@pytest.mark.parametrize("after", [3, 31])
@pytest.mark.parametrize("crash", ["at the commit", "before the answer", "inside the transaction"])
async def test_what_was_acknowledged_survives_a_kill(path: Path, intent: Make, crash: str, after: int) -> None:
    with start(WRITER, path, crash, after) as program:
        assert program.stdout is not None
        told = acknowledged(list(program.stdout))
    assert program.returncode == -signal.SIGKILL
    await check_after_death(path, told, intent)


@pytest.mark.parametrize("lines", [1, 333, 1_000])
async def test_what_was_acknowledged_survives_a_kill_at_any_moment(path: Path, intent: Make, lines: int) -> None:
    with start(WRITER, path, "from outside", 0) as program:
        assert program.stdout is not None
        heard = [program.stdout.readline() for _ in range(lines)]
        os.kill(program.pid, signal.SIGKILL)
        heard += list(program.stdout)
    assert program.returncode == -signal.SIGKILL
    await check_after_death(path, acknowledged(heard), intent)
