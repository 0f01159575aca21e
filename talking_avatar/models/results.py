"""What the services answer, in one vocabulary."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from sys import intern
from typing import Any

import attrs

from talking_avatar.models.refs import JobRef

__all__ = ["Avatar", "Pose", "RenderStatus", "Speech", "Video", "Voice"]


class RenderStatus(StrEnum):
    """Where a job stands; `UNKNOWN` is a word this SDK does not know yet, and is watched like a running job."""

    PENDING = "pending"
    PROCESSING = "processing"
    FINISHED = "finished"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the service will not change it any more."""
        return self in _FINAL

    @property
    def rank(self) -> int:
        """Position on the way to an end; a later reading with a lower rank is stale."""
        return _RANKS[self]


_FINAL = frozenset({RenderStatus.FINISHED, RenderStatus.FAILED})
_RANKS = {
    RenderStatus.PENDING: 0,
    RenderStatus.PROCESSING: 1,
    # Where an undocumented word stands nobody can say: it replaces a running state, and a running state replaces it.
    RenderStatus.UNKNOWN: 1,
    RenderStatus.FINISHED: 2,
    RenderStatus.FAILED: 2,
}


def _interned(word: str) -> str:
    # A hundred thousand jobs share a handful of words.
    return intern(str(word))


_extra: Any = attrs.field(factory=dict, repr=False, hash=False)


@attrs.frozen(kw_only=True)
class Video:
    """A render as the service last described it; *credits* is what it cost, where the service says."""

    id: str
    ref: JobRef
    status: RenderStatus
    raw_status: str = attrs.field(default="", converter=_interned)
    # Result links are signed: whoever holds one can fetch the file, so they stay out of reprs and logs.
    video_url: str | None = attrs.field(default=None, repr=False)
    mask_video_url: str | None = attrs.field(default=None, repr=False)
    preview_url: str | None = attrs.field(default=None, repr=False)
    progress: float | None = None
    credits: float | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    error_code: str | None = None
    error_reason: str | None = None
    extra: Mapping[str, Any] = _extra


@attrs.frozen(kw_only=True)
class Pose:
    """A way an avatar can stand; one `pose_id` may appear under several names."""

    pose_id: str
    name: str = ""
    preview_url: str | None = attrs.field(default=None, repr=False)
    extra: Mapping[str, Any] = _extra


@attrs.frozen(kw_only=True)
class Avatar:
    """Someone who can talk: *id* is what get and list calls take, *avatar_id* what a request takes."""

    id: str
    avatar_id: str = ""
    name: str = ""
    gender: str | None = None
    kind: str | None = None
    origin: int | None = None
    status: RenderStatus = RenderStatus.FINISHED
    raw_status: str = ""
    preview_url: str | None = attrs.field(default=None, repr=False)
    poses: tuple[Pose, ...] = ()
    error_code: str | None = None
    error_reason: str | None = None
    extra: Mapping[str, Any] = _extra


@attrs.frozen(kw_only=True)
class Voice:
    """A voice; *voice_id* is what a request takes and is None while a clone is still being made."""

    id: str
    voice_id: str | None = None
    name: str = ""
    gender: str | None = None
    language: str | None = None
    locale: str | None = None
    tags: tuple[str, ...] = ()
    preview_url: str | None = attrs.field(default=None, repr=False)
    status: RenderStatus = RenderStatus.FINISHED
    raw_status: str = ""
    error_code: str | None = None
    error_reason: str | None = None
    extra: Mapping[str, Any] = _extra


@attrs.frozen(kw_only=True)
class Speech:
    """Synthesised speech; *duration* is in seconds where the service says."""

    id: str
    url: str | None = attrs.field(default=None, repr=False)
    status: RenderStatus = RenderStatus.FINISHED
    raw_status: str = ""
    duration: float | None = None
    error_code: str | None = None
    error_reason: str | None = None
    extra: Mapping[str, Any] = _extra
