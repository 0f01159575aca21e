"""What a hostile or broken service sends: a clear error, bounded memory, and nothing lost."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from talking_avatar import TalkingPhoto
from talking_avatar.download import Downloader
from talking_avatar.errors import DownloadError
from talking_avatar.sandbox import Fault
from talking_avatar.testing import Lab, VirtualClock
from tests.owed.model import Scene, Service

pytestmark = pytest.mark.anyio

MIB = 1 << 20
HOSTILE_KEYS = [
    "../../etc/cron.d/evil",
    "/etc/passwd",
    "..",
    ".bashrc",
    "CON",
    "a\x00b",
    "nul.mp4",
    "C:\\windows\\system32",
    "{ref}",
    "k" * 5_000,
    "\u202e4pm.exe",
    "~/.ssh/authorized_keys",
]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("pattern", ["{key}", "{key}.mp4", "{product}/{key}/{ref}.mp4", ""])
async def test_no_key_leads_out_of_its_folder(
    start: Callable[..., Any], service: Service, tmp_path: Path, pattern: str
) -> None:
    inside = tmp_path / "inside"
    async with await start(download_dir=f"{inside}/{pattern}") as watcher:
        jobs = [await watcher.submit(Scene(text=str(i)), key=key) for i, key in enumerate(HOSTILE_KEYS)]
        await asyncio.gather(*jobs)
    files = files_in(tmp_path)
    assert all(path.is_relative_to(inside) for path in files)
    assert sorted(path.read_bytes() for path in files) == sorted(service.content(job.ref.id) for job in jobs)


@asynccontextmanager
async def host(handle: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/film.mp4", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/film.mp4"
    finally:
        await runner.cleanup()


async def test_a_bomb_is_not_unfolded(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(64 * MIB))

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip", "ETag": '"v1"'})

    async with host(handle) as url, Downloader() as downloader:
        with pytest.raises(DownloadError, match="compressed"):
            await downloader.fetch(url, tmp_path / "film.mp4")
    assert files_in(tmp_path) == []


async def test_an_endless_file_ends_at_the_largest_size(tmp_path: Path) -> None:
    sent = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse(headers={"ETag": '"v1"'})
        await answer.prepare(request)
        while True:
            await answer.write(bytes(MIB))
            sent += 1

    async with host(handle) as url, Downloader(largest=8 * MIB) as downloader:
        with pytest.raises(DownloadError, match="larger than"):
            await downloader.fetch(url, tmp_path / "film.mp4")
    assert sent < 40
    assert files_in(tmp_path) == []


async def test_a_status_of_a_hundred_megabytes_is_read_again(tmp_path: Path) -> None:
    sent: list[int] = []

    async def play(exchange: Any) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(exchange.request)
        await answer.write(b'{"code": 0, "data": ["')
        for number in range(100):
            await answer.write(b"x" * MIB)
            sent.append(number)
        return answer

    async with Lab(render_seconds=60.0, clock=VirtualClock(), watcher={"journal": tmp_path / "renders.db"}) as lab:
        lab.sandbox.faults.add(Fault("endless", play), endpoint="video.get", nth=2)
        job = await lab.watcher.submit(TalkingPhoto(image_url=lab.photo, audio_url=lab.speech), key="a")
        assert (await job).id == job.ref.id
        assert lab.watcher.stats.failed_reads == 1
    assert len(sent) < 80
