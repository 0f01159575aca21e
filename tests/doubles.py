"""Stand-ins that the tests of several floors share."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self

import attrs
from aiohttp import web

from talking_avatar.transport.call import Answer, Call
from talking_avatar.wire.account import ServiceClient


@attrs.define
class LeapingClock:
    """Whoever sleeps is there at once, and the time with them."""

    now: float = 1_800_000_000.0
    slept: list[float] = attrs.field(factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.0)
        await asyncio.sleep(0)

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()


def answer(content: Any, status: int = 200, **headers: str) -> Answer:
    """*content* as an answer: bytes as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@attrs.define
class CannedPort:
    """Gives prepared answers in turn, the last one for ever, and remembers what was asked."""

    answers: list[Answer | Exception]
    sent: list[tuple[Call[Any], dict[str, str]]] = attrs.field(factory=list)

    async def exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        self.sent.append((call, dict(headers)))
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        return given

    async def aclose(self) -> None:
        pass

    @property
    def paths(self) -> list[str]:
        return [call.path.rpartition("/")[2] for call, _ in self.sent]


def canned(client: ServiceClient, *answers: Any) -> CannedPort:
    """Let *client* talk to prepared answers."""
    port = CannedPort([given if isinstance(given, Answer | Exception) else answer(given) for given in answers])
    client._channel.port = port
    return port


@attrs.frozen
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


@attrs.define(eq=False)
class Recorder:
    """A real server on loopback that answers one thing and remembers what it was sent."""

    content: Any = attrs.field(factory=dict)
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    respond: Callable[[web.Request], web.Response] | None = None
    seen: list[Received] = attrs.field(factory=list)
    url: str = ""
    connections: int = 0
    _runner: web.AppRunner | None = None

    async def _handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.seen.append(Received(request.method, request.path, dict(request.query), request.headers.copy(), body))
        if self.respond is not None:
            return self.respond(request)
        body = self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        return web.Response(body=body, status=self.status, headers=self.headers)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
