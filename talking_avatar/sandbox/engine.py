"""The life of a job, as a pure function of its plan, its work and the time."""

import enum
import math
import random
from collections.abc import Callable

import attrs

__all__ = ["Failure", "Lognormal", "Look", "Plan", "Planner", "RenderSeconds", "Stage", "Work", "look"]

RenderSeconds = float | Callable[[random.Random], float]

# Without a planned end the progress of a render is a guess: two thirds after this many seconds, never all of it.
GUESS_SECONDS = 10.0


class Stage(enum.Enum):
    """Where a job is; each service has its own words for these."""

    QUEUED = 1
    PROCESSING = 2
    FINISHED = 3
    FAILED = 4

    @property
    def settled(self) -> bool:
        return self in (Stage.FINISHED, Stage.FAILED)


@attrs.frozen(kw_only=True)
class Failure:
    """Why a job failed; *code* is one of Akool's, Surreal gives no reason."""

    reason: str
    code: int = 1201


@attrs.frozen(kw_only=True)
class Plan:
    """When a job is created, starts and ends, in seconds since the epoch, and whether it is meant to fail."""

    created: float
    starts: float
    ends: float
    failure: Failure | None = None


@attrs.frozen(kw_only=True)
class Work:
    """How far a real renderer has come; it has not begun while *started* is None."""

    started: float | None = None
    ended: float | None = None
    failure: Failure | None = None


@attrs.frozen(kw_only=True)
class Look:
    """What a status call sees; *progress* goes from 0 to 100."""

    stage: Stage
    progress: int
    failure: Failure | None = None


def look(plan: Plan, now: float, work: Work | None = None) -> Look:
    """The state of a job at *now*; with *work* it finishes when both the plan and the renderer are through."""
    if work is not None:
        return _look_at_work(plan, now, work)
    if now < plan.starts:
        return Look(stage=Stage.QUEUED, progress=0)
    if now < plan.ends:
        return Look(stage=Stage.PROCESSING, progress=_share(now - plan.starts, plan.ends - plan.starts))
    return _ended(plan.failure)


def _look_at_work(plan: Plan, now: float, work: Work) -> Look:
    if work.failure is not None:
        return _ended(work.failure)
    if work.ended is not None and now >= plan.ends:
        return _ended(plan.failure)
    if work.started is None or now < plan.starts:
        return Look(stage=Stage.QUEUED, progress=0)
    guess = 100 * (1 - math.exp(-max(0.0, now - work.started) / GUESS_SECONDS))
    planned = _share(now - plan.starts, plan.ends - plan.starts)
    return Look(stage=Stage.PROCESSING, progress=min(99, int(guess), planned))


def _share(passed: float, whole: float) -> int:
    return 99 if passed >= whole else max(0, min(99, int(100 * passed / whole)))


def _ended(failure: Failure | None) -> Look:
    if failure is None:
        return Look(stage=Stage.FINISHED, progress=100)
    return Look(stage=Stage.FAILED, progress=100, failure=failure)


@attrs.frozen
class Lognormal:
    """Render times around *median* seconds with a long tail, as measured services have them."""

    median: float = 120.0
    sigma: float = 0.5

    def __call__(self, rng: random.Random) -> float:
        return rng.lognormvariate(math.log(self.median), self.sigma)


@attrs.define(kw_only=True)
class Planner:
    """Draws plans; of each render *queued_share* is spent waiting. No *render_seconds* means no delay of its own."""

    rng: random.Random
    render_seconds: RenderSeconds | None = None
    queued_share: float = 0.1

    def plan(self, created: float, *, failure: Failure | None = None) -> Plan:
        """The plan of a job created now."""
        seconds = max(0.0, self._seconds())
        starts = created + seconds * self.queued_share
        return Plan(created=created, starts=starts, ends=created + seconds, failure=failure)

    def _seconds(self) -> float:
        if self.render_seconds is None:
            return 0.0
        if callable(self.render_seconds):
            return float(self.render_seconds(self.rng))
        return float(self.render_seconds)
