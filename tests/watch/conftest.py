from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest

from talking_avatar import JobRef, JobWatcher, Product, RenderStatus, Video
from talking_avatar.testing import VirtualClock


@attrs.frozen
class Film:
    """What the canned service renders."""

    seconds: float = 60.0


@attrs.frozen
class Rows:
    words: Mapping[str, str]
    videos: Mapping[str, Any]

    def decode(self, job_id: str) -> Video:
        video: Video = self.videos[job_id]()
        return video


@attrs.define
class Studio:
    """A canned service: jobs end when they should, and *answer* may say otherwise.

    *answer* is called before every reply with the kind of call and the ids it is about; it may raise, wait, or return a
    status word to say instead.
    """

    clock: VirtualClock
    lists: bool = False
    deadline: float = 3600.0
    created: int = 0
    ends: dict[str, float] = attrs.field(factory=dict)
    words: dict[str, str] = attrs.field(factory=dict)
    unlisted: set[str] = attrs.field(factory=set)
    asked: list[tuple[float, str, str]] = attrs.field(factory=list)
    answer: Callable[[str, str], Any] = lambda kind, job_id: None
    gate: Any = None
    service: str = "canned"

    @property
    def products(self) -> tuple[Product[Any, Any], ...]:
        return (
            Product(
                service=self.service,
                family="film",
                request_type=Film,
                result_type=Video,
                create=self.create,
                read=self.read,
                listing=self.listing if self.lists else None,
                gate=self.gate,
                deadline=timedelta(seconds=self.deadline),
            ),
        )

    def counted(self, kind: str) -> int:
        return sum(1 for _, asked, _ in self.asked if asked == kind)

    async def create(self, film: Film) -> Video:
        job_id = f"film-{self.created}"
        await self._meet("create", job_id)
        self.created += 1
        self.ends[job_id] = self.clock.monotonic() + film.seconds
        return self.video(job_id)

    async def read(self, job_id: str) -> Video:
        word = await self._meet("get", job_id)
        return self.video(job_id, word)

    async def listing(self) -> Rows:
        word = await self._meet("list", "")
        ids = [job_id for job_id in self.ends if job_id not in self.unlisted]
        return Rows(
            {job_id: word or self.word(job_id) for job_id in ids},
            {job_id: lambda job_id=job_id: self.video(job_id, word) for job_id in ids},
        )

    def word(self, job_id: str) -> str:
        default = "finished" if self.clock.monotonic() >= self.ends[job_id] else "processing"
        return self.words.get(job_id, default)

    def video(self, job_id: str, word: str | None = None) -> Video:
        word = word or self.word(job_id)
        status = next((status for status in RenderStatus if status == word), RenderStatus.UNKNOWN)
        return Video(id=job_id, ref=JobRef(self.service, "film", job_id), status=status, raw_status=word, credits=2.0)

    async def _meet(self, kind: str, job_id: str) -> str | None:
        self.asked.append((self.clock.monotonic(), kind, job_id))
        said = self.answer(kind, job_id)
        if hasattr(said, "__await__"):
            said = await said
        return said if isinstance(said, str) else None


@pytest.fixture
async def clock() -> AsyncIterator[VirtualClock]:
    async with VirtualClock() as clock:
        yield clock


@pytest.fixture
def film() -> type[Film]:
    return Film


@pytest.fixture
def studio(clock: VirtualClock) -> Callable[..., Studio]:
    def make(**options: Any) -> Studio:
        return Studio(clock, **options)

    return make


@pytest.fixture
def studio_in_no_loop() -> Callable[..., Studio]:
    return Studio


@pytest.fixture
async def watch(clock: VirtualClock) -> AsyncIterator[Callable[..., JobWatcher]]:
    """Make a watcher of canned services; it is closed when the test ends."""
    made: list[JobWatcher] = []

    def make(*services: Any, **options: Any) -> JobWatcher:
        made.append(JobWatcher(*services, clock=clock, **{"seed": 0, **options}))
        return made[-1]

    yield make
    for watcher in made:
        await watcher.aclose()
