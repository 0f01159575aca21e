"""The handle of one job: awaitable, iterable over its events, and light enough to hold a hundred thousand of."""

import asyncio
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from weakref import WeakSet

from talking_avatar.errors import TalkingAvatarError
from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus, Video
from talking_avatar.watch.events import Event
from talking_avatar.watch.feed import Feed

if TYPE_CHECKING:
    from talking_avatar.watch.family import Family

__all__ = ["Job"]

T = TypeVar("T", bound=JobResult)


class Job(Generic[T]):
    """One job at one service; made by a watcher's `submit` and `attach`.

    Awaiting it gives its result, or raises what it ended with; any number of tasks may await it, and cancelling one of
    them leaves the job and the others alone.
    """

    __slots__ = (
        "__weakref__",
        "_error",
        "_family",
        "_feeds",
        "_latest",
        "_request",
        "_waiters",
        "accepted_at",
        "deadline_at",
        "delivered",
        "entry",
        "expects_call",
        "key",
        "last_read_at",
        "looks",
        "misses",
        "opened_wall",
        "ref",
        "scale",
        "settled",
        "timed",
    )

    def __init__(
        self,
        *,
        family: "Family | None",
        ref: JobRef | None,
        request: Any = None,
        key: str | None = None,
        now: float = 0.0,
        wall: float = 0.0,
        deadline_at: float = float("inf"),
    ) -> None:
        self._family = family
        # None only for a request of a batch that was never accepted; every job of submit and attach has its ref.
        self.ref = cast("JobRef", ref)
        self._request = request
        self.key = key
        self.accepted_at = now
        self.opened_wall = wall
        self.last_read_at = now
        self.deadline_at = deadline_at
        self.looks = 0
        self.misses = 0
        self.scale = 1.0
        self.entry: int | None = None
        self.settled = False
        self.timed = False
        self.delivered = False
        self.expects_call = False
        self._latest: T | None = None
        self._error: BaseException | None = None
        self._waiters: dict[asyncio.Future[None] | Callable[[Job[T]], object], None] | None = None
        self._feeds: WeakSet[Feed] | None = None

    @property
    def request(self) -> Any:
        """What was asked for, None for a job that was attached by its ref."""
        if isinstance(self._request, partial):
            # Kept as text until somebody wants it: a hundred thousand resumed jobs are not decoded for nothing.
            self._request = self._request()
        return self._request

    @property
    def status(self) -> RenderStatus:
        """Where the job stood when it was last read."""
        if self._latest is not None:
            return self._latest.status
        return RenderStatus.FAILED if self._family is None and self._error is not None else RenderStatus.PENDING

    @property
    def latest(self) -> T | None:
        """The service's last answer about this job, finished or not."""
        return self._latest

    @property
    def video(self) -> T | None:
        """The result, None until there is one; of whatever type the request asked for."""
        return self._latest if self.settled and self._error is None else None

    @property
    def error(self) -> BaseException | None:
        """What the job ended with instead of a result."""
        return self._error

    @property
    def progress(self) -> float | None:
        """Per cent done, where the service says."""
        return self._latest.progress if isinstance(self._latest, Video) else None

    def done(self) -> bool:
        """Whether awaiting would return or raise at once."""
        return self.settled

    def result(self) -> T:
        """The result; raises what the job ended with, or InvalidStateError while it still runs."""
        if not self.settled:
            msg = f"{self.ref} still runs; await it, or ask done() first"
            raise asyncio.InvalidStateError(msg)
        if self._error is not None:
            raise self._error.with_traceback(None)
        assert self._latest is not None  # noqa: S101 - settled without an error means with a result
        return self._latest

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - a bound on waiting, not on the job
        """Wait until the job is done, at most *timeout* seconds; tells whether it is, and never raises its error."""
        if self.settled or self._family is None:
            return self.settled
        await self._until_settled(timeout)
        return self.settled

    async def download(self, path: str | Path, **options: Any) -> Path:
        """Await the job and bring its file here, whole; gives the path.

        *path* is a file, a folder or a pattern such as ``videos/{key}.mp4``. With *mask* the mask video comes along;
        *on_progress* is called with a `Progress`. A file that is there already is kept. Raises what the job ended with,
        `ResultExpired`, or `DownloadError`, which keeps what arrived for the next try.
        """
        await self
        if self._family is None:
            msg = "this job was never accepted, so there is nothing to download"
            raise TalkingAvatarError(msg)
        return await self._family.download(self, path, **options)

    def detach(self) -> None:
        """Stop watching; the job goes on at the service and can be attached again by its `ref`."""
        if self._family is not None and not self.settled:
            self._family.detach(self)

    def __await__(self) -> Generator[Any, None, T]:
        return self._result_when_done().__await__()

    async def _result_when_done(self) -> T:
        await self._until_settled()
        return self.result()

    def __aiter__(self) -> Feed:
        feed = Feed()
        self.listen(feed)
        return feed

    def listen(self, feed: Feed) -> None:
        """Send events to *feed* for as long as somebody holds it, beginning with where the job stands."""
        if self._family is None:
            feed.close()
            return
        for event in self._family.story(self):
            feed.push(event)
        if self.settled:
            feed.close()
        else:
            if self._feeds is None:
                self._feeds = WeakSet()
            self._feeds.add(feed)

    def tell(self, event: Event) -> None:
        """Pass *event* to whoever iterates."""
        for feed in self._feeds or ():
            feed.push(event)
        if event.is_final:
            self._feeds = None

    def when_due(self, now: float) -> None:
        """The job's turn in its watcher's agenda."""
        if self._family is not None:
            self._family.job_due(self, now)

    def when_done(self, callback: "Callable[[Job[T]], object]") -> None:
        """Call *callback* with this job once it is settled, at once if it is."""
        if self.settled:
            callback(self)
        else:
            self._await_with(callback)

    def not_when_done(self, callback: "Callable[[Job[T]], object]") -> None:
        """Take back `when_done`."""
        if self._waiters is not None:
            self._waiters.pop(callback, None)
            self._waiters = self._waiters or None

    def advance(self, latest: T) -> None:
        """Keep the service's latest answer; a final one is only replaced by another."""
        if self._latest is None or latest.status.is_final or not self._latest.status.is_final:
            self._latest = latest

    def settle(self, *, error: BaseException | None = None) -> None:
        """End the job here and wake everyone; only the first call counts."""
        if self.settled:
            return
        self.settled = True
        self._error = error
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not isinstance(waiter, asyncio.Future):
                waiter(self)
            elif not waiter.done():
                waiter.set_result(None)

    def _await_with(self, waiter: "asyncio.Future[None] | Callable[[Job[T]], object]") -> None:
        if self._waiters is None:
            self._waiters = {}
        self._waiters[waiter] = None

    async def _until_settled(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - by the watcher's clock
        if self.settled or self._family is None:
            return
        scheduler = self._family.scheduler
        scheduler.refuse_other_loops()
        # Each awaiter has a future of its own, so cancelling one cannot reach the others.
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._await_with(future)
        alarm = None if timeout is None else scheduler.set_at(future, scheduler.clock.monotonic() + timeout)
        try:
            await future
        finally:
            if alarm is not None:
                scheduler.discard(alarm)
            if self._waiters is not None:
                self._waiters.pop(future, None)
                self._waiters = self._waiters or None

    def __repr__(self) -> str:
        return f"<Job {self.ref} {self.status}{' settled' if self.settled else ''}>"
