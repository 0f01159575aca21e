"""Every job the sandbox has accepted, by id and by family."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from talking_avatar.sandbox.engine import Failure, Look, Plan, Work, look

__all__ = ["Job", "Ledger"]


@attrs.define(kw_only=True, eq=False)
class Job:
    """One accepted create call; *work* is None for a job that lives by its plan alone."""

    id: str
    family: str
    plan: Plan
    request: Mapping[str, Any] = attrs.field(repr=False)
    facts: dict[str, Any] = attrs.field(factory=dict, repr=False)
    masked: bool = False
    work: Work | None = None

    def look(self, now: float) -> Look:
        """Its state at *now*, in seconds since the epoch."""
        return look(self.plan, now, self.work)

    @property
    def settled_at(self) -> float:
        """When it ends, or infinity while a renderer still works on it."""
        if self.work is None:
            return self.plan.ends
        if self.work.ended is None:
            return float("inf")
        return self.work.ended if self.work.failure else max(self.plan.ends, self.work.ended)

    def fail(self, now: float, failure: Failure) -> None:
        """End it at *now*."""
        started = self.work.started if self.work else None
        self.work = Work(started=started, ended=now, failure=failure)


@attrs.define
class Ledger:
    """Keeps jobs in the order of their creation; *creates* counts every accepted create call by family."""

    creates: Counter[str] = attrs.field(factory=Counter, init=False)
    _jobs: dict[str, Job] = attrs.field(factory=dict, init=False, repr=False)
    _families: defaultdict[str, list[Job]] = attrs.field(factory=lambda: defaultdict(list), init=False, repr=False)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Every job by its id."""
        return MappingProxyType(self._jobs)

    def add(self, job: Job) -> None:
        """Accept *job*."""
        self.creates[job.family] += 1
        self._jobs[job.id] = job
        self._families[job.family].append(job)

    def find(self, job_id: str, family: str) -> Job | None:
        """The job of this id, unless it belongs to another family."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.family == family else None

    def family(self, family: str) -> Iterator[Job]:
        """Jobs of one family, oldest first."""
        return iter(tuple(self._families.get(family, ())))
