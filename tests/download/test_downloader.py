# ruff: noqa: ASYNC110, ASYNC240 - a test looks at small files where it stands, and steps the loop itself

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
from multidict import CIMultiDict

from talking_avatar.clock import Clock
from talking_avatar.download import Downloader, Progress
from talking_avatar.download import part as part_module
from talking_avatar.download import writer as writer_module
from talking_avatar.download.part import PartFile
from talking_avatar.errors import Closed, DownloadError, ResultExpired, Unreachable
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.call import FileAnswer

pytestmark = pytest.mark.anyio

REF = JobRef("akool", "talking_avatar", "67491cdb")
URL = "https://user:pw@files.example/a/out.mp4?Signature=s3cret"
FILM = bytes(range(256)) * 400


@attrs.frozen
class Reply:
    """What the canned host answers; the connection is cut after *cut* bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    cut: int | None = None


@attrs.define
class Host:
    """Answers with its replies in turn, and remembers what it was asked."""

    replies: list[Reply | Exception]
    asked: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    closed: bool = False
    now_open: int = 0
    most_open: int = 0
    before_chunk: Callable[[], object] = lambda: None

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[FileAnswer]:
        self.asked.append((url, dict(headers)))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)
        try:
            yield FileAnswer(reply.status, CIMultiDict(reply.headers), self._chunks(reply))
        except OSError as error:
            # As the real port: whatever the network's errors derive from is translated.
            raise Unreachable("the host went away") from error
        finally:
            self.now_open -= 1

    async def _chunks(self, reply: Reply) -> AsyncIterator[bytes]:
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        for start in range(0, len(body), 10_000):
            self.before_chunk()
            await asyncio.sleep(0)
            yield body[start : start + 10_000]
        if reply.cut is not None:
            raise ConnectionResetError

    async def aclose(self) -> None:
        self.closed = True


def whole(body: bytes = FILM, *, tag: str = '"v1"', cut: int | None = None) -> Reply:
    return Reply(200, body, {"Content-Length": str(len(body)), "ETag": tag, "Content-Type": "video/mp4"}, cut)


def rest(start: int, body: bytes = FILM, *, tag: str = '"v1"', cut: int | None = None) -> Reply:
    headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}", "ETag": tag}
    return Reply(206, body[start:], headers, cut)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "films" / "hello.mp4"


def files_beside(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


async def test_a_file_comes_whole_with_nothing_left_beside_it(clock: Clock, target: Path) -> None:
    host = Host([whole()])
    assert await Downloader(host, clock=clock).fetch(URL, target) == target
    assert target.read_bytes() == FILM
    assert files_beside(target) == ["hello.mp4"]
    assert host.asked == [(URL, {})]


async def test_a_finished_target_is_kept_without_a_request(clock: Clock, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    told: list[Progress] = []
    await Downloader(Host([]), clock=clock).fetch(URL, target, on_progress=told.append)
    assert target.read_bytes() == b"mine"
    assert told == [Progress(received=4, total=4)]


async def test_an_empty_file_that_reserves_the_name_is_replaced(clock: Clock, target: Path) -> None:
    target.parent.mkdir()
    target.touch()
    await Downloader(Host([whole()]), clock=clock).fetch(URL, target)
    assert target.read_bytes() == FILM


async def test_a_cut_is_resumed_where_it_happened(clock: Clock, target: Path, slept: list[float]) -> None:
    host = Host([whole(cut=50_000), rest(50_000)])
    await Downloader(host, clock=clock).fetch(URL, target)
    assert host.asked[1][1] == {"Range": "bytes=50000-", "If-Range": '"v1"'}
    assert target.read_bytes() == FILM
    assert len(slept) == 1


async def test_a_changed_file_is_started_over(clock: Clock, target: Path) -> None:
    other = FILM[::-1]
    await Downloader(Host([whole(cut=50_000), whole(other, tag='"v2"')]), clock=clock).fetch(URL, target)
    assert target.read_bytes() == other


async def test_a_host_that_ignores_if_range_cannot_mix_two_files(clock: Clock, target: Path) -> None:
    other = FILM[::-1]
    host = Host([whole(cut=50_000), rest(50_000, other, tag='"v2"'), whole(other, tag='"v2"')])
    await Downloader(host, clock=clock).fetch(URL, target)
    assert target.read_bytes() == other
    assert host.asked[2][1] == {}


async def test_without_a_validator_a_cut_starts_over(clock: Clock, target: Path) -> None:
    bare = Reply(200, FILM, {"Content-Length": str(len(FILM))}, cut=50_000)
    host = Host([bare, whole()])
    await Downloader(host, clock=clock).fetch(URL, target)
    assert host.asked[1][1] == {}
    assert target.read_bytes() == FILM


async def test_a_body_without_length_is_accepted_at_its_end_and_not_at_a_cut(clock: Clock, target: Path) -> None:
    host = Host([Reply(200, FILM, {}, cut=60_000), Reply(200, FILM)])
    told: list[Progress] = []
    await Downloader(host, clock=clock).fetch(URL, target, on_progress=told.append)
    assert target.read_bytes() == FILM
    assert told[0].total is None
    assert told[-1] == Progress(received=len(FILM), total=len(FILM))


async def test_pieces_are_put_together(clock: Clock, target: Path, slept: list[float]) -> None:
    half = len(FILM) // 2
    first = Reply(206, FILM[:half], {"Content-Range": f"bytes 0-{half - 1}/{len(FILM)}", "ETag": '"v1"'})
    await Downloader(Host([first, rest(half)]), clock=clock).fetch(URL, target)
    assert target.read_bytes() == FILM
    assert slept == []


async def test_a_body_longer_than_announced_is_not_kept(clock: Clock, target: Path) -> None:
    lying = Reply(200, FILM + b"more", {"Content-Length": str(len(FILM)), "ETag": '"v1"'})
    host = Host([lying, whole()])
    await Downloader(host, clock=clock).fetch(URL, target)
    assert host.asked[1][1] == {}
    assert target.read_bytes() == FILM


async def test_a_later_downloader_goes_on_where_an_earlier_one_ended(clock: Clock, target: Path) -> None:
    gone = Unreachable("nobody there")
    with pytest.raises(DownloadError, match=r"50,000 bytes are kept in \.hello\.mp4\.part") as caught:
        await Downloader(Host([whole(cut=50_000), gone, gone]), clock=clock, attempts=2).fetch(URL, target, ref=REF)
    assert "paid" in str(caught.value)
    assert caught.value.ref == REF
    host = Host([rest(50_000)])
    await Downloader(host, clock=clock).fetch(URL, target, ref=REF)
    assert host.asked[0][1]["Range"] == "bytes=50000-"
    assert target.read_bytes() == FILM
    assert files_beside(target) == ["hello.mp4"]


async def test_another_jobs_part_is_not_taken_up(clock: Clock, target: Path) -> None:
    with pytest.raises(DownloadError):
        await Downloader(Host([whole(cut=50_000)]), clock=clock, attempts=1).fetch(URL, target, ref=REF)
    host = Host([whole()])
    await Downloader(host, clock=clock).fetch(URL, target, ref=JobRef("surreal", "v2v", "1"))
    assert host.asked[0][1] == {}


@pytest.mark.parametrize(
    "fault", [Reply(503), Reply(429, headers={"Retry-After": "9"}), Unreachable("reset"), whole(b"")]
)
async def test_passing_faults_are_tried_again_and_not_for_ever(
    clock: Clock, target: Path, slept: list[float], fault: Reply | Exception
) -> None:
    await Downloader(Host([fault, fault, whole()]), clock=clock).fetch(URL, target)
    assert len(slept) == 2
    target.unlink()
    with pytest.raises(DownloadError, match="3 tries in a row") as caught:
        await Downloader(Host([fault] * 3), clock=clock, attempts=3).fetch(URL, target)
    assert "nothing is kept" in str(caught.value)
    assert files_beside(target) == []


async def test_a_host_is_waited_for_as_long_as_it_asks(clock: Clock, target: Path, slept: list[float]) -> None:
    await Downloader(Host([Reply(429, headers={"Retry-After": "9"}), whole()]), clock=clock).fetch(URL, target)
    assert slept[0] >= 9


async def test_progress_earns_new_patience(clock: Clock, target: Path) -> None:
    cuts: list[Reply | Exception] = [rest(start, cut=20_000) for start in range(20_000, 100_000, 20_000)]
    host = Host([whole(cut=20_000), *cuts, rest(100_000)])
    await Downloader(host, clock=clock, attempts=2).fetch(URL, target)
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_an_expired_link_is_renewed_once_and_the_file_continued(clock: Clock, target: Path, status: int) -> None:
    asked = 0

    async def renew() -> str:
        nonlocal asked
        asked += 1
        return "https://files.example/a/out.mp4?Signature=fresh"

    host = Host([whole(cut=50_000), Reply(status), rest(50_000)])
    await Downloader(host, clock=clock).fetch(URL, target, renew=renew)
    assert (asked, host.asked[2][0][-5:], host.asked[2][1]["Range"]) == (1, "fresh", "bytes=50000-")
    assert target.read_bytes() == FILM


async def test_a_link_refused_twice_has_expired(clock: Clock, target: Path) -> None:
    async def renew() -> str:
        return URL

    with pytest.raises(ResultExpired, match=r"paid.*HTTP 403.*status once more") as caught:
        await Downloader(Host([Reply(403), Reply(403)]), clock=clock).fetch(URL, target, renew=renew, ref=REF)
    assert caught.value.ref == REF
    with pytest.raises(ResultExpired):
        await Downloader(Host([Reply(404)]), clock=clock).fetch(URL, target)


async def test_a_renewal_that_fails_is_told_as_it_is(clock: Clock, target: Path) -> None:
    async def renew() -> str:
        raise Unreachable("no answer to GET video.get")

    with pytest.raises(Unreachable, match=r"video\.get"):
        await Downloader(Host([Reply(403)]), clock=clock).fetch(URL, target, renew=renew)


async def test_a_page_instead_of_a_video_leaves_nothing(clock: Clock, target: Path) -> None:
    host = Host([Reply(200, b"<html>", {"Content-Type": "text/html"})])
    with pytest.raises(DownloadError, match="text/html instead of a file"):
        await Downloader(host, clock=clock).fetch(URL, target)
    assert files_beside(target) == []


async def test_an_endless_body_ends_at_the_largest_size(clock: Clock, target: Path) -> None:
    with pytest.raises(DownloadError, match="larger than the 50,000 bytes"):
        await Downloader(Host([Reply(200, FILM, {"ETag": '"v1"'})]), clock=clock, largest=50_000).fetch(URL, target)
    assert files_beside(target) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "/x", "http://", "http://[", ""])
async def test_only_web_addresses_are_opened(clock: Clock, target: Path, url: str) -> None:
    host = Host([])
    with pytest.raises(DownloadError, match="no http or https address"):
        await Downloader(host, clock=clock).fetch(url, target)
    assert host.asked == []


async def test_a_link_the_port_cannot_read_is_refused_at_once(clock: Clock, target: Path, slept: list[float]) -> None:
    with pytest.raises(DownloadError, match="no web address"):
        await Downloader(Host([ValueError("port")]), clock=clock).fetch("http://h:99999/", target)
    assert slept == []


async def test_no_error_shows_a_signature(clock: Clock, target: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        await Downloader(Host([Reply(418)]), clock=clock).fetch(URL, target)
    assert caught.value.url == "https://files.example/a/out.mp4"
    assert "s3cret" not in f"{caught.value!r}{caught.value}{vars(caught.value)}"


async def test_a_full_disk_says_so_and_gives_its_space_back(
    clock: Clock, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DownloadError, match=r"no space is left.*nothing is kept") as caught:
        await Downloader(Host([whole()]), clock=clock).fetch(URL, target)
    assert isinstance(caught.value.__cause__, OSError)
    assert files_beside(target) == []


async def test_a_file_that_cannot_fit_is_not_begun(clock: Clock, target: Path) -> None:
    huge = Reply(200, FILM, {"Content-Length": str(1 << 59)})
    with pytest.raises(DownloadError, match="no space is left"):
        await Downloader(Host([huge]), clock=clock, largest=1 << 60).fetch(URL, target)


async def test_a_folder_in_the_targets_place_is_told(clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="it is a folder"):
        await Downloader(Host([]), clock=clock).fetch(URL, tmp_path)


async def test_two_fetches_of_one_target_share_one_transfer(clock: Clock, target: Path) -> None:
    host = Host([whole()])
    downloader = Downloader(host, clock=clock)
    told: list[Progress] = []
    paths = await asyncio.gather(downloader.fetch(URL, target), downloader.fetch(URL, target, on_progress=told.append))
    assert list(paths) == [target, target]
    assert len(host.asked) == 1
    assert told


async def test_two_downloaders_of_one_target_do_not_mix(clock: Clock, target: Path) -> None:
    hosts = [Host([whole()]), Host([whole()])]
    await asyncio.gather(*(Downloader(host, clock=clock, attempts=1_000_000).fetch(URL, target) for host in hosts))
    assert len(hosts[0].asked) + len(hosts[1].asked) == 1
    assert target.read_bytes() == FILM
    assert files_beside(target) == ["hello.mp4"]


async def test_a_cancelled_fetch_leaves_the_other_its_transfer(clock: Clock, target: Path) -> None:
    downloader = Downloader(Host([whole()]), clock=clock)
    first, second = (asyncio.ensure_future(downloader.fetch(URL, target)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == target
    assert first.cancelled()


async def test_a_cancelled_transfer_keeps_its_bytes_and_can_be_begun_again(clock: Clock, target: Path) -> None:
    host = Host([whole(), rest(30_000)])
    downloader = Downloader(host, clock=clock)
    count = iter(range(100))
    host.before_chunk = lambda: fetch.cancel() if next(count) == 3 else None
    fetch = asyncio.ensure_future(downloader.fetch(URL, target))
    with pytest.raises(asyncio.CancelledError):
        await fetch
    assert files_beside(target) == [".hello.mp4.part", ".hello.mp4.part.json"]
    assert await downloader.fetch(URL, target) == target
    assert host.asked[1][1]["Range"] == "bytes=30000-"
    assert target.read_bytes() == FILM


async def test_a_fetch_during_the_end_of_a_cancelled_one_begins_anew(clock: Clock, target: Path) -> None:
    host = Host([whole(cut=20_000), rest(20_000)])
    downloader = Downloader(host, clock=clock)
    first = asyncio.ensure_future(downloader.fetch(URL, target))
    while not host.asked:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    host.replies[:] = [whole()]
    assert await downloader.fetch(URL, target) == target
    assert target.read_bytes() == FILM


async def test_no_more_than_at_once_are_open(clock: Clock, tmp_path: Path) -> None:
    host = Host([whole() for _ in range(9)])
    downloader = Downloader(host, clock=clock, at_once=2)
    await asyncio.gather(*(downloader.fetch(URL, tmp_path / f"{n}.mp4") for n in range(9)))
    assert host.most_open == 2


async def test_closing_stops_what_is_under_way_and_says_so(clock: Clock, target: Path) -> None:
    host = Host([whole()])
    downloader = Downloader(host, clock=clock)
    fetch = asyncio.ensure_future(downloader.fetch(URL, target))
    while not host.asked:
        await asyncio.sleep(0)
    await downloader.aclose()
    with pytest.raises(Closed, match="stopped before its end"):
        await fetch
    with pytest.raises(Closed):
        await downloader.fetch(URL, target)
    assert not host.closed


async def test_memory_holds_a_few_batches_however_large_the_file(
    clock: Clock, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BATCH", 30_000)
    monkeypatch.setattr(part_module, "HINT", 60_000)
    sizes: list[int] = []
    real = PartFile.append

    def append(part: PartFile, chunks: list[bytes]) -> None:
        sizes.append(sum(map(len, chunks)))
        real(part, chunks)

    monkeypatch.setattr(PartFile, "append", append)
    await Downloader(Host([whole()]), clock=clock).fetch(URL, target)
    assert max(sizes) == 30_000
    assert target.read_bytes() == FILM


def test_one_downloader_serves_two_loops(clock: Clock, tmp_path: Path) -> None:
    downloader = Downloader(Host([whole() for _ in range(8)]), clock=clock, at_once=1)

    async def some(names: str) -> None:
        await asyncio.gather(*(downloader.fetch(URL, tmp_path / name) for name in names))

    asyncio.run(some("abcd"))
    asyncio.run(some("efgh"))
    assert len(list(tmp_path.iterdir())) == 8
