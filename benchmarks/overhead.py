"""CPU of a poll through the watcher beside a bare aiohttp GET with json.loads, against one server in another process.

Both ask the same small answer equally often with 32 requests in flight at most, in turn within each round. The watcher
reads, decodes, compares and plans the next look of Akool jobs that are always due again.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import aiohttp
from aiohttp import web

from benchmarks import report
from talking_avatar import Akool, JobWatcher
from talking_avatar.watch.cadence import Fixed

PATH = "/api/open/v3/content/video/infobymodelid"
AT_ONCE = 32


def serve(port: "multiprocessing.connection.Connection") -> None:
    """Answer for a job ``<round>-<number>-<looks>`` that it is finished at its last look."""
    asked: Counter[str] = Counter()

    async def get(request: web.Request) -> web.Response:
        job_id = request.query["video_model_id"]
        asked[job_id] += 1
        finished = asked[job_id] >= int(job_id.rpartition("-")[2])
        row = {"_id": job_id, "video_status": 3 if finished else 2, "video": "https://files.example/1.mp4"}
        return web.json_response({"code": 1000, "msg": "OK", "data": row})

    async def run() -> None:
        app = web.Application()
        app.router.add_get(PATH, get)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def jobs_of(number: int, looks: int) -> list[str]:
    return [f"{number}-{job}-{looks}" for job in range(AT_ONCE)]


async def bare(session: aiohttp.ClientSession, url: str, job_ids: list[str], looks: int) -> None:
    async def watch(job_id: str) -> None:
        for _ in range(looks):
            async with session.get(url + PATH, params={"video_model_id": job_id}, headers={"x-api-key": "k"}) as answer:
                assert json.loads(await answer.read())["code"] == 1000

    await asyncio.gather(*map(watch, job_ids))


async def watched(akool: Akool, job_ids: list[str], looks: int) -> None:
    async with JobWatcher(akool, cadence=Fixed(1e-3)) as watcher:
        jobs = [await watcher.attach(f"akool.talking_avatar:{job_id}") for job_id in job_ids]
        await asyncio.gather(*jobs)
        assert watcher.stats.gets == looks * len(jobs)


async def rounds(url: str, count: int, looks: int) -> list[tuple[float, float]]:
    """CPU microseconds of one get, bare and through the watcher, in each round."""
    spent = []
    async with aiohttp.ClientSession() as session, Akool("key", base_url=url) as akool:
        # The first round fills the connections of both.
        for number in range(count + 1):
            begun = time.process_time()
            await bare(session, url, jobs_of(2 * number, looks), looks)
            between = time.process_time()
            await watched(akool, jobs_of(2 * number + 1, looks), looks)
            spent.append((between - begun, time.process_time() - between))
    each = 1e6 / (looks * AT_ONCE)
    return [(ours * each, theirs * each) for ours, theirs in spent[1:]]


def main(argv: list[str]) -> int:
    parser = report.options("overhead", __doc__, runs=9)
    parser.add_argument("--looks", type=int, default=100, help=f"at each of {AT_ONCE} jobs in a round")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.url:
        logging.disable(logging.WARNING)
        print(json.dumps(asyncio.run(rounds(options.url, options.runs, options.looks))))
        return 0
    with server() as url:
        given = ("--url", url, "--runs", str(options.runs), "--looks", str(options.looks))
        found = report.fresh("benchmarks", "overhead", *given)
    row = {
        "bare µs": median(pair[0] for pair in found),
        "watched µs": median(pair[1] for pair in found),
        "ratio": median(pair[1] / pair[0] for pair in found),
        "least ratio": min(pair[1] / pair[0] for pair in found),
        "greatest ratio": max(pair[1] / pair[0] for pair in found),
    }
    about = report.machine() | report.versions("talking-avatar", "aiohttp")
    about |= {"rounds": str(options.runs), "gets in a round": str(options.looks * AT_ONCE)}
    report.show("overhead, CPU of a get", [row], about=about, as_json=options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
