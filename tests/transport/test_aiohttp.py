import asyncio
import contextlib
import gc
import gzip
import tracemalloc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import compression_utils, web

from talking_avatar import Akool, Surreal
from talking_avatar.errors import Closed, DecodeError, Unreachable
from talking_avatar.transport import aiohttp as binding
from talking_avatar.transport.aiohttp import AiohttpFiles, AiohttpPort, Sessions
from talking_avatar.transport.call import Call
from talking_avatar.transport.retry import Retry
from tests.doubles import Recorder

READ: Call[Any] = Call(method="GET", path="/x", parse=lambda data: data)
BALANCE = {"code": 1000, "data": {"credit": 1}}
FINISHED = {"code": 0, "data": {"video_id": "v", "status": "finished"}}


@pytest.fixture
async def connections() -> AsyncIterator[tuple[str, set[Any]]]:
    """A server that notes by which connections it was reached."""
    seen: set[Any] = set()

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.add(request.transport)
        return web.json_response(FINISHED)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    await runner.cleanup()


@pytest.mark.anyio
async def test_calls_in_turn_share_a_connection(connections: tuple[str, set[Any]]) -> None:
    url, seen = connections
    async with Surreal("secret-token", base_url=url) as surreal:
        for _ in range(5):
            await surreal.v2v.get_video("v")
    assert len(seen) == 1


@pytest.mark.anyio
async def test_a_session_that_was_passed_in_is_used_and_stays_open() -> None:
    async with Recorder(FINISHED) as server, aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
        async with Surreal("secret-token", base_url=server.url, session=session) as surreal:
            await surreal.v2v.get_video("v")
        assert not session.closed
        assert server.seen[0].headers["X-Mine"] == "1"


@pytest.mark.anyio
async def test_a_session_that_raises_for_status_does_not_hide_the_services_words() -> None:
    async with (
        Recorder({"code": 1104, "msg": "Insufficient"}, status=400) as server,
        aiohttp.ClientSession(raise_for_status=True) as session,
    ):
        akool = Akool("secret-key", base_url=server.url, session=session)
        with pytest.raises(Exception, match="Insufficient"):
            await akool.account.credits()


@pytest.mark.anyio
async def test_a_session_that_its_owner_closed_is_told() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    with pytest.raises(Closed, match="closed by its owner"):
        await Surreal("secret-token", session=session).v2v.get_video("v")


@pytest.mark.anyio
async def test_a_closed_client_says_so_until_it_is_started_again() -> None:
    async with Recorder(FINISHED) as server:
        surreal = Surreal("secret-token", base_url=server.url)
        async with surreal:
            pass
        with pytest.raises(Closed, match="start"):
            await surreal.v2v.get_video("v")
        await surreal.start()
        assert (await surreal.v2v.get_video("v")).id == "v"
        await surreal.aclose()
        await surreal.aclose()


@pytest.mark.parametrize("closes", [True, False])
def test_one_client_works_in_two_event_loops_in_a_row_without_a_warning(*, closes: bool) -> None:
    surreal = Surreal("secret-token-of-two-loops", base_url="http://127.0.0.1:1")

    async def ask() -> str:
        async with Recorder(FINISHED) as server:
            surreal._channel.port.base_url = server.url  # type: ignore[attr-defined]
            if closes:
                async with surreal:
                    return (await surreal.v2v.get_video("v")).id
            return (await surreal.v2v.get_video("v")).id

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [asyncio.run(ask(), debug=True), asyncio.run(ask())] == ["v", "v"]
        gc.collect()


def test_sessions_of_ended_loops_are_let_go() -> None:
    sessions = Sessions()
    for _ in range(4):
        asyncio.run(sessions.current())
    assert len(sessions._keepers) <= 1


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_no_credential_reaches_its_target(status: int) -> None:
    async with Recorder(FINISHED) as elsewhere:
        headers = {"Location": f"{elsewhere.url}/v1/v2v/video.get"}
        async with Recorder(b"moved", status=status, headers=headers) as server:
            surreal = Surreal("secret-token", base_url=server.url, retry=Retry(attempts=1))
            async with surreal:
                with pytest.raises(DecodeError, match="not followed"):
                    await surreal.v2v.get_video("v")
    assert elsewhere.seen == []


