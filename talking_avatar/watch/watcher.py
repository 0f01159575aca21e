"""The watcher: every job of any number of accounts on one timer."""

import asyncio
import logging
import random
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, Literal, Protocol, Self, TypeVar

import attrs

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import Closed, ConfigurationError, TalkingAvatarError
from talking_avatar.models.product import JobResult, Product
from talking_avatar.models.refs import JobRef
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.batch import Batch
from talking_avatar.watch.cadence import Cadence, as_cadence
from talking_avatar.watch.delivery import Delivery
from talking_avatar.watch.events import Attached, Event, Submitted
from talking_avatar.watch.family import Family
from talking_avatar.watch.feed import Feed
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.submission import create_once

__all__ = ["JobWatcher", "WatcherStats"]

log = logging.getLogger("talking_avatar")

T = TypeVar("T", bound=JobResult)
Seconds = float | timedelta
OnExit = Literal["detach", "wait", "raise"]


class Client(Protocol):
    """Anything with products: `Surreal`, `Akool`, or a service of yours."""

    @property
    def products(self) -> tuple[Product[Any, Any], ...]: ...


@attrs.frozen(kw_only=True)
class WatcherStats:
    """What a watcher has done so far."""

    watched: int
    settled: int
    creates: int
    lists: int
    gets: int
    failed_reads: int
    in_flight: int


