"""Talking CG avatars made from a photo (000, 001)."""

from typing import Any

from talking_avatar.models.requests import AvatarPhoto, CGAvatarVideo
from talking_avatar.models.results import Avatar
from talking_avatar.surreal.videos import VideoFamily
from talking_avatar.surreal.vocabulary import generated_avatar, generated_avatars
from talking_avatar.transport.call import Call

__all__ = ["CGAvatar"]

# The service holds the request open for 40 to 60 s; its own sample waits 100 (000).
GENERATE_TIMEOUT = 120.0


class CGAvatar(VideoFamily[CGAvatarVideo]):
    """The ``cg_avatar`` endpoints: a character made from a photo speaks a recording."""

    family = "cg_avatar"
    request_type = CGAvatarVideo

    async def generate_avatar(self, image_url: str) -> Avatar:
        """Make a CG avatar from a photo with a recognisable face; takes 40–60 s within one request."""
        call = Call(
            method="POST",
            path="/v1/cg_avatar/avatar.generate",
            body={"image_url": AvatarPhoto(image_url=image_url).image_url},
            idempotent=False,
            timeout=GENERATE_TIMEOUT,
            parse=generated_avatar,
        )
        return await self._channel.send(call)

    async def list_avatars(self) -> list[Avatar]:
        """Every CG avatar made so far."""
        return await self._channel.send(Call(method="GET", path="/v1/cg_avatar/avatar.list", parse=generated_avatars))

    def body(self, request: CGAvatarVideo) -> dict[str, Any]:
        return {"avatar_id": request.avatar_id, "audio_url": request.audio_url}
