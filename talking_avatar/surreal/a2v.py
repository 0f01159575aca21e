"""Audio to video: a cast of presenters (002)."""

from typing import Any

from talking_avatar.models.requests import AudioToVideo
from talking_avatar.models.results import Avatar, Pose
from talking_avatar.surreal.videos import VideoFamily
from talking_avatar.surreal.vocabulary import characters, poses
from talking_avatar.transport.call import Call

__all__ = ["A2V"]


class A2V(VideoFamily[AudioToVideo]):
    """The ``a2v`` endpoints: a presenter speaks a recording."""

    family = "a2v"
    request_type = AudioToVideo

    async def list_avatars(self) -> list[Avatar]:
        """The presenters, each with its poses; a request takes a `pose_id` of theirs."""
        return await self._channel.send(Call(method="GET", path="/v1/a2v/avatar.list", parse=characters))

    async def list_poses(self, avatar_id: str) -> list[Pose]:
        """The poses of one presenter; a `pose_id` may come twice under different names."""
        call = Call(method="GET", path="/v1/a2v/avatar-pose.list", query={"avatar_id": avatar_id}, parse=poses)
        return await self._channel.send(call)

    def body(self, request: AudioToVideo) -> dict[str, Any]:
        body: dict[str, Any] = {"pose_id": request.pose_id, "audio_url": request.audio_url}
        return {**body, "with_mask": True} if request.with_mask else body
