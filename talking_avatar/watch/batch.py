"""A bounded batch: requests are drawn lazily, jobs come out as they settle."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from talking_avatar.clock import Clock
from talking_avatar.errors import Closed
from talking_avatar.models.product import JobResult
from talking_avatar.models.results import Video
from talking_avatar.watch.job import Job

__all__ = ["Batch", "BatchReport", "as_completed"]

T = TypeVar("T", bound=JobResult)

# Creates on their way at once; the account's budget decides how fast they leave.
CREATES_AT_ONCE = 8


@attrs.frozen(kw_only=True)
class BatchReport:
    """Where a batch stands; *credits* counts what the services said they charged, *per_minute* settled jobs."""

    drawn: int = 0
    running: int = 0
    finished: int = 0
    failed: int = 0
    credits: float = 0.0
    seconds: float = 0.0

    @property
    def per_minute(self) -> float:
        return 60 * (self.finished + self.failed) / self.seconds if self.seconds else 0.0


class Batch(Generic[T]):
    """Async-iterable over settled jobs, once; made by `JobWatcher.render_all`.

    A request that was refused comes out as a settled job without a ref. Leaving the loop early detaches what still
    runs and draws no further requests. What the source of requests raises is raised once everything drawn has settled.
    """

    def __init__(
        self,
        requests: Iterable[Any] | AsyncIterable[Any],
        *,
        submit: Callable[[Any], Awaitable[Job[T]]],
        clock: Clock,
        max_in_flight: int,
    ) -> None:
        self._requests = requests
        self._submit = submit
        self._clock = clock
        self._most = max_in_flight
        self._began: float | None = None
        self._ended: float | None = None
        # None says that there is nothing more to draw.
        self._settled: asyncio.Queue[Job[T] | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._creating: set[asyncio.Task[None]] = set()
        self._running: set[Job[T]] = set()
        self._open = 0
        self._drawn = self._finished = self._failed = 0
        self._credits = 0.0
        self._is_over = False

    @property
    def report(self) -> BatchReport:
        """Counts so far."""
        until = self._clock.monotonic() if self._ended is None else self._ended
        return BatchReport(
            drawn=self._drawn,
            running=self._open + len(self._creating),
            finished=self._finished,
            failed=self._failed,
            credits=self._credits,
            seconds=0.0 if self._began is None else until - self._began,
        )

    async def __aiter__(self) -> AsyncGenerator[Job[T], None]:
        if self._began is not None:
            raise RuntimeError("a batch is iterated once, because a second time would render everything again")
        self._began = self._clock.monotonic()
        drawing = asyncio.get_running_loop().create_task(self._draw())
        try:
            is_dry = False
            while not is_dry or self._creating or self._open or not self._settled.empty():
                job = await self._settled.get()
                if job is None:
                    is_dry = True
                else:
                    self._count(job)
                    yield job
            await drawing
        finally:
            self._ended = self._clock.monotonic()
            await self._abandon(drawing)

    async def _draw(self) -> None:
        try:
            if isinstance(self._requests, AsyncIterable):
                async for request in self._requests:
                    await self._take_on(request)
                    if self._is_over:
                        return
            else:
                for request in self._requests:
                    await self._take_on(request)
                    if self._is_over:
                        return
        finally:
            self._settled.put_nowait(None)

    async def _take_on(self, request: Any) -> None:
        self._drawn += 1
        self._creating.add(asyncio.get_running_loop().create_task(self._submit_one(request)))
        # Settled jobs that nobody took yet count as room, or a slow reader would idle the service.
        while len(self._creating) >= CREATES_AT_ONCE or len(self._creating) + self._open >= self._most:
            self._room.clear()
            await self._room.wait()

    async def _submit_one(self, request: Any) -> None:
        try:
            job = await self._submit(request)
        except Exception as error:  # noqa: BLE001 - one request's fault is its own job's
            # Without its watcher an endless source would be drawn for nothing.
            self._is_over = self._is_over or isinstance(error, Closed)
            job = Job(family=None, ref=None, request=request)
            job.settle(error=error)
        finally:
            self._creating.discard(asyncio.current_task())
            self._room.set()
        self._running.add(job)
        self._open += 1
        # One of its own for each request, because those of one key share their job.
        job.when_done(partial(self._land))

    def _land(self, job: Job[T]) -> None:
        self._running.discard(job)
        self._open -= 1
        self._room.set()
        self._settled.put_nowait(job)

    def _count(self, job: Job[T]) -> None:
        if job.error is None:
            self._finished += 1
        else:
            self._failed += 1
        if isinstance(job.latest, Video) and job.latest.credits:
            self._credits += job.latest.credits

    async def _abandon(self, drawing: "asyncio.Task[None]") -> None:
        tasks = {drawing, *self._creating}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in tuple(self._running):
            job.detach()


async def as_completed(jobs: Iterable[Job[T]]) -> AsyncGenerator[Job[T], None]:
    """The *jobs* in the order they settle."""
    waiting = dict.fromkeys(jobs)
    settled: asyncio.Queue[Job[T]] = asyncio.Queue()
    land = settled.put_nowait
    for job in waiting:
        job.when_done(land)
    try:
        for _ in range(len(waiting)):
            yield await settled.get()
    finally:
        for job in waiting:
            job.not_when_done(land)
