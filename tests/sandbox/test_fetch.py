import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from talking_avatar.sandbox.fetch import Fetcher, FetchFailed

pytestmark = pytest.mark.anyio


async def _hops(request: web.Request) -> web.StreamResponse:
    left = int(request.match_info["left"])
    if left:
        raise web.HTTPFound(f"/hops/{left - 1}")
    return web.Response(body=b"here")


async def _away(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(request.query["to"])


async def _large(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 5000)


async def _stuck(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(10)
    return web.Response()


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(
        [
            web.get("/hops/{left}", _hops),
            web.get("/away", _away),
            web.get("/large", _large),
            web.get("/stuck", _stuck),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def fetcher(clock: Any) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(clock=clock, max_bytes=4000, seconds=0.2)
    yield fetcher
    await fetcher.close()


async def test_a_few_redirects_are_followed(fetcher: Fetcher, origin: str) -> None:
    assert await fetcher.fetch(f"{origin}/hops/3") == b"here"
    with pytest.raises(FetchFailed, match="more than 3 redirects"):
        await fetcher.fetch(f"{origin}/hops/4")


@pytest.mark.parametrize("away", ["file:///etc/hosts", "ftp://127.0.0.1/x", "//", "http://"])
async def test_a_redirect_off_the_web_is_not_followed(fetcher: Fetcher, origin: str, away: str) -> None:
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"{origin}/away?to={away}")


@pytest.mark.parametrize(
    "address",
    ["file:///etc/hosts", "data:text/plain,hi", "/etc/hosts", "", "http://", "http://[", "http://127.0.0.1:9"],
)
async def test_what_is_no_web_address_fails(fetcher: Fetcher, address: str) -> None:
    with pytest.raises(FetchFailed):
        await fetcher.fetch(address)


async def test_a_file_has_a_limit_of_size_and_of_time(fetcher: Fetcher, origin: str) -> None:
    with pytest.raises(FetchFailed, match="larger than 4000 bytes"):
        await fetcher.fetch(f"{origin}/large")
    with pytest.raises(FetchFailed, match=r"no file within 0\.2 s"):
        await fetcher.fetch(f"{origin}/stuck")
    with pytest.raises(FetchFailed, match="HTTP 404"):
        await fetcher.fetch(f"{origin}/nothing")
