"""A job costs about a kilobyte, and a long list does not hold up the event loop."""

import gc
import json
import threading
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from talking_avatar import JobRef, JobWatcher, Surreal
from talking_avatar.surreal.videos import VideoListing
from talking_avatar.testing import VirtualClock
from talking_avatar.transport.call import Answer, Call

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
JOBS = 5_000


async def test_a_watched_job_costs_about_a_kilobyte(studio: Make, watch: Make, film: Make) -> None:
    watcher: JobWatcher = watch(studio(lists=True), cadence=1000)
    refs = [JobRef("canned", "film", f"film-{number}") for number in range(JOBS)]
    gc.collect()
    tracemalloc.start()
    for ref in refs:
        await watcher.attach(ref)
    per_job = tracemalloc.get_traced_memory()[0] / JOBS
    tracemalloc.stop()
    assert per_job < 1024


class CannedPort:
    """Answers every list with the same rows."""

    def __init__(self, rows: int) -> None:
        row = {"status": "in_progressing", "preview_url": "https://files.example/" + "a" * 100}
        data = [{"video_id": f"{number:032x}", **row} for number in range(rows)]
        self.body = json.dumps({"code": 0, "data": data}).encode()

    async def exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        return Answer(200, {}, self.body)

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize(("rows", "is_aside"), [(100, False), (10_000, True)])
async def test_a_list_of_ten_thousand_rows_is_read_in_a_thread(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, rows: int, is_aside: bool
) -> None:
    threads = []
    whole = VideoListing.read

    def read(payload: Any, ref_of: Any) -> VideoListing:
        threads.append(threading.current_thread())
        return whole(payload, ref_of)

    monkeypatch.setattr(VideoListing, "read", read)
    async with Surreal("token", base_url="http://127.0.0.1:9", clock=clock) as surreal:
        surreal._channel.port = CannedPort(rows)
        async with JobWatcher(surreal, clock=clock, cadence=60) as watcher:
            jobs = [await watcher.attach(JobRef("surreal", "v2v", f"{number:032x}")) for number in range(2)]
            await clock.sleep(90)
            assert [job.status for job in jobs] == ["processing"] * 2
            assert watcher.stats.lists >= 1
    assert all((thread is not threading.main_thread()) == is_aside for thread in threads)
