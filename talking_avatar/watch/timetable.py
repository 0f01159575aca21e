"""When to look at the jobs of one family."""

import random
from collections.abc import Mapping
from itertools import islice
from typing import Any

from talking_avatar.watch.cadence import Cadence, Learned, Situation, scouts_among
from talking_avatar.watch.durations import Durations
from talking_avatar.watch.job import Job

__all__ = ["FEWEST_TO_LEARN_FROM", "LAST_LOOK", "Timetable"]

AGES_SAMPLED = 32
# How rarely a job is looked at whose service calls when it changes; growing, so that an hour's render is looked at once
# before its call, and once because of it. As long as no call has ever come it grows less.
BACKSTOP = 300.0
BACKSTOP_GROWTH = 12.0
UNPROVEN_GROWTH = 3.0
# The last look before a deadline leaves this much time for its answer.
LAST_LOOK = 2.0
FEWEST_TO_LEARN_FROM = 3


class Timetable:
    """Asks the cadence about one job or about a whole family, and keeps every look before the deadline."""

    def __init__(
        self,
        jobs: Mapping[str, Job[Any]],
        durations: Durations,
        paces: Durations,
        cadence: Cadence,
        rng: random.Random,
    ) -> None:
        self._jobs = jobs
        self._durations = durations
        self._paces = paces
        self._cadence = cadence
        self._rng = rng
        # Whether callbacks come: believed until a look finds a finished job that nobody called about.
        self.calls_come = True
        self.calls_came = False
        # How long an answer takes at present.
        self.answer_takes = 0.0

    @property
    def learns(self) -> bool:
        """Whether what was learned of durations moves the looks."""
        return isinstance(self._cadence, Learned)

    def next_look(self, job: Job[Any], now: float, *, listed: bool = False) -> float:
        """When to look at *job* next; *listed* where one request answers for all of its family."""
        wait = self._cadence.delay(self._situation(job, now, listed=listed), self._rng)
        if job.expects_call and self.calls_come:
            growth = BACKSTOP_GROWTH if self.calls_came else UNPROVEN_GROWTH
            wait = max(wait, BACKSTOP * growth ** min(job.looks, 1))
        return min(now + wait, self.last_look(job, now))

    def next_list(self, now: float) -> float:
        """When the job that wants it first needs a list; of many jobs a sample speaks."""
        stride = max(1, len(self._jobs) // AGES_SAMPLED)
        sample = islice(self._jobs.values(), 0, None, stride)
        return min((self.next_look(job, now, listed=True) for job in sample), default=float("inf"))

    def durations_of(self, job: Job[Any]) -> Durations:
        """What was learned of jobs like *job*."""
        return self._durations if job.scale == 1.0 else self._paces

    def last_look(self, job: Job[Any], now: float) -> float:
        """The last moment to look at *job*; its deadline once that has passed."""
        last = job.deadline_at - LAST_LOOK - 2 * self.answer_takes
        return last if now < last else job.deadline_at

    def _situation(self, job: Job[Any], now: float, *, listed: bool) -> Situation:
        durations = self.durations_of(job)
        outlook = durations.outlook() if durations.seen >= FEWEST_TO_LEARN_FROM else None
        return Situation(
            age=max(now - job.accepted_at, 0.0),
            looks=job.looks,
            running=len(self._jobs),
            listed=listed,
            scout=outlook is not None or self._is_scout(job),
            progress=job.progress,
            outlook=outlook,
            scale=job.scale,
        )

    def _is_scout(self, job: Job[Any]) -> bool:
        return any(job is scout for scout in islice(self._jobs.values(), scouts_among(len(self._jobs))))
