"""A render service as a model: it accepts, charges and renders on a clock, and its answers can get lost on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs

from talking_avatar import JobRef, Product, RenderStatus, Video
from talking_avatar.clock import Clock
from talking_avatar.errors import InvalidRequest, NotFound, Throttled, Unreachable
from talking_avatar.transport.call import FileAnswer

RENDER_SECONDS = 30.0
LATENCY = 0.5


@attrs.frozen(kw_only=True)
class Scene:
    """What is rendered."""

    text: str
    webhook_url: str | None = None


@attrs.frozen
class Rows:
    words: Mapping[str, str]
    _decode: Callable[[str], Video]

    def decode(self, job_id: str) -> Video:
        return self._decode(job_id)


@attrs.define(eq=False)
class Service:
    """*fates* says what becomes of each create in turn; when they are spent, all goes well.

    ``ok``, ``lost`` (accepted, and no answer), ``stray`` (it never arrived, and nobody can tell), ``unsent``,
    ``refused`` and ``hasty``.
    """

    clock: Clock
    can_list: bool = True
    lag: float = 0.0
    fates: list[str] = attrs.field(factory=list)
    texts: dict[str, str] = attrs.field(factory=dict)
    accepted_at: dict[str, float] = attrs.field(factory=dict)
    charges: Counter[str] = attrs.field(factory=Counter)
    webhooks: dict[str, str] = attrs.field(factory=dict)
    served: Counter[str] = attrs.field(factory=Counter)
    reads: Counter[str] = attrs.field(factory=Counter)
    sent: int = 0

    async def create(self, scene: Scene) -> Video:
        self.sent += 1
        fate = self.fates.pop(0) if self.fates else "ok"
        if fate == "unsent":
            raise Unreachable("no route", sent=False)
        # The service goes on by itself, whatever becomes of the caller.
        outcome = await asyncio.shield(asyncio.ensure_future(self._handled(scene, fate)))
        await self.clock.sleep(LATENCY)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _handled(self, scene: Scene, fate: str) -> Video | Exception:
        await self.clock.sleep(LATENCY)
        if fate == "refused":
            return InvalidRequest("no face")
        if fate == "hasty":
            return Throttled("too many", retry_after=2.0)
        if fate == "stray":
            return Unreachable("reset")
        video = self.accept(scene)
        return Unreachable("reset") if fate == "lost" else video

    def accept(self, scene: Scene) -> Video:
        job_id = f"job-{len(self.texts)}"
        self.texts[job_id] = scene.text
        self.accepted_at[job_id] = self.clock.monotonic()
        self.charges[scene.text] += 1
        if scene.webhook_url is not None:
            self.webhooks[job_id] = scene.webhook_url
        return self._video(job_id)

    async def read(self, job_id: str) -> Video:
        self.reads[job_id] += 1
        await self.clock.sleep(LATENCY)
        if job_id not in self.texts:
            raise NotFound("no such job")
        return self._video(job_id)

    async def listing(self) -> Rows:
        await self.clock.sleep(LATENCY)
        now = self.clock.monotonic()
        seen = [job_id for job_id, at in self.accepted_at.items() if now - at >= self.lag]
        return Rows({job_id: self._video(job_id).raw_status for job_id in seen}, self._video)

    def _video(self, job_id: str) -> Video:
        is_done = self.clock.monotonic() - self.accepted_at[job_id] >= RENDER_SECONDS
        status = RenderStatus.FINISHED if is_done else RenderStatus.PROCESSING
        url = f"https://files.example/{job_id}.mp4" if is_done else None
        ref = JobRef("model", "scene", job_id)
        return Video(id=job_id, ref=ref, status=status, raw_status=str(status), video_url=url)

    def content(self, job_id: str) -> bytes:
        return f"{job_id} shows {self.texts[job_id]};".encode() * 200

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[FileAnswer]:
        job_id = url.rpartition("/")[2].removesuffix(".mp4")
        body = self.content(job_id)
        start = int(headers["Range"].removeprefix("bytes=").removesuffix("-")) if "Range" in headers else 0
        told = {"ETag": f'"{job_id}"', "Content-Length": str(len(body) - start)}
        if start:
            told["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.served[job_id] += 1
        yield FileAnswer(206 if start else 200, told, self._chunks(body[start:]))

    async def _chunks(self, body: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(body), 400):
            await self.clock.sleep(LATENCY)
            yield body[at : at + 400]

    async def aclose(self) -> None:
        pass


@attrs.define(eq=False)
class Life:
    """One process: once it has ended, nothing it asks for comes back; *ends_in* counts what it may still ask."""

    ends_in: float = float("inf")
    #: Whether its last question still reaches the other side.
    last_arrives: bool = True

    @property
    def is_over(self) -> bool:
        return self.ends_in <= 0

    async def ask(self, question: Callable[[], Any]) -> Any:
        self.ends_in -= 1
        if self.is_over and not (self.last_arrives and self.ends_in == 0):
            await never()
        answer = await question()
        if self.is_over:
            await never()
        return answer


async def never() -> None:
    await asyncio.get_running_loop().create_future()


@attrs.define(eq=False)
class Client:
    """One process's way to the service."""

    service: Service
    life: Life
    clock: Clock
    account_name: str = "default"

    @property
    def products(self) -> tuple[Product[Scene, Video], ...]:
        service, ask = self.service, self.life.ask
        return (
            Product(
                service="model",
                family="scene",
                request_type=Scene,
                result_type=Video,
                create=lambda scene: ask(lambda: service.create(scene)),
                read=lambda job_id: ask(lambda: service.read(job_id)),
                listing=(lambda: ask(service.listing)) if service.can_list else None,
                deadline=timedelta(days=3),
            ),
        )

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[FileAnswer]:
        async with self.service.open(url, headers) as answer:
            yield FileAnswer(answer.status, answer.headers, self._while_alive(answer.chunks))

    async def _while_alive(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            await self.life.ask(_nothing)
            yield chunk

    async def aclose(self) -> None:
        pass


async def _nothing() -> None:
    pass


class MortalJournal:
    """A journal as one process sees it."""

    def __init__(self, journal: Any, life: Life) -> None:
        self._journal = journal
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._journal, name)
        if name in {"open_entries", "finished_entries"}:
            return method
        return lambda *given, **named: self._life.ask(lambda: method(*given, **named))
