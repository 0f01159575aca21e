"""The middleware every request passes: it is remembered, and a scripted fault may meet it."""

import asyncio
from collections.abc import Awaitable, Callable

import attrs
from aiohttp import web
from aiohttp.typedefs import Middleware

from talking_avatar.clock import Clock
from talking_avatar.sandbox.exchange import Exchange
from talking_avatar.sandbox.faults import Faults
from talking_avatar.sandbox.observation import RequestLog, RequestSeen

__all__ = ["door", "service_of"]

_PREFIXES = {"/v1/": "surreal", "/api/open/": "akool", "/files/": "files", "/samples/": "files", "/uploads": "files"}


def service_of(path: str) -> str:
    """Which service an address belongs to; the sandbox's own pages are ``pages``."""
    return next((name for prefix, name in _PREFIXES.items() if path.startswith(prefix)), "pages")


@attrs.define(kw_only=True)
class _Meeting:
    """One request, from its arrival to its entry in the log."""

    request: web.Request
    service: str
    began: float
    fault: str | None = None
    status: int = 0


def door(*, clock: Clock, faults: Faults, log: RequestLog, closing: asyncio.Event) -> Middleware:
    """The outermost middleware."""

    @web.middleware
    async def pass_through(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        service = service_of(request.path)
        exchange = Exchange(request=request, service=service, clock=clock, closing=closing, handler=handler)
        meeting = _Meeting(request=request, service=service, began=clock.time())
        try:
            return await _meet(exchange, faults, meeting)
        finally:
            log.add(_entry(meeting, clock.time()))

    return pass_through


async def _meet(exchange: Exchange, faults: Faults, meeting: _Meeting) -> web.StreamResponse:
    fault = faults.pick(exchange)
    meeting.fault = None if fault is None else fault.name
    try:
        answer = await (exchange.handle() if fault is None else fault.play(exchange))
    except web.HTTPException as error:
        meeting.status = error.status
        raise
    meeting.status = 0 if exchange.broken else answer.status
    return answer


def _entry(meeting: _Meeting, now: float) -> RequestSeen:
    return RequestSeen(
        method=meeting.request.method,
        path=meeting.request.path,
        service=meeting.service,
        status=meeting.status,
        at=meeting.began,
        seconds=now - meeting.began,
        fault=meeting.fault,
    )
