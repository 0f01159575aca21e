"""What the journal costs: intents a second, CPU for each submit, and reading back what a killed program left open."""

import argparse
import asyncio
import json
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from talking_avatar.journal import Intent, SqliteJournal

# The size of a real TalkingPhoto with two signed links.
PAYLOAD = json.dumps(
    {"image_url": "https://files.example/" + "p" * 200, "audio_url": "https://files.example/" + "a" * 200}
)

REACH = {
    "grouped intents per second, one plan() each": "≥ 10000",
    "grouped intents per second, 1,000 to a plan()": "≥ 10000",
    "CPU ms per submit, one after another": "≤ 0.5",
    "CPU ms per submit, 64 at a time": "≤ 0.5",
    "seconds to read back 100,000 open entries": "< 3",
    "seconds to claim 100,000 open entries": "< 3",
    "seconds to open that journal": "",
}


def intents(count: int, start: int = 0) -> list[Intent]:
    return [
        Intent(service="surreal", family="v2v", payload=PAYLOAD, fingerprint=f"{number:064x}", key=f"order-{number}")
        for number in range(start, start + count)
    ]


async def singly(journal: SqliteJournal, count: int) -> None:
    await asyncio.gather(*(journal.plan([intent]) for intent in intents(count)))


async def in_batches(journal: SqliteJournal, count: int) -> None:
    asked = intents(count)
    await asyncio.gather(*(journal.plan(asked[at : at + 1_000]) for at in range(0, count, 1_000)))


async def submit(journal: SqliteJournal, intent: Intent) -> None:
    """What a journaled submit adds to an unjournaled one."""
    (entry,) = await journal.plan([intent])
    await journal.sent(entry.number)
    await journal.accepted(entry.number, f"job-{entry.number}")


async def submits(journal: SqliteJournal, count: int, at_once: int) -> None:
    waiting = iter(intents(count))

    async def worker() -> None:
        for intent in waiting:
            await submit(journal, intent)

    await asyncio.gather(*(worker() for _ in range(at_once)))


async def measured(
    folder: str, work: Callable[[SqliteJournal], Awaitable[None]], clock: Callable[[], float] = time.perf_counter
) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        async with SqliteJournal(Path(place) / "renders.db") as journal:
            began = clock()
            await work(journal)
            return clock() - began


async def resumed(folder: str) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "renders.db"
        async with SqliteJournal(path) as journal:
            await in_batches(journal, 100_000)
        journal, began = SqliteJournal(path), time.perf_counter()
        await journal.open()
        opened = time.perf_counter()
        assert len([entry async for entry in journal.open_entries()]) == 100_000
        read = time.perf_counter()
        claimed = after = 0
        while entries := await journal.claim("benchmark", until=time.time() + 60, now=time.time(), after=after):
            claimed, after = claimed + len(entries), entries[-1].number
        assert claimed == 100_000
        ended = time.perf_counter()
        await journal.aclose()
        return opened - began, read - opened, ended - read


async def once(folder: str, count: int) -> dict[str, float]:
    opened, read, claimed = await resumed(folder)
    few = max(count // 10, 1)
    cpu = time.process_time
    return {
        "grouped intents per second, one plan() each": count / await measured(folder, lambda j: singly(j, count)),
        "grouped intents per second, 1,000 to a plan()": count / await measured(folder, lambda j: in_batches(j, count)),
        "CPU ms per submit, one after another": 1e3 / few * await measured(folder, lambda j: submits(j, few, 1), cpu),
        "CPU ms per submit, 64 at a time": 1e3 / count * await measured(folder, lambda j: submits(j, count, 64), cpu),
        "seconds to read back 100,000 open entries": read,
        "seconds to claim 100,000 open entries": claimed,
        "seconds to open that journal": opened,
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000, help="intents in a run")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="on the disk to measure")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    runs = [asyncio.run(once(options.folder, options.count)) for _ in range(options.runs)]
    medians = {name: round(statistics.median(run[name] for run in runs), 3) for name in REACH}
    if options.json:
        versions = {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "machine": platform.platform(),
        }
        print(json.dumps({"journal": medians, "runs": len(runs), **versions}))
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, medians of {len(runs)} runs")
    for name, median in medians.items():
        print(f"{name:48} {median:>12,.3f}   {REACH[name]}")


if __name__ == "__main__":
    main()
