"""Asking a service about the jobs of one family: about one or about all, as health, budget and sockets allow."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from talking_avatar.errors import ServerFault, TalkingAvatarError, Unreachable
from talking_avatar.models.product import JobResult, Listing, Product
from talking_avatar.transport.budget import Permit, Purpose
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.health import Health
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["Asking", "Hearer"]

log = logging.getLogger("talking_avatar")

MOST_READS_IN_FLIGHT = 32
# Transports give up sooner; this holds for a service of yours that never does.
LONGEST_READ = 60.0
LONGEST_LIST = 150.0
# From here on a probe asks for a single job, which tells a broken list from a broken service.
LIST_FAILURES_TO_DOUBT = 2
LISTS_REST = 300.0
LEAST_COST = 0.05


class Hearer(Protocol):
    """Whoever takes in the answers."""

    @property
    def jobs(self) -> Mapping[str, Job[Any]]:
        """What is watched, by id."""
        ...

    def answered(self, job: Job[Any], answer: JobResult) -> None:
        """The service spoke of *job*."""
        ...

    def unanswered(self, job: Job[Any], error: TalkingAvatarError) -> None:
        """*job* could not be read."""
        ...

    def listed(self, listing: Listing, begun: float) -> None:
        """The service spoke of all its jobs, asked at *begun*."""
        ...

    def unlisted(self, error: TalkingAvatarError) -> None:
        """The list could not be read."""
        ...


class Asking:
    """The reads of one family: which wait, which are out, and whether one list serves better than many of them."""

    def __init__(
        self, product: Product[Any, Any], scheduler: Scheduler, gate: Gate, health: Health, hearer: Hearer
    ) -> None:
        self.counts = {"list": 0, "get": 0, "failed": 0}
        self.latency = {"list": 0.0, "get": 0.0}
        self._product = product
        self._scheduler = scheduler
        self._gate = gate
        self._health = health
        self._hearer = hearer
        self._waiting: dict[Job[Any], None] = {}
        # A list does not tell of these.
        self._only_by_id: dict[Job[Any], None] = {}
        self._reading: dict[Job[Any], float] = {}
        self._again: set[Job[Any]] = set()
        self._list_at = self._turn_at = float("inf")
        self._listing_since: float | None = None
        self._list_failures = 0
        self._read_since_list_failed = False
        self._lists_rest_until = float("-inf")

    @property
    def lists(self) -> bool:
        """Whether one request can answer for all jobs, as far as is known."""
        return self._product.listing is not None and self._now() >= self._lists_rest_until

    def about(self, job: Job[Any], *, by_id: bool = False) -> None:
        """Ask about *job* as soon as it may be; *by_id* because a list would not do."""
        if job in self._reading or job in self._only_by_id:
            return
        if by_id:
            self._waiting.pop(job, None)
        (self._only_by_id if by_id else self._waiting)[job] = None
        self._take_turn_at(self._now())

    def about_again(self, job: Job[Any]) -> None:
        """Ask about *job*, once more if an answer is on its way that may be older than the news of it."""
        if job in self._reading:
            self._again.add(job)
        self.about(job)

    def about_all_at(self, at: float, *, at_latest: bool = False) -> None:
        """Ask for the list *at* then; *at_latest* keeps an earlier plan."""
        if self._listing_since is None and (at < self._list_at or not at_latest):
            self._list_at = at
            self._take_turn_at(max(at, self._health.retry_at) if self._health.is_failing else at)

    def forget(self, job: Job[Any]) -> None:
        """Ask no more about *job*, nor about all where none is left."""
        self._waiting.pop(job, None)
        self._only_by_id.pop(job, None)
        self._again.discard(job)
        if not self._hearer.jobs:
            self._list_at = self._turn_at = float("inf")
            self._scheduler.discard(self)

    def silent_since(self, job: Job[Any]) -> float | None:
        """When the request was sent that *job* still has no answer to."""
        return self._reading.get(job, self._listing_since)

    def when_due(self, now: float) -> None:
        """Send what waits, as far as it may leave."""
        self._turn_at = float("inf")
        while self._has_work(now):
            in_flight = len(self._reading) + (self._listing_since is not None)
            if in_flight >= (1 if self._health.is_failing else MOST_READS_IN_FLIGHT):
                return  # the next answer takes a turn
            if self._health.is_failing and now < self._health.retry_at:
                self._take_turn_at(self._health.retry_at)
                return
            permit = self._gate.try_acquire(Purpose.READ)
            if permit is None:
                self._take_turn_at(now + max(self._gate.ready_in(Purpose.READ), 0.01))
                return
            self._send(permit, now)
        if self._list_at < float("inf"):
            self._take_turn_at(self._list_at)

    def _has_work(self, now: float) -> bool:
        if self._list_at <= now and not self._prefers_list(len(self._hearer.jobs)):
            # So few that asking for each is cheaper than the whole list, or the list is out of order.
            self._list_at = float("inf")
            for job in self._hearer.jobs.values():
                self.about(job)
        return bool(self._list_at <= now or self._waiting or self._only_by_id)

    def _prefers_list(self, wanted: int) -> bool:
        is_doubtful = self._list_failures >= LIST_FAILURES_TO_DOUBT and not self._read_since_list_failed
        if not self.lists or is_doubtful or self._listing_since is not None:
            return False
        # Each request also costs its place in the budget, and at the least the work of sending it.
        place = max(self._gate.budget.window / self._gate.budget.allowed, LEAST_COST)
        of_list = self.latency["list"]
        # What was never measured is taken to cost the same, or one slow list would make gets look free.
        of_get = self.latency["get"] or of_list
        return wanted >= max(2.0, (of_list + place) / (of_get + place))

    def _send(self, permit: Permit, now: float) -> None:
        if self._list_at <= now or self._prefers_list(len(self._waiting)):
            self._list_at, self._listing_since = float("inf"), now
            self._waiting.clear()
            self._scheduler.spawn(self._scan(permit))
        else:
            queue = self._only_by_id or self._waiting
            job = next(iter(queue))
            del queue[job]
            self._reading[job] = now
            self._scheduler.spawn(self._read(job, permit))

    async def _read(self, job: Job[Any], permit: Permit) -> None:
        try:
            answer = await self._exchange("get", permit, lambda: self._product.read(job.ref.id), LONGEST_READ)
        except BaseException:
            if not job.settled:
                self._scheduler.schedule(job, self._now())
            raise
        finally:
            del self._reading[job]
        if isinstance(answer, TalkingAvatarError):
            self._hearer.unanswered(job, answer)
        else:
            self._read_since_list_failed = True
            self._hearer.answered(job, answer)
        if job in self._again and not job.settled:
            self.about(job)
        self._again.discard(job)
        self._take_turn_at(self._now())

    async def _scan(self, permit: Permit) -> None:
        begun = self._now()
        try:
            assert self._product.listing is not None  # noqa: S101 - only where it lists
            answer = await self._exchange("list", permit, self._product.listing, LONGEST_LIST)
        except BaseException:
            if self._hearer.jobs:
                self._list_at = begun
                self._scheduler.schedule(self, begun)
            raise
        finally:
            self._listing_since = None
        if isinstance(answer, TalkingAvatarError):
            self._note_list_failure()
            self._hearer.unlisted(answer)
        else:
            self._list_failures = 0
            self._hearer.listed(answer, begun)
        self._take_turn_at(self._now())

    async def _exchange(self, kind: str, permit: Permit, call: Callable[[], Awaitable[Any]], longest: float) -> Any:
        """The answer, or the error that stands for it."""
        self.counts[kind] += 1
        begun = self._now()
        try:
            async with self._gate.settling(permit), self._scheduler.at_most(longest):
                answer = await call()
        except TalkingAvatarError as error:
            # It may be kept for hours, and its frames hold the answer of the whole account.
            return error.with_traceback(None)
        except OSError as error:
            return Unreachable(f"no answer from {self._product.name} ({type(error).__name__}: {error})")
        except Exception as error:
            # A service of the caller's own; its fault must not cost the other jobs their watcher.
            log.exception("reading %s raised something else than a TalkingAvatarError", self._product.name)
            return ServerFault(f"reading {self._product.name} raised {type(error).__name__}: {error}")
        known, latest = self.latency[kind], self._now() - begun
        self.latency[kind] = 0.8 * known + 0.2 * latest if known else latest
        return answer

    def _note_list_failure(self) -> None:
        self._list_failures += 1
        if self._list_failures > LIST_FAILURES_TO_DOUBT and self._read_since_list_failed:
            # It failed again after a single job could be read: the list alone is out of order.
            self._lists_rest_until = self._now() + LISTS_REST
            self._list_failures = 1
        self._read_since_list_failed = False

    def _take_turn_at(self, at: float) -> None:
        if at < self._turn_at:
            self._turn_at = at
            self._scheduler.schedule(self, at)

    def _now(self) -> float:
        return self._scheduler.clock.monotonic()
