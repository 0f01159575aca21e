"""Audio to video (002): a cast of presenters, and their videos."""

from typing import Any

from aiohttp import web

from talking_avatar.sandbox.cast import pose_picture
from talking_avatar.sandbox.rendering.contract import Presenter, PresenterPose
from talking_avatar.sandbox.surreal.gate import NOT_FOUND, Refusal, read_body, required_text, required_url, success
from talking_avatar.sandbox.surreal.videos import Videos, files, heard

__all__ = ["PresenterVideos"]


class PresenterVideos(Videos):
    """``/v1/a2v``."""

    async def list_avatars(self, request: web.Request) -> web.Response:
        presenters = enumerate(await self.backstage.cast.presenters(), start=1)
        # The sample of this answer has no message (002).
        return success([self._avatar(request, number, presenter) for number, presenter in presenters], message=False)

    async def list_poses(self, request: web.Request) -> web.Response:
        wanted = request.query.get("avatar_id", "")
        if not wanted:
            raise Refusal("avatar_id is required")
        for number, presenter in enumerate(await self.backstage.cast.presenters(), start=1):
            if wanted in {str(number), presenter.name}:
                return success([self._pose(request, pose) for pose in presenter.poses], message=False)
        raise Refusal("Avatar Not Found", code=NOT_FOUND, status=404)

    async def generate_video(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        pose_id, audio_url = required_text(body, "pose_id"), required_url(body, "audio_url")
        with_mask = _flag(body, "with_mask")
        known = await self.backstage.cast.pose(pose_id)
        if known is None:
            raise Refusal("Pose Not Found", code=NOT_FOUND)
        recording = await self.recording(audio_url)

        async def order() -> dict[str, bytes]:
            render = self.backstage.crew.call
            pose = known[1].pose_id
            return files(await render("render_presenter", pose, heard(recording), with_mask=with_mask, lane="render"))

        return self.accept(request, body, order, masked=with_mask)

    def _avatar(self, request: web.Request, number: int, presenter: Presenter) -> dict[str, Any]:
        return {
            "id": number,
            "avatar_type": "cg_human",
            "name": presenter.name,
            "gender": presenter.gender,
            "display_name": presenter.display_name,
            "preview_url": self._picture(request, presenter.poses[0]),
            "poses": [self._pose(request, pose) for pose in presenter.poses],
        }

    def _pose(self, request: web.Request, pose: PresenterPose) -> dict[str, str]:
        return {"pose_id": pose.pose_id, "name": pose.name, "preview_url": self._picture(request, pose)}

    def _picture(self, request: web.Request, pose: PresenterPose) -> str:
        expires = self.backstage.clock.time() + self.backstage.surreal_lifetime
        return self.backstage.link(request, pose_picture(pose.pose_id), expires=expires)


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name)
    if value in (None, "true", "false") or isinstance(value, bool):
        return value in (True, "true")
    raise Refusal(f"{name} is not a boolean")
