"""Downloads against a bare aiohttp streaming loop, and memory against file size.

    python -m benchmarks.downloads [--size 256] [--rounds 7] [--folder DIR] [--json]

Both subjects fetch the same bytes from one loopback server in another process, in turn within each round. The bare
loop only writes; what reaches the disk is measured twice, without a sync and with the one sync that a file needs to
survive a power cut.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from talking_avatar.download import Downloader

MIB = 1 << 20
BLOCK = os.urandom(MIB)


def serve(port: "multiprocessing.connection.Connection") -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        size = int(request.match_info["size"]) * MIB
        response = web.StreamResponse(headers={"Content-Length": str(size), "ETag": '"bench"'})
        await response.prepare(request)
        for _ in range(size // MIB):
            await response.write(BLOCK)
        return response

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{size}", stream)
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


async def bare(url: str, target: Path, *, sync: bool) -> None:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        with target.open("wb") as file:
            async for chunk in response.content.iter_chunked(64 * 1024):
                file.write(chunk)
            if sync:
                file.flush()
                os.fsync(file.fileno())


async def ours(url: str, target: Path) -> None:
    async with Downloader() as downloader:
        await downloader.fetch(url, target)


async def seconds(work: Callable[[Path], Awaitable[None]], target: Path) -> float:
    tidy(target)
    begun = time.perf_counter()
    await work(target)
    taken = time.perf_counter() - begun
    tidy(target)
    return taken


def tidy(target: Path) -> None:
    target.unlink(missing_ok=True)
    # What one subject left to be written must not slow the next.
    os.sync()


async def throughput(origin: str, folder: Path, *, size: int, rounds: int) -> dict[str, float]:
    url = f"{origin}/{size}"
    subjects: dict[str, Callable[[Path], Awaitable[None]]] = {
        "bare": lambda target: bare(url, target, sync=False),
        "bare_synced": lambda target: bare(url, target, sync=True),
        "ours": lambda target: ours(url, target),
    }
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        names = list(subjects)
        # Whoever goes first would always meet the emptier disk queue.
        for name in names[number % 3 :] + names[: number % 3]:
            spent = await seconds(subjects[name], folder / f"{name}.bin")
            if number:
                taken[name].append(spent)
    figures = {f"{name}_mib_per_s": size / statistics.median(times) for name, times in taken.items()}
    for name in ("bare", "bare_synced"):
        pairs = zip(taken[name], taken["ours"], strict=True)
        figures[f"ours_vs_{name}"] = statistics.median(theirs / mine for theirs, mine in pairs)
    return {name: round(value, 3) for name, value in figures.items()}


def peak_memory(origin: str, folder: Path, *, size: int) -> float:
    """MiB at most resident, in a process of its own that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.downloads", "--one", f"{origin}/{size}", "--folder", str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def one(url: str, folder: Path) -> None:
    target = folder / "one.bin"
    await ours(url, target)
    target.unlink()
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB)


def measure(folder: Path, *, size: int, rounds: int) -> dict[str, float | str]:
    with server() as origin:
        memory = {
            f"peak_mib_{large}_mb_file": round(
                statistics.median(peak_memory(origin, folder, size=large) for _ in range(3)), 1
            )
            for large in (10, 500)
        }
        speed = asyncio.run(throughput(origin, folder, size=size, rounds=rounds))
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    about = {"machine": machine, "python": platform.python_version(), "aiohttp": aiohttp.__version__}
    return {**about, "file_mib": size, "rounds": rounds, **speed, **memory}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.downloads", description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="MiB of the file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a temporary folder when left out")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.one:
            asyncio.run(one(options.one, Path(folder)))
            return 0
        figures = measure(Path(folder), size=options.size, rounds=options.rounds)
    print(json.dumps(figures, indent=2) if options.json else "\n".join(f"{k:24} {v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
