"""One file on its way: ask, receive, and ask again until it is whole or no further request would help."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import attrs

from talking_avatar.clock import Clock
from talking_avatar.download.disk import Disk, DiskFault
from talking_avatar.download.fate import disk_words, expired, is_web, not_whole
from talking_avatar.download.part import PartFile, whole_size
from talking_avatar.download.patience import Patience
from talking_avatar.download.progress import Meter
from talking_avatar.download.verdict import Again, Body, More, Refused, Stale, Verdict, Whole, judge
from talking_avatar.download.writer import Writer
from talking_avatar.errors import DownloadError, Unreachable
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.call import FileAnswer, FilePort

__all__ = ["Renew", "Transfer"]

Renew = Callable[[], Awaitable[str]]
_BUSY = Again("another process is downloading to the same path")


@attrs.define(eq=False, kw_only=True)
class Transfer:
    """Brings what *url* leads to into *target*."""

    url: str = attrs.field(repr=False)
    target: Path
    ref: JobRef | None
    renew: Renew | None
    meter: Meter
    _files: FilePort
    _gate: AbstractAsyncContextManager[object]
    _clock: Clock
    _disk: Disk
    _patience: Patience
    _largest: int
    _part: PartFile | None = None

    async def run(self) -> Path:
        try:
            if not await self._already_whole():
                await self._bring()
        except DiskFault as fault:
            raise self._error(disk_words(fault.error)) from fault.error
        return self.target

    async def _already_whole(self) -> bool:
        size = await self._disk.do(partial(whole_size, self.target))
        if size:
            self.meter.end(size)
        return bool(size)

    async def _bring(self) -> None:
        try:
            part = await self._opened()
            # Whoever held the part until now may have finished it.
            if not await self._already_whole():
                await self._fill(part)
        finally:
            if self._part is not None:
                await self._disk.do(self._part.close)

    async def _opened(self) -> PartFile:
        while (part := await self._disk.do(self._take_part)) is None:
            await self._pause(_BUSY)
        return part

    def _take_part(self) -> PartFile | None:
        # Kept in the thread already: a cancelled wait would lose it, and with it an open descriptor.
        self._part = PartFile.open(self.target, source="" if self.ref is None else str(self.ref))
        return self._part

    async def _fill(self, part: PartFile) -> None:
        while not isinstance(verdict := await self._try(part), Whole):
            await self._follow(part, verdict)
        await self._disk.do(part.finish)
        self.meter.end(part.size)

    async def _try(self, part: PartFile) -> Verdict | More:
        if part.whole:
            return Whole()
        if not is_web(self.url):
            raise self._error("its link is no http or https address")
        headers = {}
        if part.resumable:
            headers = {"Range": f"bytes={part.size}-", "If-Range": part.origin.validator}
        try:
            async with self._gate, self._files.open(self.url, headers) as answer:
                verdict = self._judged(part, answer)
                if isinstance(verdict, Body):
                    return await self._receive(part, answer.chunks, verdict)
                return verdict
        except Unreachable as error:
            return Again(str(error))
        except ValueError as error:
            return Refused(f"the link, or what it redirects to, is no web address ({type(error).__name__})")

    def _judged(self, part: PartFile, answer: FileAnswer) -> Verdict:
        return judge(
            answer.status,
            answer.headers,
            kept=part.size if part.resumable else 0,
            origin=part.origin,
            largest=self._largest,
            now=self._clock.time(),
        )

    async def _receive(self, part: PartFile, chunks: AsyncIterator[bytes], body: Body) -> Verdict | More:
        await self._disk.do(partial(part.expect, body.origin, start=body.start, end=body.end))
        writer, received = Writer(part, self._disk), body.start
        limit = self._largest if body.end is None else body.end
        try:
            async for chunk in chunks:
                received += len(chunk)
                if received > limit:
                    return _too_long(body, self._largest)
                if writer.put(chunk):
                    await writer.write()
                self.meter.at(received, body.origin.total)
        finally:
            await writer.flush()
        return _ended(received, body)

    async def _follow(self, part: PartFile, verdict: Verdict | More) -> None:
        further = self._patience.reached(part.size)
        if isinstance(verdict, Again | Refused) and verdict.afresh:
            await self._disk.do(part.empty)
        match verdict:
            case Refused(reason):
                raise self._error(reason)
            case Stale(reason):
                self.url = await self._renewed(reason)
            case Again():
                await self._pause(verdict)
            case More() if not further:
                await self._pause(Again("the host hands the file out in crumbs"))

    async def _pause(self, fault: Again) -> None:
        wait = self._patience.after_failure(at_least=fault.pause)
        if wait is None:
            raise self._error(f"{fault.reason}, and {self._patience.attempts} tries in a row brought nothing further")
        await self._clock.sleep(wait)

    async def _renewed(self, reason: str) -> str:
        renew, self.renew = self.renew, None
        url = await renew() if renew is not None else ""
        if not url:
            raise expired(reason, self.ref)
        return url

    def _error(self, reason: str) -> DownloadError:
        return not_whole(reason, url=self.url, target=self.target, ref=self.ref, part=self._part)


def _too_long(body: Body, largest: int) -> Again | Refused:
    if body.end is not None:
        return Again(f"the host sent more than the {body.end:,} bytes it had announced", afresh=True)
    return Refused(f"the file is larger than the {largest:,} bytes allowed", afresh=True)


def _ended(received: int, body: Body) -> Verdict | More:
    if body.end is not None and received < body.end:
        return Again(f"the host stopped at {received:,} of {body.end:,} bytes")
    if not received:
        return Again("the host sent an empty file")
    if body.origin.total is not None and received < body.origin.total:
        return More()
    return Whole()