@pytest.mark.anyio
async def test_cookies_that_a_service_sets_are_not_kept() -> None:
    async with (
        Recorder(FINISHED, headers={"Set-Cookie": "a=1"}) as server,
        Surreal("secret-token", base_url=server.url) as surreal,
    ):
        for _ in range(2):
            await surreal.v2v.get_video("v")
    assert "Cookie" not in server.seen[1].headers


async def peak_of_reading(url: str) -> int:
    port = AiohttpPort(url, Sessions())
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="MiB"):
            await port.exchange(READ, {})
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await port.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("length", ["Content-Length: 99999999999", "Connection: close"])
async def test_an_answer_without_end_is_given_up(length: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "LARGEST_ANSWER", 2 << 20)

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    try:
        assert await peak_of_reading(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") < 12 << 20
    finally:
        server.close()


@pytest.mark.skipif(not hasattr(compression_utils, "MAX_DECOMPRESS_MEMBERS"), reason="inflates whole segments at once")
@pytest.mark.anyio
async def test_a_small_answer_that_inflates_is_not_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "LARGEST_ANSWER", 2 << 20)
    bomb = gzip.compress(b"0" * (64 << 20), compresslevel=9)
    async with Recorder(bomb, headers={"Content-Encoding": "gzip"}) as server:
        assert await peak_of_reading(server.url) < 24 << 20


@pytest.mark.anyio
async def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(b'{"code": 0, "data": {"video_id": "v", "status": "finished"}}')
    async with (
        Recorder(body, headers={"Content-Encoding": "gzip"}) as server,
        Surreal("secret-token", base_url=server.url) as surreal,
    ):
        assert (await surreal.v2v.get_video("v")).id == "v"


@pytest.mark.anyio
async def test_an_answer_that_lies_about_its_compression_is_a_lost_one() -> None:
    async with Recorder(b"plain", headers={"Content-Encoding": "gzip"}) as server:
        port = AiohttpPort(server.url, Sessions())
        with pytest.raises(Unreachable):
            await port.exchange(READ, {})
        await port.aclose()


@pytest.mark.anyio
async def test_a_file_is_fetched_through_redirects_with_its_signature_untouched() -> None:
    asked: list[str] = []

    def respond(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        if request.path == "/start":
            return web.Response(status=302, headers={"Location": "/end?Signature=a%2Fb%7E+c&Expires=1"})
        return web.Response(body=b"film")

    files = AiohttpFiles()
    async with Recorder(respond=respond) as server:
        async with files.open(f"{server.url}/start?x=%2F", {"Range": "bytes=0-"}) as answer:
            assert b"".join([chunk async for chunk in answer.chunks]) == b"film"
        assert server.seen[1].headers["Range"] == "bytes=0-"
        await files.aclose()
    assert asked == ["/start?x=%2F", "/end?Signature=a%2Fb%7E+c&Expires=1"]


@pytest.mark.anyio
@pytest.mark.parametrize("location", ["/again", "file:///etc/passwd", "javascript:0", "//"])
async def test_a_file_that_leads_nowhere_is_unreachable(location: str) -> None:
    files = AiohttpFiles()
    async with Recorder(b"", status=302, headers={"Location": location}) as server:
        with pytest.raises((Unreachable, ValueError)):
            async with files.open(f"{server.url}/again", {}):
                pass
        await files.aclose()


@pytest.mark.anyio
async def test_an_error_of_the_callers_own_while_it_reads_is_not_the_file_hosts() -> None:
    files = AiohttpFiles()
    async with Recorder(b"film") as server:
        with pytest.raises(OSError, match="disk full"):
            async with files.open(f"{server.url}/film", {}):
                raise OSError(28, "disk full")
        await files.aclose()
