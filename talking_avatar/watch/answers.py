"""What a service's answers mean for the jobs of one family."""

from typing import TYPE_CHECKING, Any

import attrs

from talking_avatar.errors import AuthError, InvalidRequest, NotFound, TalkingAvatarError
from talking_avatar.models.product import JobResult, Listing
from talking_avatar.models.results import RenderStatus
from talking_avatar.watch import events
from talking_avatar.watch.endings import not_readable, render_failed, still_running
from talking_avatar.watch.health import BACKOFF, Health
from talking_avatar.watch.job import Job

if TYPE_CHECKING:
    from talking_avatar.watch.family import Family

__all__ = ["Answers"]

MISSES_BEFORE_ASKING = 3
# A request that has been out for longer than this when the deadline passes counts as unanswered.
SILENCE = 1.0
# How often an id is asked for again that may only be too young to be known.
STRANGER_AGAIN = 5.0


@attrs.define
class Answers:
    """Turns answers and refusals into progress and endings; nothing here ever takes a job a step back."""

    _family: "Family"
    # Jobs whose own reads fail, whatever becomes of the others'.
    _troubles: dict[Job[Any], Health] = attrs.field(factory=dict)
    _blind_until: float = float("-inf")

    def forget(self, job: Job[Any]) -> None:
        """Keep nothing of *job*."""
        self._troubles.pop(job, None)

    def answered(self, job: Job[Any], answer: JobResult) -> None:
        """Take in the answer about one job."""
        self._recovered()
        self._troubles.pop(job, None)
        job.looks += 1
        job.misses = 0
        self.learn(job, answer)

    def unanswered(self, job: Job[Any], error: TalkingAvatarError) -> None:
        """Try again later, unless the refusal is final."""
        if job.settled:
            return
        if isinstance(error, AuthError):
            self._recovered()
            self._family.end(job, error)
        elif isinstance(error, NotFound | InvalidRequest):
            # The service answered, so the family is well.
            self._recovered()
            self._not_known(job, error)
        else:
            self._failed(error)
            self._family.look_at(job, self._trouble(job, error).retry_at)

    def listed(self, listing: Listing, begun: float) -> None:
        """Compare a list with what is known; only rows whose word is new are decoded."""
        self._recovered()
        missing, news = self._sorted_out(listing, self._family.clock.monotonic())
        for job in missing:
            self._missed(job, begun)
        for job in news:
            self._learn_row(job, listing)

    def unlisted(self, error: TalkingAvatarError) -> None:
        """A refused credential ends every job; anything else is tried again."""
        if isinstance(error, AuthError):
            for job in tuple(self._family.jobs.values()):
                self._family.end(job, error)
        else:
            self._failed(error)

    def learn(self, job: Job[Any], answer: JobResult) -> None:
        """Take in the service's word about *job*; an earlier state than the known one is a stale reading."""
        now, known = self._family.clock.monotonic(), job.latest
        if job.settled:
            return
        previous_read = job.last_read_at
        if answer.status.is_final or answer.status is RenderStatus.UNKNOWN or not _goes_back(known, answer):
            job.last_read_at = now
        if _goes_back(known, answer):
            return
        job.advance(answer)
        self._tell_changes(job, known, answer)
        if answer.status is RenderStatus.FINISHED:
            if job.timed and previous_read >= self._blind_until:
                self._family.took(job, (previous_read + now) / 2 - job.accepted_at)
            self._family.end(job, None)
        elif answer.status is RenderStatus.FAILED:
            self._family.end(job, render_failed(job, answer, now))

    def out_of_time(self, job: Job[Any]) -> TalkingAvatarError:
        """Which error a passed deadline is: the service said that it runs, or nobody could say anything."""
        clock = self._family.clock
        now, wall = clock.monotonic(), clock.time()
        last_read = wall - (now - job.last_read_at)
        silent = self._family.silent_since(job)
        troubles = (self._family.health, self._troubles.get(job, self._family.health))
        trouble = min(troubles, key=lambda health: health.failing_since)
        if job.last_read_at <= trouble.failing_since < float("inf"):
            since = wall - (now - trouble.failing_since)
            return not_readable(job, now, since=since, reason=trouble.reason, error=trouble.error)
        if silent is not None and now - silent >= SILENCE:
            return not_readable(job, now, since=last_read, reason="a request that was sent has no answer yet")
        if job.latest is None:
            return not_readable(job, now, since=job.opened_wall, reason="nothing has been read of it")
        if job.misses:
            return not_readable(job, now, since=last_read, reason="the service's list leaves it out")
        return still_running(job, now)

    def _sorted_out(self, listing: Listing, now: float) -> tuple[list[Job[Any]], list[Job[Any]]]:
        """Those the list leaves out, and those of which it says something new; the tightest loop of a watcher."""
        missing, news, words = [], [], listing.words
        for job_id, job in self._family.jobs.items():
            word = words.get(job_id)
            if word is None:
                missing.append(job)
                continue
            job.misses = 0
            job.looks += 1
            latest = job.latest
            if latest is None or latest.raw_status != word:
                news.append(job)
            else:
                job.last_read_at = now
        for job in [job for job in self._troubles if job.last_read_at == now]:
            del self._troubles[job]
        return missing, news

    def _learn_row(self, job: Job[Any], listing: Listing) -> None:
        try:
            answer = listing.decode(job.ref.id)
        except Exception:  # noqa: BLE001 - one row that cannot be read, of whatever service, must not cost the others
            self._ask_by_id(job)
        else:
            self._troubles.pop(job, None)
            self.learn(job, answer)

    def _missed(self, job: Job[Any], begun: float) -> None:
        # A list may be cut short or older than the job; only asking for it by id tells.
        if job.accepted_at < begun:
            job.misses += 1
            if job.misses >= MISSES_BEFORE_ASKING:
                self._ask_by_id(job)

    def _ask_by_id(self, job: Job[Any]) -> None:
        # One whose own reads fail has its next one planned.
        if job not in self._troubles:
            self._family.ask_by_id(job)

    def _not_known(self, job: Job[Any], error: TalkingAvatarError) -> None:
        now = self._family.clock.monotonic()
        patient_until = job.accepted_at + self._family.product.patience.total_seconds()
        if now >= patient_until:
            self._family.end(job, error)
        else:
            # A young id may not be known everywhere yet.
            again = max(self._trouble(job, error).retry_at, now + STRANGER_AGAIN)
            self._family.look_at(job, min(again, patient_until))

    def _trouble(self, job: Job[Any], error: TalkingAvatarError) -> Health:
        trouble = self._troubles.setdefault(job, Health(backoff=BACKOFF))
        trouble.failed(error, self._family.clock.monotonic(), self._family.rng)
        return trouble

    def _failed(self, error: TalkingAvatarError) -> None:
        family = self._family
        family.counts["failed"] += 1
        if family.health.failed(error, family.clock.monotonic(), family.rng):
            family.tell_everyone(lambda ref, at: events.Unreachable(ref=ref, at=at, reason=str(error)))

    def _recovered(self) -> None:
        if self._family.health.succeeded():
            # What finished meanwhile says nothing about how long it took.
            self._blind_until = self._family.clock.monotonic()
            self._family.tell_everyone(lambda ref, at: events.Reachable(ref=ref, at=at))

    def _tell_changes(self, job: Job[Any], known: JobResult | None, answer: JobResult) -> None:
        at = self._family.clock.time()
        if known is None or known.raw_status != answer.raw_status:
            self._family.emit(
                job, events.StatusChanged(ref=job.ref, at=at, status=answer.status, raw_status=answer.raw_status)
            )
        progress = getattr(answer, "progress", None)
        if progress is not None and progress != getattr(known, "progress", None):
            self._family.emit(job, events.Progressed(ref=job.ref, at=at, percent=progress))


def _goes_back(known: JobResult | None, answer: JobResult) -> bool:
    return known is not None and answer.status.rank < known.status.rank
