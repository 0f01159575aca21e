"""What happened to a job, in the past tense; every event is frozen and names its job."""

import attrs

from talking_avatar.models.product import JobResult
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import RenderStatus

__all__ = [
    "Adopted",
    "Attached",
    "Detached",
    "Downloaded",
    "Event",
    "Failed",
    "Finished",
    "LinkExpiring",
    "Progressed",
    "Reachable",
    "StatusChanged",
    "Submitted",
    "TimedOut",
    "Unreachable",
]


@attrs.frozen(kw_only=True)
class Event:
    """Something happened to *ref* at epoch time *at*."""

    ref: JobRef
    at: float

    @property
    def is_final(self) -> bool:
        """Whether nothing further comes for this job."""
        return isinstance(self, Finished | Failed | TimedOut | Detached)


@attrs.frozen(kw_only=True)
class Submitted(Event):
    """The service accepted the job."""


@attrs.frozen(kw_only=True)
class Attached(Event):
    """A job that exists at the service is watched from here on."""


@attrs.frozen(kw_only=True)
class Adopted(Event):
    """A submission whose answer was lost has been found at the service."""


@attrs.frozen(kw_only=True)
class StatusChanged(Event):
    """The service says another word than before."""

    status: RenderStatus
    raw_status: str


@attrs.frozen(kw_only=True)
class Progressed(Event):
    """The service gave a percentage."""

    percent: float


@attrs.frozen(kw_only=True)
class Unreachable(Event):
    """The job could not be read, and is not to blame; watching goes on."""

    reason: str


@attrs.frozen(kw_only=True)
class Reachable(Event):
    """The job's service answers again."""


@attrs.frozen(kw_only=True)
class LinkExpiring(Event):
    """The result is there but not downloaded, and its link ends at epoch time *expires_at*."""

    expires_at: float


@attrs.frozen(kw_only=True)
class Downloaded(Event):
    """The file is on disk, whole."""

    path: str


@attrs.frozen(kw_only=True)
class Finished(Event):
    """The result is there."""

    result: JobResult


@attrs.frozen(kw_only=True)
class Failed(Event):
    """The job ended without a result, for *reason*."""

    reason: str


@attrs.frozen(kw_only=True)
class TimedOut(Event):
    """The deadline passed; the job may still run at the service."""

    reason: str


@attrs.frozen(kw_only=True)
class Detached(Event):
    """Nobody here watches the job any more; it goes on at the service."""