class JobWatcher:
    """Submits jobs and awaits any number of them, asking as rarely as the arithmetic allows.

    *deadline* (seconds or timedelta) is how long a job may take by default, otherwise each product has its own.
    *cadence* is learned when left out; a `Backoff`, a number of seconds or a `Cadence` replaces that. *on_exit* says
    what leaving ``async with`` does with open jobs: detach them (they go on at the service), wait for them, or raise.
    """

    def __init__(
        self,
        *clients: Client,
        deadline: Seconds | None = None,
        cadence: Cadence | Backoff | float | None = None,
        on_exit: OnExit = "detach",
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        if not clients:
            msg = "a JobWatcher needs at least one client: JobWatcher(Surreal(), …)"
            raise ConfigurationError(msg)
        self._clock = clock or getattr(clients[0], "clock", None) or SYSTEM_CLOCK
        self._deadline = deadline
        self._on_exit = on_exit
        self._scheduler = Scheduler(self._clock, random.Random(seed))  # noqa: S311 - jitter
        self._cadence = as_cadence(cadence)
        self._delivery = Delivery(self._clock, self._tell)
        self._families: dict[tuple[str, str, str], Family] = {}
        self._feeds: list[Feed] = []
        self._open: set[Job[Any]] = set()
        self._creates = self._settled = 0
        self._started = self._closed = False
        for client in clients:
            self._add_client(client)

    async def start(self) -> Self:
        """Begin to watch; `submit` and `attach` do it by themselves."""
        if not self._started:
            self._started, self._closed = True, False
            self._scheduler.start()
        return self

    async def aclose(self) -> None:
        """Watch no more; open jobs go on at their services, and a log line names the refs to attach them by."""
        if self._closed:
            return
        self._closed, self._started = True, False
        open_jobs = tuple(self._open)
        if open_jobs:
            shown = ", ".join(str(job.ref) for job in open_jobs[:10])
            more = f" and {len(open_jobs) - 10} more" if len(open_jobs) > 10 else ""
            log.warning("%d open jobs are detached and go on at the service: %s%s", len(open_jobs), shown, more)
        for job in open_jobs:
            job.detach()
        await self._scheduler.aclose()
        await self._delivery.aclose()
        for feed in self._feeds:
            feed.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._on_exit == "wait":
            await asyncio.gather(*(job.wait() for job in tuple(self._open)))
        left_open = [str(job.ref) for job in self._open]
        await self.aclose()
        if kind is None and self._on_exit == "raise" and left_open:
            msg = f"{len(left_open)} jobs were still open: {', '.join(left_open[:10])}. They go on; attach them by ref"
            raise TalkingAvatarError(msg)

    async def submit(
        self, request: Any, *, key: str | None = None, deadline: Seconds | None = None, via: Any = None
    ) -> Job[Any]:
        """Start *request* and watch it; returns when the service has accepted it.

        *via* is the client or account name to use where several could. Raises `InvalidRequest`, `QuotaError` or another
        `ApiError` when the service refuses, `Unreachable` when the request never left, and `SubmissionUnknown` when it
        left and no answer came: then it may be paid, and is not sent again.
        """
        family = self._family_for(request, via)
        await self._ready()
        now = self._clock.monotonic()
        lasts = self._deadline_of(family, deadline)
        self._creates += 1
        answer = await create_once(family.product, family.gate, request, self._scheduler, give_up_at=now + lasts)
        return self._watch(family, answer, request=request, key=key, lasts=lasts)

    async def render(self, request: Any, *, key: str | None = None, deadline: Seconds | None = None) -> Any:
        """Submit *request* and await its result."""
        return await (await self.submit(request, key=key, deadline=deadline))

    def render_all(
        self, requests: Iterable[Any] | AsyncIterable[Any], *, max_in_flight: int = 50, via: Any = None
    ) -> Batch[Any]:
        """Every one of *requests*, at most *max_in_flight* at a time; iterate over the settled jobs as they land.

        Requests are drawn as there is room, so any iterable or async iterable will do. A failure is its own job's.
        """
        if max_in_flight < 1:
            msg = f"max_in_flight must be 1 or more, not {max_in_flight}"
            raise ValueError(msg)
        return Batch(
            requests,
            submit=lambda request: self.submit(request, via=via),
            clock=self._clock,
            max_in_flight=max_in_flight,
        )

    async def attach(self, ref: JobRef | str, *, deadline: Seconds | None = None) -> Job[Any]:
        """Watch a job that exists; a ref that is watched already gives the same job."""
        ref = JobRef.parse(ref)
        family = self._families.get((ref.service, ref.account, ref.family))
        if family is None:
            known = ", ".join(sorted(f"{f.product.name} ({f.product.account})" for f in self._families.values()))
            msg = f"no client of this watcher can read {ref}; it knows {known}"
            raise ConfigurationError(msg)
        await self._ready()
        existing = family.jobs.get(ref.id)
        if existing is not None:
            return existing
        lasts = self._deadline_of(family, deadline)
        job = self._job(family, ref, request=None, key=None, lasts=lasts)
        self._tell(Attached(ref=ref, at=self._clock.time()))
        family.add(job)
        return job

    async def as_completed(self, jobs: Iterable[Job[T]]) -> AsyncIterator[Job[T]]:
        """The jobs in the order they settle."""
        waiting = set(jobs)
        settled: asyncio.Queue[Job[T]] = asyncio.Queue()
        for job in tuple(waiting):
            job.when_done(settled.put_nowait)
        while waiting:
            job = await settled.get()
            waiting.discard(job)
            yield job

    def events(self, *, size: int = 1_000) -> Feed:
        """Everything that happens to any job from now on; a reader that lags more than *size* loses the oldest."""
        feed = Feed(size=size, ends=False)
        self._feeds.append(feed)
        return feed

    def wake(self, job_id: str) -> bool:
        """Look at a job as soon as the budget allows, because somebody says that it changed; False if unknown."""
        for family in self._families.values():
            job = family.jobs.get(job_id)
            if job is not None:
                family.look_soon(job)
                return True
        return False

    @property
    def jobs(self) -> tuple[Job[Any], ...]:
        """The jobs watched now."""
        return tuple(self._open)

    @property
    def stats(self) -> WatcherStats:
        """Counts since the watcher was made."""
        counts = [family.counts for family in self._families.values()]
        return WatcherStats(
            watched=len(self._open),
            settled=self._settled,
            creates=self._creates,
            lists=sum(count["list"] for count in counts),
            gets=sum(count["get"] for count in counts),
            failed_reads=sum(count["failed"] for count in counts),
            in_flight=self._scheduler.in_flight,
        )

    def _add_client(self, client: Client) -> None:
        for product in client.products:
            place = (product.service, product.account, product.family)
            if place in self._families:
                msg = f"two clients are both {product.service} account {product.account!r}; give one account= a name"
                raise ConfigurationError(msg)
            self._families[place] = Family(
                product,
                self._scheduler,
                gate=product.gate or Gate(Budget(limit=None), self._clock),
                cadence=self._cadence,
                announce=self._tell,
                on_settled=self._on_settled,
                fetch=self._delivery.fetch,
            )

    def _family_for(self, request: Any, via: Any) -> Family:
        able = [f for f in self._families.values() if type(request) is f.product.request_type]
        if not able:
            kinds = ", ".join(sorted(f.product.request_type.__name__ for f in self._families.values()))
            msg = f"no client of this watcher renders a {type(request).__name__}; they take {kinds}. Nothing was sent"
            raise ConfigurationError(msg)
        if via is not None:
            name = via if isinstance(via, str) else via.account_name
            able = [f for f in able if f.product.account == name]
        if len(able) != 1:
            accounts = ", ".join(repr(f.product.account) for f in able) or "none of that name"
            msg = f"say which account renders this {type(request).__name__} with via=: {accounts}. Nothing was sent"
            raise ConfigurationError(msg)
        return able[0]

    def _deadline_of(self, family: Family, deadline: Seconds | None) -> float:
        chosen = next(d for d in (deadline, self._deadline, family.product.deadline) if d is not None)
        seconds = chosen.total_seconds() if isinstance(chosen, timedelta) else float(chosen)
        if not seconds > 0:
            msg = f"a deadline must be longer than nothing, not {seconds} s. Nothing was sent"
            raise ValueError(msg)
        return seconds

    async def _ready(self) -> None:
        if self._closed:
            msg = "this watcher has been closed; make a new one and attach the jobs by their refs"
            raise Closed(msg)
        await self.start()

    def _watch(self, family: Family, answer: JobResult, *, request: Any, key: str | None, lasts: float) -> Job[Any]:
        product = family.product
        ref = JobRef(product.service, product.family, answer.id, product.account)
        job = self._job(family, ref, request=request, key=key, lasts=lasts)
        job.advance(answer)
        self._tell(Submitted(ref=ref, at=self._clock.time()))
        family.add(job)
        if answer.status.is_final:
            family.learn(job, answer)
        return job

    def _job(self, family: Family, ref: JobRef, *, request: Any, key: str | None, lasts: float) -> Job[Any]:
        now = self._clock.monotonic()
        job: Job[Any] = Job(
            family=family, ref=ref, request=request, key=key, now=now, wall=self._clock.time(), deadline_at=now + lasts
        )
        self._open.add(job)
        return job

    def _on_settled(self, job: Job[Any]) -> None:
        self._open.discard(job)
        self._settled += 1

    def _tell(self, event: Event) -> None:
        for feed in self._feeds:
            feed.push(event)

