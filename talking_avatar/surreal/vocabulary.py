"""Surreal Engine's words: codes, status words, and rows as they stand in documents 000 to 003."""

from typing import Any

import attrs

from talking_avatar.errors import Throttled
from talking_avatar.models.refs import JobRef
from talking_avatar.models.results import Avatar, Pose, RenderStatus, Speech, Video, Voice
from talking_avatar.wire.converter import Id, decode, record, unknown_keys
from talking_avatar.wire.envelope import Dialect, Meaning
from talking_avatar.wire.moments import link_expiry
from talking_avatar.wire.shapes import every, one_object

__all__ = ["BASE_URL", "DIALECT", "REQUESTS_PER_MINUTE", "created_video", "render_status"]

BASE_URL = "https://openapi.surreal-ai.com"
REQUESTS_PER_MINUTE = 30

# 1009 is the only code besides 0 that Surreal documents (guide/ratelimit); others go by the HTTP status.
DIALECT = Dialect(
    service="surreal",
    success=0,
    words_key="message",
    meanings={1009: Meaning(Throttled, "30 requests a minute are allowed; wait and ask again")},
)

# 000 to 003 list four words and "etc."; the last three are the plain names of the same states.
_STATUS = {
    "pending": RenderStatus.PENDING,
    "in_progressing": RenderStatus.PROCESSING,
    "finished": RenderStatus.FINISHED,
    "error": RenderStatus.FAILED,
    "in_progress": RenderStatus.PROCESSING,
    "completed": RenderStatus.FINISHED,
    "failed": RenderStatus.FAILED,
}


def render_status(word: str) -> RenderStatus:
    """The status a word stands for; `UNKNOWN` for one that is not documented."""
    return _STATUS.get(word) or _STATUS.get(word.strip().lower(), RenderStatus.UNKNOWN)


@record
class VideoRow:
    video_id: Id
    status: str = ""
    video_url: str | None = None
    mask_video_url: str | None = None
    preview_url: str | None = None

    @classmethod
    def read(cls, row: Any, ref_of: "RefMaker", *, path: str = "$.data") -> Video:
        read = decode(cls, row, path=path)
        status = render_status(read.status)
        return Video(
            id=read.video_id,
            ref=ref_of(read.video_id),
            status=status,
            raw_status=read.status,
            video_url=read.video_url or None,
            mask_video_url=read.mask_video_url or None,
            preview_url=read.preview_url or None,
            expires_at=link_expiry(read.video_url),
            extra=unknown_keys(cls, row),
        )


@attrs.frozen
class RefMaker:
    """Names the jobs of one family and account."""

    family: str
    account: str

    def __call__(self, job_id: str) -> JobRef:
        return JobRef("surreal", self.family, job_id, self.account)


@record
class CreatedRow:
    video_id: Id


def created_video(payload: Any, ref_of: RefMaker) -> Video:
    """The video of a create's answer; only its id is insisted on, because it names what has been paid for."""
    row = one_object(payload)
    video_id = decode(CreatedRow, row).video_id
    word = row.get("status")
    word = word if isinstance(word, str) else "pending"
    return Video(
        id=video_id,
        ref=ref_of(video_id),
        status=render_status(word),
        raw_status=word,
        extra=unknown_keys(VideoRow, row),
    )


@record
class PoseRow:
    pose_id: str
    name: str = ""
    preview_url: str | None = None

    @classmethod
    def read(cls, row: Any, *, path: str) -> Pose:
        read = decode(cls, row, path=path)
        return Pose(pose_id=read.pose_id, name=read.name, preview_url=read.preview_url, extra=unknown_keys(cls, row))


@record
class CharacterRow:
    """An a2v avatar (002)."""

    id: str
    name: str = ""
    display_name: str = ""
    gender: str | None = None
    avatar_type: str | None = None
    preview_url: str | None = None
    poses: list[Any] = attrs.field(factory=list)

    @classmethod
    def read(cls, row: Any, *, path: str) -> Avatar:
        read = decode(cls, row, path=path)
        return Avatar(
            id=read.id,
            avatar_id=read.id,
            name=read.display_name or read.name,
            gender=read.gender,
            kind=read.avatar_type,
            preview_url=read.preview_url,
            poses=tuple(PoseRow.read(pose, path=f"{path}.poses[{i}]") for i, pose in enumerate(read.poses)),
            extra={**unknown_keys(cls, row), "name": read.name},
        )


@record
class HeadRow:
    """A CG avatar made from a photo (000, 001); the raw sample has an undocumented ``avatar_url`` to a .glb."""

    avatar_id: Id
    gender: str | None = None
    preview_url: str | None = None

    @classmethod
    def read(cls, row: Any, *, path: str = "$.data") -> Avatar:
        read = decode(cls, row, path=path)
        return Avatar(
            id=read.avatar_id,
            avatar_id=read.avatar_id,
            gender=read.gender,
            kind="cg_avatar",
            preview_url=read.preview_url,
            extra=unknown_keys(cls, row),
        )


@record
class VoiceRow:
    voice_name: str
    gender: str | None = None
    language: str | None = None
    locale: str | None = None
    preview_url: str | None = None
    tags: str = ""

    @classmethod
    def read(cls, row: Any, *, path: str) -> Voice:
        read = decode(cls, row, path=path)
        return Voice(
            id=read.voice_name,
            voice_id=read.voice_name,
            name=read.voice_name,
            # Surreal capitalises it and Akool does not (guide/tts).
            gender=read.gender.lower() if read.gender else None,
            language=read.language,
            locale=read.locale,
            tags=tuple(tag.strip() for tag in read.tags.split(",") if tag.strip()),
            preview_url=read.preview_url,
            extra=unknown_keys(cls, row),
        )


@record
class SpeechRow:
    url: str


def generated_avatar(payload: Any) -> Avatar:
    return HeadRow.read(one_object(payload))


def generated_avatars(payload: Any) -> list[Avatar]:
    return every(HeadRow.read, payload)


def characters(payload: Any) -> list[Avatar]:
    return every(CharacterRow.read, payload)


def poses(payload: Any) -> list[Pose]:
    return every(PoseRow.read, payload)


def voices(payload: Any) -> list[Voice]:
    return every(VoiceRow.read, payload)


def speech(payload: Any) -> Speech:
    row = one_object(payload)
    url = decode(SpeechRow, row).url
    return Speech(id=url.partition("?")[0].rpartition("/")[2], url=url, extra=unknown_keys(SpeechRow, row))
