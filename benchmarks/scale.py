"""What a thousand, ten thousand and a hundred thousand watched jobs cost, without a socket in between.

Bytes per job: everything that `submit` leaves behind (handle, ref, latest answer, agenda entry), by tracemalloc and by
the growth of the process; the request itself is the caller's and shared. Wake-ups: keys that are due and schedule
themselves again, all in one wake or each in a wake of its own. List tick: a watcher on Surreal's own client, whose port
hands over the bytes of a list; counted is all CPU of a tick, JSON, scan, compare, decoding of changed rows, telling,
planning of the next list, and beside it reading the same bytes as JSON alone.
"""

import argparse
import asyncio
import gc
import json
import logging
import random
import resource
import sys
import time
import tracemalloc
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import report
from benchmarks.canned import canned_client, listing
from talking_avatar import JobWatcher, TalkingPhoto
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.cadence import Fixed
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.wire.json_speed import read_json

COUNTS = (1_000, 10_000, 100_000)
ROWS = 10_000
TICKS = 20
EVERY = 10.0
PHOTO = TalkingPhoto(image_url="https://files.example/1.jpg", audio_url="https://files.example/1.wav")


def resident() -> float:
    """MiB of this process now, or at most where the system does not say."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


async def memory(count: int, *, traced: bool) -> dict[str, float]:
    clock = VirtualClock()
    surreal, _ = canned_client(clock)
    async with surreal, JobWatcher(surreal, clock=clock) as watcher:
        await watcher.submit(PHOTO)
        gc.collect()
        before = resident()
        if traced:
            tracemalloc.start()
        jobs = [await watcher.submit(PHOTO) for _ in range(count)]
        gc.collect()
        if traced:
            return {"traced bytes/job": tracemalloc.get_traced_memory()[0] / len(jobs)}
        now = resident()
        return {"resident bytes/job": (now - before) * 2**20 / count, "resident MiB": now}


class Key:
    """Schedules itself again whenever it is due."""

    __slots__ = ("every", "scheduler")
    woken = 0

    def __init__(self, scheduler: Scheduler, every: float) -> None:
        self.scheduler = scheduler
        self.every = every

    def when_due(self, now: float) -> None:
        Key.woken += 1
        self.scheduler.schedule(self, now + self.every)


async def wake_ups(count: int, *, apart: bool) -> float:
    """CPU milliseconds of 10,000 wake-ups among *count* keys."""
    async with VirtualClock() as clock:
        scheduler = Scheduler(clock, random.Random(1))
        order = random.Random(2).sample(range(count), count)
        for place in order:
            scheduler.schedule(Key(scheduler, 1e6), 1.0 + (place if apart else place // ROWS) * 0.01)
        scheduler.start()
        await clock.sleep(0.999)
        Key.woken, begun = 0, time.process_time()
        while Key.woken < min(ROWS, count):
            await clock.sleep(0.01)
        spent = time.process_time() - begun
        await scheduler.aclose()
        return spent * 1e3 * ROWS / Key.woken


async def list_tick(*, changed: int) -> dict[str, float]:
    """CPU milliseconds of one list of 10,000 rows of which *changed* have a new status word."""
    bodies = [listing(ROWS, changed * tick) for tick in range(TICKS)]
    async with VirtualClock() as clock:
        surreal, port = canned_client(clock)
        async with surreal, JobWatcher(surreal, clock=clock, cadence=Fixed(EVERY, 0.0)) as watcher:
            jobs = [await watcher.submit(PHOTO) for _ in range(ROWS)]
            port.bodies = iter(bodies)
            await clock.sleep(EVERY / 2)
            ticks = [await _one_tick(clock) for _ in range(TICKS)]
            assert port.listed == TICKS
            assert not any(job.done() for job in jobs)
    begun = time.process_time()
    for body in bodies:
        read_json(body)
    alone = (time.process_time() - begun) / len(bodies)
    # The first tick sees every word for the first time.
    return {"list tick": median(ticks[1:]) * 1e3, "of it reading JSON": alone * 1e3}


async def _one_tick(clock: VirtualClock) -> float:
    begun = time.process_time()
    await clock.sleep(EVERY)
    return time.process_time() - begun


def one(what: str, count: int) -> dict[str, float]:
    logging.disable(logging.WARNING)
    if what == "traced":
        return asyncio.run(memory(count, traced=True))
    if what == "resident":
        return asyncio.run(memory(count, traced=False))
    if what == "wakes":
        together, apart = (asyncio.run(wake_ups(count, apart=apart)) for apart in (False, True))
        return {"10k wake-ups ms, together": together, "10k wake-ups ms, apart": apart}
    return asyncio.run(list_tick(changed=count))


def main(argv: list[str]) -> int:
    parser = report.options("scale", __doc__, runs=3)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]))))
        return 0
    about = report.machine() | report.versions("talking-avatar", "aiohttp") | {"runs": str(options.runs)}
    rows = [{"jobs": count} | measured(("traced", "resident", "wakes"), count, options.runs) for count in COUNTS]
    report.show("scale", rows, about=about, as_json=options.json)
    ticks = [{"rows": ROWS, "changed": changed} | measured(("tick",), changed, options.runs) for changed in (0, 100)]
    report.show("scale, CPU ms of a list", ticks, about=about, as_json=options.json)
    return 0


def measured(kinds: tuple[str, ...], count: int, runs: int) -> dict[str, Any]:
    medians = [
        report.medians(report.fresh("benchmarks", "scale", "--one", kind, str(count)) for _ in range(runs))
        for kind in kinds
    ]
    return {name: value for found in medians for name, value in found.items()}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
