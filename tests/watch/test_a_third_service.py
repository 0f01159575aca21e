"""A further service is one small class: here it is, whole."""

from datetime import timedelta
from typing import Any, ClassVar

import attrs
import pytest

from talking_avatar import JobRef, JobWatcher, Product, RenderStatus, Video
from talking_avatar.testing import VirtualClock

pytestmark = pytest.mark.anyio


@attrs.frozen
class Postcard:
    """What this service renders: a greeting, spoken by the face on a stamp."""

    greeting: str


class PostOffice:
    """A service of yours; a watcher needs its `products` and nothing else."""

    words: ClassVar = {
        "queued": RenderStatus.PENDING,
        "drawing": RenderStatus.PROCESSING,
        "sent": RenderStatus.FINISHED,
    }

    def __init__(self, api: Any) -> None:
        self.api = api  # whatever client you have
        self.products = (
            Product(
                service="post_office",
                family="postcard",
                request_type=Postcard,
                result_type=Video,
                create=self.create,
                read=self.read,
                deadline=timedelta(minutes=30),
            ),
        )

    async def create(self, postcard: Postcard) -> Video:
        return self.video(await self.api.post(text=postcard.greeting))

    async def read(self, postcard_id: str) -> Video:
        return self.video(await self.api.get(postcard_id))

    def video(self, row: dict[str, Any]) -> Video:
        return Video(
            id=row["number"],
            ref=JobRef("post_office", "postcard", row["number"]),
            # A word that is not in the table is watched like a running job.
            status=self.words.get(row["state"], RenderStatus.UNKNOWN),
            raw_status=row["state"],
            video_url=row.get("link"),
        )


async def test_a_third_service_is_watched_like_the_others(clock: VirtualClock) -> None:
    async with JobWatcher(PostOffice(Counter(clock)), clock=clock) as watcher:
        greetings = [Postcard(greeting=f"Hello {name}") for name in ("Ada", "Grace", "Mary")]
        async for job in watcher.render_all(greetings):
            assert job.result().video_url == f"https://post.example/{job.ref.id}.mp4"
        attached = await watcher.attach("post_office.postcard:1")
        assert (await attached).id == "1"


class Counter:
    """The post office's own program, as far as this test needs it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._sent_at: list[float] = []

    async def post(self, *, text: str) -> dict[str, Any]:
        assert text
        self._sent_at.append(self._clock.monotonic() + 120 * len(text))
        return await self.get(str(len(self._sent_at) - 1))

    async def get(self, number: str) -> dict[str, Any]:
        if self._clock.monotonic() < self._sent_at[int(number)]:
            return {"number": number, "state": "drying"}
        return {"number": number, "state": "sent", "link": f"https://post.example/{number}.mp4"}
