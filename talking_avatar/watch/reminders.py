"""What is to be thought of later: a link that ends, a file that did not come."""

import logging
import weakref
from collections.abc import Callable
from typing import Any

import attrs

from talking_avatar.watch.events import Event, LinkExpiring
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["DeliverAgain", "ExpiryWarning"]

log = logging.getLogger("talking_avatar")

# How long before the end of an undelivered file's link somebody is told; half of what is left where that is less.
EXPIRY_WARNING = 600.0
DELIVER_AGAIN = 300.0


class ExpiryWarning:
    """Tells of a link that ends soon, if anybody still holds the job and has not fetched its file."""

    def __init__(self, job: Job[Any], expires_at: float, announce: Callable[[Event], None]) -> None:
        # Whoever let go of the job does not want its file here.
        self._job = weakref.ref(job)
        self._expires_at = expires_at
        self._announce = announce
        self._at = 0.0

    def plan(self, scheduler: Scheduler) -> None:
        """Come back in time."""
        left = self._expires_at - scheduler.clock.time()
        if left > 0:
            wait = left - min(EXPIRY_WARNING, left / 2)
            self._at = scheduler.clock.time() + wait
            scheduler.schedule(self, scheduler.clock.monotonic() + wait)

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        job = self._job()
        if job is None or job.delivered:
            return
        minutes = (self._expires_at - self._at) / 60
        log.warning("%s has not been downloaded, and its link ends in %.0f minutes", job.ref, minutes)
        event = LinkExpiring(ref=job.ref, at=self._at, expires_at=self._expires_at)
        job.tell(event)
        self._announce(event)


@attrs.frozen(eq=False)
class DeliverAgain:
    """Tries a delivery once more after a while, for a host or a disk that may be well again."""

    _job: Job[Any]
    _deliver: Callable[[Job[Any]], None]

    def plan(self, scheduler: Scheduler) -> None:
        """Come back."""
        scheduler.schedule(self, scheduler.clock.monotonic() + DELIVER_AGAIN)

    def when_due(self, now: float) -> None:  # noqa: ARG002 - the scheduler's
        self._deliver(self._job)
