"""A bounded batch: requests are drawn lazily, jobs come out as they settle."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

import attrs

from talking_avatar.clock import Clock
from talking_avatar.models.product import JobResult
from talking_avatar.models.results import Video
from talking_avatar.watch.job import Job

__all__ = ["Batch", "BatchReport"]

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
    """Async-iterable over settled jobs; made by `JobWatcher.render_all`.

    A request that was refused comes out as a settled job without a ref. Leaving the loop early detaches what still
    runs and draws no further requests.
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
        self._settled: asyncio.Queue[Job[T] | BaseException] = asyncio.Queue()
        self._creating: set[asyncio.Task[None]] = set()
        self._running: set[Job[T]] = set()
        self._drawn = self._finished = self._failed = 0
        self._credits = 0.0

    @property
    def report(self) -> BatchReport:
        """Counts so far."""
        return BatchReport(
            drawn=self._drawn,
            running=len(self._running) + len(self._creating),
            finished=self._finished,
            failed=self._failed,
            credits=self._credits,
            seconds=0.0 if self._began is None else self._clock.monotonic() - self._began,
        )

    async def __aiter__(self) -> AsyncIterator[Job[T]]:
        self._began = self._clock.monotonic()
        source = _drawn_from(self._requests)
        is_dry = False
        try:
            while True:
                while not is_dry and self._has_room():
                    try:
                        request = await anext(source)
                    except StopAsyncIteration:
                        is_dry = True
                    else:
                        self._create(request)
                if is_dry and not self._creating and not self._running and self._settled.empty():
                    return
                settled = await self._settled.get()
                if isinstance(settled, BaseException):
                    raise settled
                yield self._counted(settled)
        finally:
            await self._abandon()
            await source.aclose()

    def _has_room(self) -> bool:
        # Settled jobs that nobody took yet count as room, or a slow reader would idle the service.
        return len(self._creating) < CREATES_AT_ONCE and len(self._creating) + len(self._running) < self._most

    def _create(self, request: Any) -> None:
        self._drawn += 1
        task = asyncio.get_running_loop().create_task(self._submit_one(request))
        self._creating.add(task)

    async def _submit_one(self, request: Any) -> None:
        try:
            job = await self._submit(request)
        except Exception as error:  # noqa: BLE001 - one request's fault is its own job's
            job = Job(family=None, ref=None, request=request)
            job.settle(error=error)
        finally:
            self._creating.discard(asyncio.current_task())
        self._running.add(job)
        job.when_done(self._land)

    def _land(self, job: Job[T]) -> None:
        self._running.discard(job)
        self._settled.put_nowait(job)

    def _counted(self, job: Job[T]) -> Job[T]:
        if job.error is None:
            self._finished += 1
        else:
            self._failed += 1
        if isinstance(job.latest, Video) and job.latest.credits:
            self._credits += job.latest.credits
        return job

    async def _abandon(self) -> None:
        for task in self._creating:
            task.cancel()
        await asyncio.gather(*self._creating, return_exceptions=True)
        for job in tuple(self._running):
            job.detach()


async def _drawn_from(requests: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
        return
    for request in requests:
        yield request
