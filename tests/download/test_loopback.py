# ruff: noqa: ASYNC110, ASYNC240 - a test looks at small files where it stands, and waits for another process

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talking_avatar.clock import Clock
from talking_avatar.download import Downloader
from talking_avatar.errors import DownloadError, ResultExpired

pytestmark = pytest.mark.anyio

FILM = bytes(range(251)) * 1_200


@attrs.define
class FileHost:
    """A file host with ranges, whose connections break after the bytes in *cuts*, one for each request."""

    url: str = ""
    cuts: list[int] = attrs.field(factory=list)
    tag: str = '"v1"'
    film: bytes = FILM
    gone: set[str] = attrs.field(factory=set)
    chunked: bool = False
    asked: list[web.Request] = attrs.field(factory=list)
    hang_at: int | None = None
    released: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def film_route(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if request.query_string in self.gone:
            raise web.HTTPForbidden(text="<Error>expired</Error>", content_type="application/xml")
        start = self._start(request)
        headers = {"ETag": self.tag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.film) - 1}/{len(self.film)}"
        if not self.chunked:
            headers["Content-Length"] = str(len(self.film) - start)
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        await self._send(request, response, self.film[start:])
        return response

    def _start(self, request: web.Request) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        return int(asked[1]) if asked and request.headers.get("If-Range") == self.tag else 0

    async def _send(self, request: web.Request, response: web.StreamResponse, body: bytes) -> None:
        cut = self.cuts.pop(0) if self.cuts else len(body)
        await response.write(body[: self.hang_at or cut])
        if self.hang_at is not None:
            await self.released.wait()
            return
        if cut < len(body) and request.transport is not None:
            # A proper end of the connection, so that what was sent also arrives.
            request.transport.close()


@asynccontextmanager
async def file_host(**settings: object) -> AsyncIterator[FileHost]:
    host = FileHost(**settings)  # type: ignore[arg-type]
    app = web.Application()
    app.router.add_get("/film.mp4", host.film_route)
    app.router.add_get("/hop", _redirect(lambda: "/film.mp4?signed=1"))
    app.router.add_get("/far", _redirect(lambda: host.url.replace("127.0.0.1", "localhost") + "/film.mp4"))
    app.router.add_get("/local", _redirect(lambda: "file:///etc/passwd"))
    app.router.add_get("/round", _redirect(lambda: "/round"))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        host.released.set()
        await runner.cleanup()


def _redirect(location: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def hop(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location(), "Set-Cookie": "session=1"})

    return hop


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(FILM)), max_size=6), chunked=st.booleans())
def test_however_the_line_breaks_the_file_is_whole(cuts: list[int], chunked: bool, clock: Clock) -> None:
    async def scenario(folder: str) -> bytes:
        async with file_host(cuts=list(cuts), chunked=chunked) as host, Downloader(clock=clock) as downloader:
            return (await downloader.fetch(f"{host.url}/film.mp4", Path(folder) / "film.mp4")).read_bytes()

    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(scenario(folder)) == FILM
        assert [path.name for path in Path(folder).iterdir()] == ["film.mp4"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(FILM) - 1), min_size=1, max_size=4), change=st.integers(0, 3))
def test_a_file_that_changes_between_two_programs_is_never_mixed(cuts: list[int], change: int, clock: Clock) -> None:
    other = FILM[::-1]

    async def once(folder: str, host: FileHost) -> None:
        async with Downloader(clock=clock, attempts=1) as downloader:
            await downloader.fetch(f"{host.url}/film.mp4", Path(folder) / "film.mp4")

    async def scenario(folder: str) -> FileHost:
        async with file_host(cuts=list(cuts)) as host:
            for number in range(len(cuts) + 1):
                if number == change:
                    host.film, host.tag = other, '"v2"'
                try:
                    await once(folder, host)
                except DownloadError:
                    continue
                break
            return host

    with tempfile.TemporaryDirectory() as folder:
        host = asyncio.run(scenario(folder))
        assert (Path(folder) / "film.mp4").read_bytes() == host.film


async def test_a_cut_is_resumed_with_the_bytes_that_are_missing(clock: Clock, tmp_path: Path) -> None:
    async with file_host(film=FILM * 10, cuts=[2_500_000]) as host, Downloader(clock=clock) as downloader:
        await downloader.fetch(f"{host.url}/film.mp4", tmp_path / "film.mp4")
    assert host.asked[1].headers["If-Range"] == '"v1"'
    assert re.fullmatch(r"bytes=[1-9]\d*-", host.asked[1].headers["Range"])
    assert (tmp_path / "film.mp4").read_bytes() == FILM * 10


async def test_an_expired_link_is_renewed_in_the_middle(clock: Clock, tmp_path: Path) -> None:
    async with file_host(gone={"old"}) as host, Downloader(clock=clock) as downloader:

        async def renew() -> str:
            return f"{host.url}/film.mp4?new"

        await downloader.fetch(f"{host.url}/film.mp4?old", tmp_path / "film.mp4", renew=renew)
        with pytest.raises(ResultExpired):
            await downloader.fetch(f"{host.url}/film.mp4?old", tmp_path / "again.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == FILM


@pytest.mark.parametrize("path", ["/hop", "/far"])
async def test_redirects_are_followed_without_a_credential_or_a_cookie(clock: Clock, tmp_path: Path, path: str) -> None:
    async with file_host() as host, Downloader(clock=clock) as downloader:
        await downloader.fetch(host.url + path, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert not {"authorization", "cookie", "x-api-key"} & {name.lower() for name in host.asked[0].headers}


@pytest.mark.parametrize("path", ["/local", "/round"])
async def test_redirects_off_the_web_or_without_end_bring_nothing(clock: Clock, tmp_path: Path, path: str) -> None:
    async with file_host() as host, Downloader(clock=clock, attempts=2) as downloader:
        with pytest.raises(DownloadError):
            await downloader.fetch(host.url + path, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


async def test_a_refused_connection_is_told_as_such(clock: Clock, tmp_path: Path) -> None:
    async with file_host() as host:
        pass
    async with Downloader(clock=clock, attempts=2) as downloader:
        with pytest.raises(DownloadError, match="did not answer whole"):
            await downloader.fetch(f"{host.url}/film.mp4?Signature=s3cret", tmp_path / "film.mp4")


async def test_a_program_killed_in_the_middle_is_continued_by_the_next(clock: Clock, tmp_path: Path) -> None:
    film = FILM * 10
    target = tmp_path / "film.mp4"
    code = (
        "import asyncio, pathlib, sys\n"
        "from talking_avatar.download import Downloader, writer\n"
        "writer.BATCH = 100_000\n"
        "asyncio.run(Downloader().fetch(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )
    async with file_host(film=film, hang_at=2_000_000) as host, Downloader(clock=clock) as downloader:
        url = f"{host.url}/film.mp4"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, url, str(target))
        part = tmp_path / ".film.mp4.part"
        while not part.exists() or part.stat().st_size < 1_000_000:
            await asyncio.sleep(0.005)
        process.kill()
        await process.wait()
        assert not target.exists()
        host.hang_at = None
        await downloader.fetch(url, target)
    assert target.read_bytes() == film
    assert int(host.asked[-1].headers["Range"][6:-1]) >= 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
