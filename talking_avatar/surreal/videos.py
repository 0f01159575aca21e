"""What all three video families share: generate, get, list (000 to 003)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from talking_avatar.models.product import Product
from talking_avatar.models.results import Video
from talking_avatar.surreal.vocabulary import RefMaker, VideoRow, created_video
from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel
from talking_avatar.wire.shapes import every, one_object, rows

__all__ = ["VideoFamily", "VideoListing"]

R = TypeVar("R")

# Without pages the answer grows with the account, and takes a while to arrive.
LIST_TIMEOUT = 120.0


class VideoFamily(ABC, Generic[R]):
    """One product's endpoints."""

    family: ClassVar[str]
    request_type: ClassVar[type[Any]]

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ref_of = RefMaker(self.family, channel.account)

    async def generate_video(self, request: R) -> Video:
        """Start a render, which costs one call of the quota once it is accepted.

        Raises `InvalidRequest` when the service refuses the inputs, and `Unreachable` with *sent* True when nobody
        knows whether it was accepted: a watcher's `submit` settles that.
        """
        return await self._channel.send(self._generate(request))

    async def get_video(self, video_id: str) -> Video:
        """One video as it stands; the links in it are good for about an hour."""
        return await self._channel.send(self._get(video_id))

    async def list_videos(self) -> list[Video]:
        """Every video of the account, of any status; the service has no pages."""
        return await self._channel.send(self._list(self._all))

    @property
    def product(self) -> Product[R, Video]:
        """What a watcher needs to know of this family."""
        return Product(
            service="surreal",
            family=self.family,
            account=self._channel.account,
            request_type=self.request_type,
            result_type=Video,
            create=lambda request: self._channel.once(self._generate(request)),
            read=lambda video_id: self._channel.once(self._get(video_id)),
            listing=lambda: self._channel.once(self._list(self._scan)),
            gate=self._channel.gate,
        )

    @abstractmethod
    def body(self, request: R) -> dict[str, Any]:
        """What is sent for *request*."""

    def _generate(self, request: R) -> Call[Video]:
        return Call(
            method="POST",
            path=f"/v1/{self.family}/video.generate",
            body=self.body(request),
            idempotent=False,
            parse=partial(created_video, ref_of=self._ref_of),
        )

    def _get(self, video_id: str) -> Call[Video]:
        return Call(method="GET", path=f"/v1/{self.family}/video.get", query={"video_id": video_id}, parse=self._one)

    def _list(self, parse: Any) -> Call[Any]:
        return Call(method="GET", path=f"/v1/{self.family}/video.list", parse=parse, timeout=LIST_TIMEOUT)

    def _one(self, payload: Any) -> Video:
        return VideoRow.read(one_object(payload), self._ref_of)

    def _all(self, payload: Any) -> list[Video]:
        return every(partial(VideoRow.read, ref_of=self._ref_of), payload)

    def _scan(self, payload: Any) -> "VideoListing":
        return VideoListing.read(payload, self._ref_of)


@attrs.frozen(slots=False)
class VideoListing:
    """All videos of a family, each decoded when it is asked for."""

    words: Mapping[str, str]
    _rows: Sequence[Any]
    _ref_of: RefMaker

    @classmethod
    def read(cls, payload: Any, ref_of: RefMaker) -> "VideoListing":
        """Scan ids and status words; a row without a usable id cannot be anybody's job and is passed over."""
        found = rows(payload)
        try:
            # Ten thousand rows pass here with every look, nearly always whole and well-formed.
            words = {row["video_id"]: row["status"] for row in found}
            if {*map(type, words), *map(type, words.values())} <= {str} and "" not in words:
                return cls(words, found, ref_of)
        except (KeyError, TypeError):
            pass
        usable = [row for row in found if isinstance(row, dict) and _id_of(row)]
        return cls({_id_of(row): _word_of(row) for row in usable}, usable, ref_of)

    @cached_property
    def _by_id(self) -> Mapping[str, Any]:
        return {_id_of(row): row for row in self._rows}

    def decode(self, job_id: str) -> Video:
        return VideoRow.read(self._by_id[job_id], self._ref_of, path=f"$.data[{job_id}]")


def _id_of(row: Mapping[str, Any]) -> str:
    video_id = row.get("video_id")
    return str(video_id) if isinstance(video_id, str | int) and not isinstance(video_id, bool) else ""


def _word_of(row: Mapping[str, Any]) -> str:
    word = row.get("status")
    return word if isinstance(word, str) else ""
