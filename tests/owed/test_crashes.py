"""Crash anywhere, lose any answer, start again: nothing is paid twice, and nothing that was paid is lost."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talking_avatar import JobRef, JobWatcher
from talking_avatar.download import Downloader
from talking_avatar.errors import TalkingAvatarError
from talking_avatar.journal import EntryState, Journal, MemoryJournal, SqliteJournal
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.resumption import Resumed
from talking_avatar.wire.request_codec import decode_request
from tests.owed.model import Client, Life, MortalJournal, Scene, Service

FATES = ["ok", "ok", "lost", "stray", "unsent", "refused", "hasty"]


@attrs.frozen
class Submit:
    """One of two programs submits scene *text*, and perhaps gives up after a while."""

    program: int
    text: str
    keyed: bool
    gives_up_after: float | None


@attrs.frozen
class Crash:
    """A program ends after so many further questions, and another is started in its place."""

    program: int
    after: int
    last_arrives: bool


@attrs.frozen
class Wait:
    seconds: float


steps = st.one_of(
    st.builds(
        Submit,
        program=st.integers(0, 1),
        text=st.sampled_from("abcd"),
        keyed=st.booleans(),
        gives_up_after=st.none() | st.sampled_from([0.0, 0.1, 0.6, 1.1, 3.0]),
    ),
    st.builds(Crash, program=st.integers(0, 1), after=st.integers(0, 9), last_arrives=st.booleans()),
    st.builds(Wait, seconds=st.sampled_from([0.0, 0.3, 1.0, 7.0, 26.0, 30.0, 40.0, 70.0, 250.0])),
)
stories = st.lists(steps, min_size=1, max_size=9)
fates = st.lists(st.sampled_from(FATES), max_size=6)


@attrs.define(eq=False)
class World:
    """Two programs, one journal and one service, on a clock of their own."""

    clock: VirtualClock
    service: Service
    journal: Journal
    folder: Path
    programs: list[tuple[JobWatcher, Life]] = attrs.field(factory=list)
    calls: set["asyncio.Task[Any]"] = attrs.field(factory=set)
    keyless: int = 0
    broken: list[str] = attrs.field(factory=list)

    def started(self) -> tuple[JobWatcher, Life]:
        life = Life()
        client = Client(self.service, life, self.clock)
        watcher = JobWatcher(
            client,
            journal=MortalJournal(self.journal, life),
            clock=self.clock,
            download_dir=self.folder,
            seed=1,
        )
        watcher._desk.delivery._downloader = Downloader(client, clock=self.clock)
        self.background(watcher.resume())
        return watcher, life

    def background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.calls.add(task)
        task.add_done_callback(self._note)

    def _note(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and isinstance(task.exception(), AssertionError):
            self.broken.append(str(task.exception()))

    async def play(self, step: Submit | Crash | Wait) -> None:
        match step:
            case Wait(seconds):
                await self.clock.sleep(seconds)
            case Crash(program, after, last_arrives):
                life = self.programs[program][1]
                life.ends_in, life.last_arrives = after, last_arrives
                await self.clock.sleep(after * 0.7)
                await self.end(program)
                self.programs[program] = self.started()
            case Submit():
                self.submit(step)

    async def end(self, program: int) -> None:
        watcher, life = self.programs[program]
        life.ends_in = 0
        # The system lets go of a dead process's files, and here nobody died.
        await watcher._desk.delivery._downloader.aclose()

    def submit(self, step: Submit) -> None:
        text = step.text
        if not step.keyed:
            self.keyless += 1
            text = f"{text}{self.keyless}"
        watcher = self.programs[step.program][0]
        call = asyncio.ensure_future(watcher.submit(Scene(text=text), key=text if step.keyed else None))
        self.background(self._given_up(call, step.gives_up_after))

    async def _given_up(self, call: "asyncio.Task[Any]", after: float | None) -> None:
        if after is not None:
            await self.clock.sleep(after)
            call.cancel()
        with suppress(TalkingAvatarError, asyncio.CancelledError):
            job = await call
            entry = await self.journal.by_job(job.ref)
            assert entry is not None, f"submit returned before {job.ref} was safe"

    async def last_start(self) -> Resumed:
        """Every program is gone; one more is started when every lease has ended and all is well."""
        for program in range(2):
            await self.end(program)
        self.service.fates.clear()
        await self.clock.sleep(200)
        watcher, _ = self.started()
        resumed = await watcher.resume()
        for job in resumed.jobs:
            await job.wait()
        await watcher._desk.delivered()
        await watcher.aclose()
        return resumed

    async def close(self) -> None:
        # The dead insist: in a real crash nobody asks them to clean up.
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=0)


async def lived_through(
    story: list[Any], fates: list[str], journal: str, *, base: Path, can_list: bool, lag: float = 0.0
) -> None:
    async with VirtualClock() as clock:
        folder = Path(tempfile.mkdtemp(dir=base))
        kept: Any = MemoryJournal(clock=clock)
        if journal == "sqlite":
            kept = SqliteJournal(folder / "renders.db", clock=clock)
        await kept.open()
        world = World(clock, Service(clock, can_list=can_list, lag=lag, fates=[*fates]), kept, folder / "videos")
        try:
            world.programs = [world.started(), world.started()]
            for step in story:
                await world.play(step)
            resumed = await world.last_start()
            await nothing_was_lost(world, resumed)
        finally:
            await world.close()
            await kept.aclose()


async def nothing_was_lost(world: World, resumed: Resumed) -> None:
    service, journal = world.service, world.journal
    assert not world.broken
    assert all(count == 1 for count in service.charges.values()), service.charges
    reported = {error.intent for error in resumed.unknown}
    unknown = {}
    async for entry in journal.open_entries():
        assert entry.state is EntryState.UNKNOWN, entry
        assert entry.number in reported
        unknown[text_of(entry)] = entry
    for job_id, text in service.texts.items():
        kept = await journal.by_job(JobRef("model", "scene", job_id))
        if kept is None:
            assert text in unknown, f"{job_id} was paid, and nobody knows of it"
            continue
        assert text_of(kept) == text, "somebody else's job was adopted"
        assert kept.state is EntryState.DOWNLOADED, kept
        assert content_of(kept.path) == service.content(job_id)
    assert files_in(world.folder) == len([text for text in service.texts.values() if text not in unknown])


def content_of(path: str | None) -> bytes:
    return Path(str(path)).read_bytes()


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def text_of(entry: Any) -> str:
    return decode_request(Scene, entry.payload).text


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.mark.parametrize("can_list", [True, False], ids=["lists", "no list"])
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories, fates=fates, lag=st.sampled_from([0.0, 0.0, 3.0, 30.0]))
def test_nothing_is_paid_twice_or_lost(
    base: Path, story: list[Any], fates: list[str], lag: float, can_list: bool
) -> None:
    asyncio.run(lived_through(story, fates, "memory", base=base, can_list=can_list, lag=lag))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories, fates=fates, can_list=st.booleans())
def test_nothing_is_paid_twice_or_lost_with_a_file(
    base: Path, story: list[Any], fates: list[str], can_list: bool
) -> None:
    asyncio.run(lived_through(story, fates, "sqlite", base=base, can_list=can_list))
