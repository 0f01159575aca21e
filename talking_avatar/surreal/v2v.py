"""Talking photo (003)."""

from typing import Any

from talking_avatar.models.requests import TalkingPhoto
from talking_avatar.surreal.videos import VideoFamily

__all__ = ["V2V"]


class V2V(VideoFamily[TalkingPhoto]):
    """The ``v2v`` endpoints: a photo speaks a recording."""

    family = "v2v"
    request_type = TalkingPhoto

    def body(self, request: TalkingPhoto) -> dict[str, Any]:
        return {"image_url": request.image_url, "audio_url": request.audio_url}
