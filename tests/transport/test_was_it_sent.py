"""Whether a create left, told over raw sockets: False only where the server can have seen nothing of it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import aiohttp
import attrs
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from talking_avatar.errors import Unreachable
from talking_avatar.transport import aiohttp as binding
from talking_avatar.transport.aiohttp import AiohttpPort, Sessions
from talking_avatar.transport.call import Call
from tests.transport import misbehaving as server
from tests.transport.misbehaving import FINE, Seen, head, raw_server, whole

pytestmark = pytest.mark.anyio

SEEN = {
    "reset at once": (server.reset_at_once, 10),
    "closed after the head": (server.close_after_head, 10),
    "closed after the whole request": (server.close_after_all, 10),
    "reset after the whole request": (server.reset_after_all, 10),
    "half an answer": (server.half_an_answer, 10),
    "half an answer's head": (server.half_a_head, 10),
    "an answer that is no HTTP": (server.no_http, 10),
    "no answer": (server.silent, 10),
    "an answer that stops": (server.drips_off, 10),
    "reset in the middle of a large body": (server.reset_mid_body, 1_000_000),
    "nobody reads a large body": (server.stops_reading, 1_000_000),
}


def create(size: int = 10, *, timeout: float = 0.15) -> Call[Any]:
    return Call(
        method="POST",
        path="/v1/v2v/video.generate",
        body={"text": "x" * size},
        idempotent=False,
        timeout=timeout,
        parse=lambda data: data,
    )


def narrow(address: Any) -> socket.socket:
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    return made


@asynccontextmanager
async def port_to(url: str, session: aiohttp.ClientSession | None = None) -> AsyncIterator[AiohttpPort]:
    port = AiohttpPort(url, Sessions(session))
    try:
        yield port
    finally:
        await port.aclose()


@pytest.mark.parametrize("fault", SEEN)
async def test_a_create_whose_bytes_may_have_arrived_is_told_as_sent_and_sent_once(fault: str) -> None:
    script, size = SEEN[fault]
    connector = aiohttp.TCPConnector(socket_factory=narrow)
    async with (
        raw_server(script) as (url, seen),
        aiohttp.ClientSession(connector=connector) as session,
        port_to(url, session) as port,
    ):
        with pytest.raises(Unreachable) as caught:
            await port.exchange(create(size), {})
    assert caught.value.sent
    assert seen.connections == 1
    assert seen.requests.count(b"POST ") <= 1
    assert caught.value.call == "POST /v1/v2v/video.generate"
    assert "may have been accepted and paid" in str(caught.value)


@pytest.mark.parametrize("ends_before", [True, False])
async def test_a_create_on_a_connection_that_went_stale_is_not_sent_a_second_time(*, ends_before: bool) -> None:
    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
        await whole(reader, seen)
        writer.write(FINE)
        if not ends_before:
            await whole(reader, seen)

    async with raw_server(one_answer) as (url, seen), port_to(url) as port:
        assert (await port.exchange(create(), {})).status == 200
        try:
            await port.exchange(create(), {})
        except Unreachable as error:
            told_as_sent, arrived = error.sent, seen.requests.count(b"POST ")
        else:
            told_as_sent, arrived = True, seen.connections
    assert told_as_sent or arrived == 1
    assert seen.requests.count(b"POST ") == 2 or ends_before


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def never_left(error: Unreachable) -> None:
    assert not error.sent
    assert "it never left this machine. Nothing was started" in str(error)


async def test_a_refused_connection_means_it_never_left() -> None:
    async with port_to(f"http://127.0.0.1:{free_port()}") as port:
        with pytest.raises(Unreachable, match="refused") as caught:
            await port.exchange(create(), {})
    never_left(caught.value)


@attrs.define
class Resolver(AbstractResolver):
    error: OSError | None = None

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()
        raise AssertionError

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [OSError(-2, "Name or service not known"), None], ids=["unknown", "unanswered"])
async def test_a_name_that_does_not_resolve_means_it_never_left(
    error: OSError | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "CONNECT_TIMEOUT", 0.1)
    binding._timeout.cache_clear()
    connector = aiohttp.TCPConnector(resolver=Resolver(error), use_dns_cache=False)
    async with aiohttp.ClientSession(connector=connector) as session, port_to("http://gone.example", session) as port:
        with pytest.raises(Unreachable) as caught:
            await port.exchange(create(), {})
    binding._timeout.cache_clear()
    never_left(caught.value)


async def test_a_connection_that_is_never_made_means_it_never_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "CONNECT_TIMEOUT", 0.1)
    binding._timeout.cache_clear()
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The backlog is full, so the next connection is neither accepted nor refused.
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with port_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as port:
            with pytest.raises(Unreachable) as caught:
                await port.exchange(create(), {})
    binding._timeout.cache_clear()
    never_left(caught.value)


async def test_a_handshake_that_fails_means_it_never_left() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_server(plain) as (url, _), port_to(url.replace("http:", "https:")) as port:
        with pytest.raises(Unreachable) as caught:
            await port.exchange(create(timeout=2), {})
    never_left(caught.value)


async def test_a_read_that_was_refused_or_lost_is_told_the_same_way() -> None:
    read: Call[Any] = Call(method="GET", path="/x", parse=lambda data: data, timeout=0.1)
    async with port_to(f"http://127.0.0.1:{free_port()}") as port:
        with pytest.raises(Unreachable) as caught:
            await port.exchange(read, {})
    assert not caught.value.sent

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
        await head(reader, seen)

    async with raw_server(hang_up) as (url, _), port_to(url) as port:
        with pytest.raises(Unreachable, match="What runs at the service goes on") as caught:
            await port.exchange(read, {})
    assert caught.value.sent


async def test_no_url_is_in_the_words_of_an_unreachable() -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise aiohttp.InvalidURL("http://host/?secret=sentinel")

    async with aiohttp.ClientSession() as session, port_to("http://127.0.0.1:9", session) as port:
        session._connector.connect = fail  # type: ignore[union-attr,method-assign]
        with pytest.raises(Unreachable) as caught:
            await port.exchange(create(), {})
    assert "sentinel" not in str(caught.value)
