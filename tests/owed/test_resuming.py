"""A program that starts again takes up what the last one left, and what a dead one beside it held."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from talking_avatar import JobRef
from talking_avatar.errors import AuthError, DownloadError, NotFound, RenderFailed, ResultExpired, SubmissionUnknown
from talking_avatar.journal import EntryState, MemoryJournal
from talking_avatar.models.results import RenderStatus
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.bookkeeping import LEASE
from talking_avatar.watch.events import LinkExpiring
from talking_avatar.watch.presence import has_ended, new_holder
from tests.owed.model import RENDER_SECONDS, Scene, Service

pytestmark = pytest.mark.anyio

Start = Callable[..., Any]
A, B = Scene(text="a"), Scene(text="b")


async def killed(watcher: Any) -> None:
    """End a watcher without a word to its journal."""
    watcher._closed = True
    await watcher._scheduler.aclose()
    await watcher._desk.aclose()


async def state_of(journal: MemoryJournal, number: int = 1) -> EntryState:
    entry = await journal.get(number)
    assert entry is not None
    return entry.state


class TestStartingAgain:
    async def test_watches_what_was_accepted_and_sends_what_was_planned(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        first = await start()
        await first.submit(A, key="a")
        await first._owed.books.plan(first._roster.renders(B, None).product, B, "b", None)
        await first.aclose()
        second = await start()
        resumed = await second.resume()
        assert [(job.key, job.request) for job in resumed.jobs] == [("a", A), ("b", B)]
        assert [(await job).id for job in resumed.jobs] == ["job-0", "job-1"]
        assert service.charges == {"a": 1, "b": 1}

    async def test_finds_what_was_on_its_way_before_it_sends_anything_new(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        first = await start()
        product = first._roster.renders(A, None).product
        await first._owed.books.plan(product, B, "planned", None)
        entry = await first._owed.books.plan(product, A, "sent", None)
        await journal.sent(entry.number)
        service.accept(A)
        await first.aclose()
        resumed = await (await start()).resume()
        assert {job.key: job.ref.id for job in resumed.jobs} == {"planned": "job-1", "sent": "job-0"}

    async def test_reports_what_nobody_can_know_each_time_it_is_asked(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.fates = ["stray"]
        first = await start()
        with pytest.raises(SubmissionUnknown):
            await first.submit(A, key="a")
        await first.aclose()
        second = await start()
        for _ in range(2):
            resumed = await second.resume()
            (error,) = resumed.unknown
            assert (error.key, error.request, resumed.jobs) == ("a", A, ())
        job = await error.resubmit()
        assert (await job).id == "job-0"
        assert service.charges == {"a": 1}

    async def test_brings_finished_files_here_the_earliest_to_expire_first(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock, videos: Path
    ) -> None:
        first = await start()
        jobs = [await first.submit(Scene(text=str(i)), key=str(i)) for i in range(3)]
        await asyncio.gather(*jobs)
        await clock.sleep(1)
        for number, expires_at in ((1, 3e9), (2, 2e9), (3, 2.5e9)):
            await journal.finished(number, expires_at)
        await first.aclose()
        second = await start(download_dir=videos)
        second._desk._places = asyncio.Semaphore(1)
        feed = second.events()
        resumed = await second.resume()
        await asyncio.gather(*resumed.jobs)
        await second._desk.delivered()
        order = [event.ref.id for event in feed._unread if type(event).__name__ == "Downloaded"]
        assert order == ["job-1", "job-2", "job-0"]
        assert (videos / "0.mp4").read_bytes() == service.content("job-0")
        assert await state_of(journal) is EntryState.DOWNLOADED

    async def test_a_result_that_is_gone_is_told_of_and_not_asked_for_again(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock, videos: Path
    ) -> None:
        first = await start()
        await (await first.submit(A, key="a"))
        await first.aclose()
        del service.texts["job-0"]
        await clock.sleep(8 * 86_400)
        second = await start(download_dir=videos)
        (job,) = (await second.resume()).jobs
        with pytest.raises(NotFound):
            await job
        await clock.sleep(1)
        assert await state_of(journal) is EntryState.ABANDONED
        assert (await second.resume()).jobs == ()
        with pytest.raises(ResultExpired, match="another key"):
            await second.submit(A, key="a")

    async def test_a_key_whose_file_is_here_gives_its_job_and_keeps_the_file(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock, videos: Path
    ) -> None:
        async with await start(download_dir=videos) as first:
            await (await first.submit(A, key="a"))
        assert await state_of(journal) is EntryState.DOWNLOADED
        async with await start(download_dir=videos) as second:
            assert (await (await second.submit(A, key="a"))).id == "job-0"
        assert service.served == {"job-0": 1}
        assert service.charges == {"a": 1}

    async def test_a_key_whose_render_failed_says_so(
        self, start: Start, service: Service, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failed(service: Service, job_id: str) -> Any:
            return attrs.evolve(shown(service, job_id), status=RenderStatus.FAILED, raw_status="failed")

        shown = Service._video
        watcher = await start()
        job = await watcher.submit(A, key="a")
        monkeypatch.setattr(Service, "_video", failed)
        with pytest.raises(RenderFailed):
            await job
        with pytest.raises(RenderFailed, match="another one"):
            await watcher.submit(A, key="a")
        assert service.charges == {"a": 1}

    async def test_a_token_that_ended_overnight_fails_no_render(
        self, start: Start, service: Service, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refused(*_: object) -> Any:
            raise AuthError("the token has expired")

        first = await start()
        job = await first.submit(A, key="a")
        with monkeypatch.context() as patched:
            patched.setattr(Service, "listing", refused)
            patched.setattr(Service, "read", refused)
            with pytest.raises(AuthError):
                await job
        await first.aclose()
        assert await state_of(journal) is EntryState.ACCEPTED
        (again,) = (await (await start()).resume()).jobs
        assert (await again).id == "job-0"

    async def test_what_was_learned_is_known_again(self, start: Start, journal: MemoryJournal) -> None:
        first = await start()
        await asyncio.gather(*[await first.submit(Scene(text=str(i))) for i in range(5)])
        await first.aclose()
        (family,) = (await start())._roster
        assert family.durations.seen == 5
        assert family.durations.outlook().median == pytest.approx(RENDER_SECONDS, rel=0.2)

    async def test_a_default_deadline_holds_for_what_is_resumed(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        first = await start()
        await first.submit(A, key="a")
        await first.aclose()
        (job,) = (await (await start(deadline=7.0)).resume()).jobs
        assert job.deadline_at == clock.monotonic() + 7.0

    async def test_a_job_attached_from_elsewhere_is_kept_too(
        self, start: Start, service: Service, journal: MemoryJournal
    ) -> None:
        service.accept(A)
        first = await start()
        await first.attach("model.scene:job-0")
        await first.aclose()
        (job,) = (await (await start()).resume()).jobs
        assert (job.ref, job.request) == (JobRef("model", "scene", "job-0"), None)
        await job


class TestBesideEachOther:
    async def test_what_a_living_program_holds_is_left_alone(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        first, second = await start(), await start()
        await first.submit(A, key="a")
        await second.resume()
        await clock.sleep(RENDER_SECONDS / 2)
        assert (await second.resume()).jobs == ()
        assert second.jobs == ()

    async def test_a_key_that_another_is_creating_is_waited_for(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        first, second = await start(), await start()
        jobs = await asyncio.gather(*(watcher.submit(A, key="a") for watcher in (first, second, first)))
        assert {job.ref.id for job in jobs} == {"job-0"}
        assert service.sent == 1

    async def test_a_dead_programs_jobs_are_taken_over_when_its_lease_ends(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock, videos: Path
    ) -> None:
        first, second = await start(), await start(download_dir=videos)
        assert (await second.resume()).jobs == ()
        await first.submit(A, key="a")
        await killed(first)
        await clock.sleep(LEASE / 2)
        assert second.jobs == ()
        await clock.sleep(LEASE)
        await second._desk.delivered()
        assert (videos / "a.mp4").is_file()

    async def test_a_create_that_died_with_its_program_is_settled_by_who_takes_over(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        first, second = await start(), await start()
        await second.resume()
        entry = await first._owed.books.plan(first._roster.renders(A, None).product, A, "a", None)
        await journal.sent(entry.number)
        service.accept(A)
        await killed(first)
        await clock.sleep(2 * LEASE)
        assert await state_of(journal) in {EntryState.ADOPTED, EntryState.FINISHED}

    async def test_a_turn_that_a_dead_program_held_ends(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        first, second = await start(), await start()
        call = asyncio.ensure_future(first.submit(A, key="a"))
        await clock.sleep(0.1)
        await killed(first)
        call.cancel()
        job = await second.submit(B, key="b")
        assert job.ref.id in {"job-0", "job-1"}

    async def test_a_lease_lost_in_a_machines_sleep_is_claimed_again(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        first = await start()
        job = await first.submit(A, key="a")
        clock.advance(1)
        await journal.claim("someone", until=clock.time() + 1, now=clock.time() + 2 * LEASE)
        await journal.release("someone")
        await clock.sleep(LEASE)
        entry = await journal.get(1)
        assert entry is not None
        assert entry.holder in {first._owed.books.holder, None}
        assert (await job).id == "job-0"

    async def test_a_finished_one_whose_download_is_under_way_is_not_asked_for_again(
        self, start: Start, service: Service, clock: VirtualClock, videos: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def slow(service: Service, body: bytes) -> Any:
            for at in range(0, len(body), 10):
                await clock.sleep(10)
                yield body[at : at + 10]

        monkeypatch.setattr(Service, "_chunks", slow)
        watcher = await start(download_dir=videos)
        await watcher.resume()
        await (await watcher.submit(A, key="a"))
        reads = watcher.stats.lists + watcher.stats.gets
        await clock.sleep(10 * LEASE)
        assert watcher.stats.lists + watcher.stats.gets == reads
        await watcher._desk.delivered()
        assert (videos / "a.mp4").is_file()


class TestFiles:
    @pytest.mark.parametrize("where", ["videos", "videos/", "videos/{key}", "videos/{key}.mp4"])
    async def test_a_folder_that_is_not_there_yet_is_made(
        self, start: Start, service: Service, tmp_path: Path, where: str
    ) -> None:
        async with await start(download_dir=f"{tmp_path}/{where}") as watcher:
            await asyncio.gather(*[await watcher.submit(Scene(text=text), key=text) for text in "ab"])
        assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == ["a.mp4", "b.mp4"]

    @pytest.mark.parametrize("where", ["all.mp4", "{nothing}/", "{product}.mp4"])
    async def test_one_file_for_every_job_is_refused_at_once(self, start: Start, where: str) -> None:
        with pytest.raises(ValueError, match="file"):
            await start(download_dir=where)

    async def test_two_jobs_never_pass_for_one_file(self, start: Start, service: Service, tmp_path: Path) -> None:
        watcher = await start()
        first, second = await watcher.submit(A), await watcher.submit(B)
        await first.download(tmp_path / "same.mp4")
        with pytest.raises(DownloadError, match="is the file of model"):
            await second.download(tmp_path / "same.mp4")
        assert (tmp_path / "same.mp4").read_bytes() == service.content("job-0")

    async def test_files_on_their_way_arrive_though_the_watcher_closes(
        self, start: Start, service: Service, videos: Path
    ) -> None:
        watcher = await start(download_dir=videos)
        await (await watcher.submit(A, key="a"))
        await watcher.aclose()
        assert (videos / "a.mp4").read_bytes() == service.content("job-0")

    async def test_a_host_that_is_down_for_an_hour_delivers_afterwards(
        self, start: Start, service: Service, clock: VirtualClock, videos: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(service: Service, *_: object) -> Any:
            raise ConnectionError

        watcher = await start(download_dir=videos)
        with monkeypatch.context() as patched:
            patched.setattr(Service, "_chunks", down)
            await (await watcher.submit(A, key="a"))
            await clock.sleep(3_600)
            assert not (videos / "a.mp4").exists()
        await clock.sleep(400)
        await watcher._desk.delivered()
        assert (videos / "a.mp4").is_file()

    async def test_an_undelivered_link_that_ends_is_warned_of(
        self,
        start: Start,
        service: Service,
        clock: VirtualClock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415

        ends = datetime.fromtimestamp(clock.time() + 3_600, UTC)
        shown = Service._video
        monkeypatch.setattr(Service, "_video", lambda *given: attrs.evolve(shown(*given), expires_at=ends))
        watcher = await start()
        job, fetched = await watcher.submit(A), await watcher.submit(B)
        feed = watcher.events()
        await asyncio.gather(job, fetched)
        fetched.delivered = True
        with caplog.at_level(logging.WARNING, "talking_avatar"):
            await clock.sleep(3_100)
        (warning,) = [event for event in feed._unread if isinstance(event, LinkExpiring)]
        assert (warning.ref, warning.expires_at - warning.at) == (job.ref, 600.0)
        assert "its link ends in 10 minutes" in caplog.text


class TestPresence:
    def test_a_running_process_has_not_ended_and_a_killed_one_has(self) -> None:
        script = "from talking_avatar.watch.presence import new_holder as n; print(n(), flush=True); input()"
        with subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            holder = program.stdout.readline().strip()
            assert not has_ended(holder)
            program.kill()
        assert has_ended(holder) == Path("/proc/self/stat").exists()

    @pytest.mark.parametrize("holder", ["", "me", "a/b", "a/1/2/3", "//1/x", f"x/{os.getpid()}/1/y"])
    def test_of_anybody_else_nothing_is_known(self, holder: str) -> None:
        assert not has_ended(holder)

    def test_two_watchers_of_one_process_have_two_names(self) -> None:
        assert new_holder() != new_holder()
        assert not has_ended(new_holder())


def test_a_program_without_a_journal_needs_no_sqlite() -> None:
    script = "import talking_avatar, sys; assert 'sqlite3' not in sys.modules; from talking_avatar.journal import *"
    script += "; assert 'sqlite3' in sys.modules; SqliteJournal"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - ours
