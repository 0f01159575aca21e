"""Many downloads under one limit, each target fetched once."""

import asyncio
import random
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.download.disk import Disk
from talking_avatar.download.patience import Patience
from talking_avatar.download.progress import Listener, Meter
from talking_avatar.download.sharing import Transfers
from talking_avatar.download.transfer import Renew, Transfer
from talking_avatar.errors import Closed
from talking_avatar.models.refs import JobRef
from talking_avatar.per_loop import PerLoop
from talking_avatar.transport.aiohttp import AiohttpFiles
from talking_avatar.transport.call import FilePort

__all__ = ["Downloader"]


@attrs.define(eq=False)
class Downloader:
    """Brings files here whole, *at_once* at a time; *attempts* are tries in a row without progress, *largest* bytes.

    Files are opened without any credential. A port that is passed in stays its owner's to close.
    """

    _files: FilePort | None = None
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, kw_only=True)
    at_once: int = attrs.field(default=4, kw_only=True, validator=attrs.validators.ge(1))
    backoff: Backoff = attrs.field(default=Backoff(initial=0.5, maximum=30.0), kw_only=True)
    attempts: int = attrs.field(default=8, kw_only=True, validator=attrs.validators.ge(1))
    largest: int = attrs.field(default=8 << 30, kw_only=True, validator=attrs.validators.ge(1))
    _rng: random.Random = attrs.field(factory=random.Random, kw_only=True, repr=False)
    _port: FilePort = attrs.field(init=False, repr=False)
    _loops: "PerLoop[Transfers]" = attrs.field(init=False, repr=False)
    _closed: bool = attrs.field(default=False, init=False, repr=False)

    @_port.default
    def _own_port(self) -> FilePort:
        return AiohttpFiles(clock=self.clock) if self._files is None else self._files

    @_loops.default
    def _one_per_loop(self) -> "PerLoop[Transfers]":
        return PerLoop(lambda: Transfers(asyncio.Semaphore(self.at_once)))

    async def fetch(
        self,
        url: str,
        target: Path,
        *,
        renew: Renew | None = None,
        on_progress: Listener | None = None,
        ref: JobRef | None = None,
    ) -> Path:
        """Bring the file at *url* to *target* and return that path.

        A target that exists and is not empty counts as finished and is returned without a request, whatever it holds.
        Until it is whole, only a hidden part file beside it grows, and a later fetch goes on where that ends. *renew*
        is awaited at most once, when the link is refused. A second fetch of a target joins the first; cancelling one
        of them leaves the other its transfer.
        """
        here, target = self._here(), Path(target)
        shared = await here.under_way(target)
        if shared is None:
            shared = here.begin(self._transfer(here, url, target, renew, ref))
        shared.meter.add(on_progress)
        return await shared.joined()

    async def aclose(self) -> None:
        """Stop what is under way, keeping its part files, and close the port this downloader opened."""
        self._closed = True
        await self._loops.get().stop()
        if self._files is None:
            await self._port.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _here(self) -> Transfers:
        if self._closed:
            raise Closed("this downloader has been closed; what it was fetching is kept in part files, make a new one")
        return self._loops.get()

    def _transfer(self, here: Transfers, url: str, target: Path, renew: Renew | None, ref: JobRef | None) -> Transfer:
        return Transfer(
            url=url,
            target=target,
            ref=ref,
            renew=renew,
            meter=Meter(self.clock),
            files=self._port,
            gate=here.gate,
            clock=self.clock,
            disk=Disk(self.clock),
            patience=Patience(self.attempts, self.backoff, self._rng),
            largest=self.largest,
        )
