"""What a watcher's journal costs: CPU that a submit takes more with one than without, and resuming 100,000 open jobs.

    python -m benchmarks.owed [--runs 7] [--count 1000] [--jobs 100000] [--folder DIR] [--json]

Both kinds of submit go to a service that answers at once, in turn within each round, one after another and 64 at a
time; what is counted is the CPU time of the whole process, so the journal's threads count as well.
"""

import argparse
import asyncio
import json
import logging
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from talking_avatar import JobRef, JobWatcher, Product, RenderStatus, TalkingPhoto, Video
from talking_avatar.journal import Intent, SqliteJournal
from talking_avatar.wire.request_codec import encode_request, fingerprint

REACH = {
    "CPU ms more per submit, one after another": "≤ 0.5",
    "CPU ms more per submit, 64 at a time": "≤ 0.5",
    "CPU ms per submit without a journal": "",
    "seconds to resume the open jobs": "< 3",
    "seconds to open their journal": "",
}


class Instant:
    """A service that accepts at once and never finishes; it cannot list, so creates need not take turns."""

    account_name = "default"

    def __init__(self) -> None:
        self.created = 0
        self.products = (
            Product(
                service="surreal",
                family="v2v",
                request_type=TalkingPhoto,
                result_type=Video,
                create=self._create,
                read=self._read,
            ),
        )

    async def _create(self, _request: TalkingPhoto) -> Video:
        self.created += 1
        return self._video(f"job-{self.created}")

    async def _read(self, job_id: str) -> Video:
        return self._video(job_id)

    @staticmethod
    def _video(job_id: str) -> Video:
        return Video(id=job_id, ref=JobRef("surreal", "v2v", job_id), status=RenderStatus.PROCESSING)


def request(number: int) -> TalkingPhoto:
    # The length of real signed links.
    return TalkingPhoto(
        image_url=f"https://files.example/{number}/" + "p" * 200, audio_url="https://files.example/" + "a" * 200
    )


async def submitting(folder: str, count: int, at_once: int, *, journaled: bool) -> float:
    """CPU milliseconds per submit."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "renders.db" if journaled else None
        waiting = iter([(f"order-{number}", request(number)) for number in range(count)])
        watcher = await JobWatcher(Instant(), journal=path, cadence=3600.0).start()

        async def worker() -> None:
            for key, asked in waiting:
                await watcher.submit(asked, key=key)

        began = time.process_time()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        taken = time.process_time() - began
        await watcher.aclose()
        return 1e3 * taken / count


async def left_open(path: Path, count: int) -> None:
    async with SqliteJournal(path) as journal:
        for start in range(0, count, 1_000):
            texts = [encode_request(request(number)) for number in range(start, start + 1_000)]
            intents = [
                Intent(
                    service="surreal",
                    family="v2v",
                    payload=text,
                    fingerprint=fingerprint("surreal.v2v", text),
                    key=f"order-{start + at}",
                )
                for at, text in enumerate(texts)
            ]
            for entry in await journal.plan(intents):
                journal_calls = (journal.sent(entry.number), journal.accepted(entry.number, f"job-{entry.number}"))
                await asyncio.gather(*journal_calls)


async def resuming(path: Path, count: int) -> tuple[float, float]:
    watcher: Any = JobWatcher(Instant(), journal=path, cadence=3600.0)
    began = time.perf_counter()
    await watcher.start()
    opened = time.perf_counter()
    resumed = await watcher.resume()
    ended = time.perf_counter()
    assert len(resumed.jobs) == len(watcher.jobs) == count
    await watcher.aclose()
    return opened - began, ended - opened


def measured(folder: str, *, runs: int, count: int, jobs: int) -> dict[str, float]:
    more: dict[int, list[float]] = {1: [], 64: []}
    without: list[float] = []
    for number in range(runs + 1):
        for at_once, found in more.items():
            plain = asyncio.run(submitting(folder, count, at_once, journaled=False))
            kept = asyncio.run(submitting(folder, count, at_once, journaled=True))
            # The first round warms up.
            if number:
                found.append(kept - plain)
                without.append(plain)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "renders.db"
        asyncio.run(left_open(path, jobs))
        resumed = [asyncio.run(resuming(path, jobs)) for _ in range(max(runs // 2, 1))]
    opened, taken_up = zip(*resumed, strict=True)
    figures = (more[1], more[64], without, taken_up, opened)
    return {name: round(statistics.median(values), 3) for name, values in zip(REACH, figures, strict=True)}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.owed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--count", type=int, default=1_000, help="submits in a run")
    parser.add_argument("--jobs", type=int, default=100_000, help="open jobs to resume, a multiple of 1,000")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="on the disk to measure")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    # Every run leaves jobs open on purpose.
    logging.getLogger("talking_avatar").setLevel(logging.ERROR)
    figures = measured(options.folder, runs=options.runs, count=options.count, jobs=options.jobs)
    about = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "jobs": options.jobs}
    if options.json:
        print(json.dumps({"owed": figures, "runs": options.runs, **about, "machine": platform.platform()}))
        return
    print(f"Python {about['python']}, SQLite {about['sqlite']}, medians of {options.runs} runs")
    for name, figure in figures.items():
        print(f"{name:44} {figure:>9,.3f}   {REACH[name]}")


if __name__ == "__main__":
    main()
