"""Batches under Surreal's 30 requests a minute, in virtual time, through the real HTTP client and the sandbox.

The bound is what nobody can beat: the nth create cannot leave before the limit lets it, and its render takes what it
takes. Renders are lognormal with a median of 12 minutes, the same ones for every subject and run.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

from benchmarks import report
from talking_avatar import TalkingPhoto
from talking_avatar.sandbox import Lognormal
from talking_avatar.testing import Lab

RATE, WINDOW = 30, 60.0
RENDERS = Lognormal(median=720.0, sigma=0.5)
PHOTO = TalkingPhoto(image_url="https://files.example/1.jpg", audio_url="https://files.example/1.wav")


async def batch(count: int, seed: int) -> dict[str, Any]:
    back: dict[str, float] = {}
    async with Lab(render_seconds=RENDERS, rate=RATE, seed=seed) as lab:

        async def render() -> None:
            video = await lab.watcher.render(PHOTO)
            back[video.id] = lab.clock.time()

        begun = lab.clock.time()
        await asyncio.gather(*(render() for _ in range(count)))
        took = lab.clock.time() - begun
        plans = {job_id: job.plan for job_id, job in lab.sandbox.jobs.items()}
        seen = tuple(lab.sandbox.requests)
    lengths = [plan.ends - plan.created for plan in sorted(plans.values(), key=lambda plan: plan.created)]
    created = max(plan.created for plan in plans.values())
    late = [back[job_id] - plan.ends for job_id, plan in plans.items() if plan.ends > created]
    return {
        "renders": count,
        "makespan s": round(took),
        "÷ bound": took / bound(lengths),
        "429": sum(request.status == 429 for request in seen),
        "mean lateness s": mean(late) if late else 0.0,
        "max lateness s": max(late, default=0.0),
        "status requests": len(seen) - count,
    }


def bound(lengths: Sequence[float]) -> float:
    """The earliest end of renders that take *lengths*, created as fast as the limit allows."""
    return max(number // RATE * WINDOW + seconds for number, seconds in enumerate(lengths))


def one(count: int, seed: int) -> None:
    # The sandbox's links die within the hour of virtual time, and nobody downloads here.
    logging.disable(logging.WARNING)
    begun = time.perf_counter()
    row = asyncio.run(batch(count, seed))
    print(json.dumps(row | {"real s": time.perf_counter() - begun}))


def main(argv: list[str]) -> int:
    parser = report.options("limit", __doc__, runs=15)
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        one(*options.one)
        return 0
    rows = [
        report.medians(
            report.fresh("benchmarks", "limit", "--one", str(count), str(seed)) for seed in range(options.runs)
        )
        for count in (10, 100, 1_000)
    ]
    about = report.machine() | report.versions("talking-avatar", "aiohttp") | {"runs": str(options.runs)}
    report.show("limit", rows, about=about, as_json=options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
