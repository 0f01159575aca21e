"""One request on its way through the sandbox, as a scripted fault may interfere with it."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from aiohttp import hdrs, web

from talking_avatar.clock import Clock
from talking_avatar.sandbox.download import Download
from talking_avatar.sandbox.engine import Failure

__all__ = ["FAILS", "Exchange", "Handler"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Under this key a request says that the job it creates must fail.
FAILS: Any = web.RequestKey("fails", Failure) if hasattr(web, "RequestKey") else "fails"


@attrs.define(kw_only=True, eq=False)
class Exchange:
    """A request, the handler that would answer it, and ways not to; *service* is surreal, akool or files."""

    request: web.Request
    service: str
    clock: Clock
    closing: asyncio.Event
    broken: bool = attrs.field(default=False, init=False)
    _handler: Handler

    async def handle(self) -> web.StreamResponse:
        """Answer as if nothing were wrong."""
        return await self._handler(self.request)

    def reset(self) -> web.Response:
        """Break the connection, so that the caller sees it reset."""
        self.broken = True
        transport = self.request.transport
        if transport is not None:
            connection = transport.get_extra_info("socket")
            if connection is not None and hasattr(socket, "SO_LINGER"):
                # No lingering turns the close into a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response(status=500)

    async def silence(self, seconds: float) -> None:
        """Say nothing for *seconds*, or until the sandbox closes."""
        waits = (asyncio.ensure_future(self.clock.sleep(seconds)), asyncio.ensure_future(self.closing.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await wait

    def fail_job(self, failure: Failure) -> None:
        """Let the job this request creates end in *failure*."""
        self.request[FAILS] = failure

    async def edited(self, edit: Callable[[Any], Any]) -> web.StreamResponse:
        """Answer with *edit* applied to the decoded JSON of the real answer."""
        answer = await self.handle()
        if not isinstance(answer, web.Response) or answer.content_type != "application/json":
            return answer
        answer.text = json.dumps(edit(json.loads(answer.text or "null")))
        return answer

    async def cut(self, share: float) -> web.StreamResponse:
        """Announce the whole body and break off after *share* of it."""
        whole = await self._body()
        answer = await self._begin(whole, length=len(whole))
        await answer.write(whole[: int(len(whole) * share)])
        self._hang_up()
        return answer

    async def mislabelled(self, share: float) -> web.StreamResponse:
        """Announce *share* of the body as all there is, and send no more than that."""
        whole = await self._body()
        part = whole[: int(len(whole) * share)]
        answer = await self._begin(whole, length=len(part))
        await answer.write(part)
        await answer.write_eof()
        return answer

    async def _body(self) -> bytes:
        answer = await self.handle()
        if isinstance(answer, Download):
            return await asyncio.to_thread(answer.file.read_bytes)
        body = answer.body if isinstance(answer, web.Response) else b""
        return bytes(body) if isinstance(body, bytes | bytearray) else b""

    async def _begin(self, whole: bytes, *, length: int) -> web.StreamResponse:
        kind = "video/mp4" if whole[4:8] == b"ftyp" else "application/octet-stream"
        answer = web.StreamResponse(headers={hdrs.CONTENT_LENGTH: str(length), hdrs.CONTENT_TYPE: kind})
        await answer.prepare(self.request)
        return answer

    def _hang_up(self) -> None:
        if self.request.transport is not None:
            self.request.transport.close()
