"""Thousands of jobs on a bad day, and afterwards nothing is left of them."""

import asyncio
import gc
import random
import tracemalloc
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web_app

from talking_avatar import AudioElement, AvatarElement, JobWatcher, TalkingAvatar, TalkingPhoto
from talking_avatar.errors import DecodeError, InvalidRequest, ServerFault, Unreachable
from talking_avatar.sandbox import Fault, Lognormal
from talking_avatar.testing import Lab, VirtualClock
from talking_avatar.watch.job import Job

# What a run of any size leaves: caches, and a thread or two.
LEFT_OVER = 500_000


def bad_day(lab: Any) -> None:
    add = lab.sandbox.faults.add
    for fault in (Fault.server_error(500), Fault.html(), Fault.garbage(), Fault.reset_before(), Fault.truncated_json()):
        add(fault, method="GET", probability=0.02, times=None)
    add(Fault.too_many(), probability=0.005, times=None)
    add(Fault.reset_after(), method="POST", probability=0.002, times=None)
    add(Fault.failed_render(), method="POST", probability=0.01, times=None)
    add(Fault.stale_list(500), endpoint="video.list", probability=0.2, times=None)


async def day(jobs: int) -> Counter[str]:
    before = asyncio.all_tasks()
    async with Lab(render_seconds=Lognormal(600, 0.5), rate=0, watcher={"cadence": 120.0}) as lab:
        bad_day(lab)
        photo = TalkingPhoto(image_url=lab.photo, audio_url=lab.speech)
        avatar = TalkingAvatar(elements=[AvatarElement(url=lab.photo), AudioElement(url=lab.speech)])
        requests = (avatar if number % 20 == 0 else photo for number in range(jobs))
        ends = Counter[str]()
        async for job in lab.watcher.render_all(requests, max_in_flight=jobs):
            ends[type(job.error).__name__] += 1
        assert lab.watcher.jobs == ()
        assert len(lab.watcher._scheduler._agenda) <= sum(lab.sandbox.creates.values())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    return ends


def forget_applications() -> None:
    # aiohttp keeps the last thousand handlers of any application, and through them each sandbox with its ledger.
    for cache in [thing for thing in vars(web_app).values() if hasattr(thing, "cache_clear")]:
        cache.cache_clear()
    gc.collect()


def watched_jobs() -> int:
    return sum(isinstance(thing, Job) for thing in gc.get_objects())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


def test_a_thousand_jobs_over_real_sockets_leave_no_task_no_socket_and_no_memory() -> None:
    asyncio.run(day(200))
    forget_applications()
    files = open_files()
    jobs_before = watched_jobs()
    tracemalloc.start()
    ends = asyncio.run(day(1_000))
    forget_applications()
    left_over, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ends.total() == 1_000
    assert set(ends) <= {"NoneType", "RenderFailed", "SubmissionUnknown"}
    assert ends["NoneType"] > 950
    assert open_files() == files
    assert watched_jobs() <= jobs_before
    assert left_over < LEFT_OVER


@pytest.mark.parametrize(("jobs", "lists"), [(10_000, True), (2_000, False)])
def test_ten_thousand_jobs_leave_no_task_and_no_memory(
    studio_in_no_loop: Any, film: Any, jobs: int, lists: bool
) -> None:
    async def long_day(jobs: int) -> Counter[str]:
        before, ends, chance = asyncio.all_tasks(), Counter[str](), random.Random(jobs)  # noqa: S311
        async with VirtualClock() as clock:
            service = studio_in_no_loop(clock, lists=lists)
            service.answer = partial(weather, chance)
            async with JobWatcher(service, clock=clock, seed=0, cadence=300, deadline=1800) as watcher:
                films = (film(chance.lognormvariate(6.0, 0.5)) for _ in range(jobs))
                async for job in watcher.render_all(films, max_in_flight=jobs):
                    ends[type(job.error).__name__] += 1
                    service.ends.pop(str(job.ref).rpartition(":")[2], None)
                    service.asked.clear()
                assert watcher.jobs == ()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        return ends

    asyncio.run(long_day(100))
    gc.collect()
    jobs_before = watched_jobs()
    tracemalloc.start()
    ends = asyncio.run(long_day(jobs))
    gc.collect()
    left_over, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ends.total() == jobs
    assert set(ends) <= {"NoneType", "JobTimeout", "JobStateUnknown", "SubmissionUnknown", "InvalidRequest"}
    assert ends["NoneType"] > 0.9 * jobs
    assert watched_jobs() <= jobs_before
    assert left_over < LEFT_OVER


def weather(chance: random.Random, kind: str, job_id: str) -> str | None:
    dice = chance.random()
    if kind == "create":
        if dice < 0.002:
            raise InvalidRequest("the photo is too small")
        return None
    if dice < 0.03:
        # No 429: to be told every few seconds that it is too fast rightly brings a watcher to a crawl.
        raise chance.choice([ServerFault("503"), Unreachable("reset"), TimeoutError(), DecodeError()])
    return "a word that nobody knows" if dice < 0.04 else None
