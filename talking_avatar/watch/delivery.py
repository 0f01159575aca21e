"""From a finished job to a file: which link, where to, and a fresh link when the old one has ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from talking_avatar.clock import Clock
from talking_avatar.download import Downloader, mask_path, suffix_of, target_path
from talking_avatar.download.progress import Listener
from talking_avatar.errors import DownloadError, ResultExpired
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.budget import Purpose
from talking_avatar.watch.events import Downloaded, Event
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job

__all__ = ["Delivery"]

Link = Callable[[Any], str | None]


class Delivery:
    """Downloads for every job of a watcher, under one limit."""

    def __init__(self, clock: Clock, announce: Callable[[Event], None], *, at_once: int) -> None:
        self._downloader = Downloader(clock=clock, at_once=at_once)
        self._clock = clock
        self._announce = announce
        self._holds: dict[Path, JobRef] = {}

    async def fetch(
        self,
        family: Family,
        job: Job[Any],
        path: str | Path,
        *,
        mask: bool = False,
        on_progress: Listener | None = None,
    ) -> Path:
        """Bring the file of a finished *job* to *path*, with its mask video beside it where *mask* asks for one."""
        url = await self._link(family, job, link_of)
        target = target_path(path, ref=job.ref, key=job.key, suffix=suffix_of(url))
        self._refuse_anothers(target, job.ref)
        here = await self._one(family, job, url, target, link_of, on_progress)
        if mask:
            mask_url = await self._link(family, job, mask_link_of)
            await self._one(family, job, mask_url, mask_path(target), mask_link_of, None)
        done = Downloaded(ref=job.ref, at=self._clock.time(), path=str(here))
        job.tell(done)
        self._announce(done)
        return here

    async def aclose(self) -> None:
        """Stop what is under way; part files stay for the next try."""
        await self._downloader.aclose()

    def _refuse_anothers(self, target: Path, ref: JobRef) -> None:
        # A file that is there counts as brought, so a second job would pass the first one's off as its own.
        holds = self._holds.setdefault(target.absolute(), ref)
        if holds != ref:
            raise DownloadError(
                f"{target} is the file of {holds}, so that of {ref} was not brought there. It is finished and paid; "
                "give each its own path, for instance with {ref} in it",
                path=str(target),
                ref=ref,
            )

    async def _one(
        self,
        family: Family,
        job: Job[Any],
        url: str,
        target: Path,
        link: Link,
        on_progress: Listener | None,
    ) -> Path:
        async def renew() -> str:
            return await self._link(family, job, link, fresh=True)

        return await self._downloader.fetch(url, target, renew=renew, on_progress=on_progress, ref=job.ref)

    async def _link(self, family: Family, job: Job[Any], link: Link, *, fresh: bool = False) -> str:
        url = None if fresh else link(job.latest)
        if url is None:
            async with family.gate.passing(Purpose.READ):
                latest: JobResult = await family.product.read(job.ref.id)
            job.advance(latest)
            url = link(latest)
        if url is None:
            kind = "mask video" if link is mask_link_of else "file"
            raise ResultExpired(
                f"{job.ref} is {job.status} and paid for, but the service names no {kind} for it (any more)",
                ref=job.ref,
                status=job.status,
            )
        return url


def link_of(result: Any) -> str | None:
    """The file that a result is about: a video, or a recording."""
    return getattr(result, "video_url", None) or getattr(result, "url", None)


def mask_link_of(result: Any) -> str | None:
    """The mask video, where the product has one."""
    return getattr(result, "mask_video_url", None)
