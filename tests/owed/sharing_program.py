"""A program that shares its journal with another: it submits the keys it is given, and downloads what it watches."""

import asyncio
import sys
from pathlib import Path

from talking_avatar import JobWatcher, Surreal, TalkingPhoto
from talking_avatar.watch import bookkeeping

bookkeeping.LEASE = 1.5


async def main(url: str, token: str, folder: Path, count: int, seconds: float, anywhere: str) -> None:
    if anywhere == "elsewhere":
        # As on another machine, from which nobody can see whether a process still runs.
        vars(bookkeeping)["has_ended"] = lambda _holder: False
    request = TalkingPhoto(image_url=f"{url}/samples/portrait.jpg", audio_url=f"{url}/samples/speech.wav")
    async with (
        Surreal(token, base_url=url) as surreal,
        JobWatcher(surreal, journal=folder / "renders.db", download_dir=folder / "videos", cadence=0.2) as watcher,
    ):
        await watcher.resume()
        jobs = await asyncio.gather(*(watcher.submit(request, key=f"order-{i}") for i in range(count)))
        print(*sorted(f"{job.key}={job.ref.id}" for job in jobs), flush=True)  # noqa: T201 - to the test
        await asyncio.sleep(seconds)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), sys.argv[6]))
