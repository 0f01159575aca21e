"""Talking avatars (004): a composition goes in, a video comes out."""

import uuid
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.sandbox.akool.avatars import UID, Avatars
from talking_avatar.sandbox.akool.elements import Composition, check
from talking_avatar.sandbox.akool.gate import Refusal, fresh_id, present, read_body, success
from talking_avatar.sandbox.akool.voices import Voices
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.engine import Stage
from talking_avatar.sandbox.ledger import Job
from talking_avatar.sandbox.rendering.contract import Layer, Rendered

__all__ = ["FAMILY", "PRICE", "TalkingAvatars"]

FAMILY = "akool.talking_avatar"
# What one video costs; the sample of `004` shows 10 as well.
PRICE = 10
# The document names no limit; a stand-in has to have one.
AUDIO_SECONDS = 300.0


@attrs.define(eq=False)
class TalkingAvatars:
    """``v3/talkingavatar/create`` and ``v3/content/video/infobymodelid``."""

    backstage: Backstage
    avatars: Avatars
    voices: Voices

    async def create(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        composition = check(body)
        layers = [await self._source(element) for element in composition.seen]
        voice = await self._voice(composition.heard)
        self._charge()

        async def order() -> dict[str, bytes]:
            return await self._render(composition, layers, voice)

        now = self.backstage.clock.time()
        facts = {"video_id": str(uuid.uuid4()), "task_id": fresh_id(now)}
        job = self.backstage.accept(request, fresh_id(now), family=FAMILY, body=body, order=order, facts=facts)
        return success({**_identity(job), "task_id": facts["task_id"], "video_status": 1, "video": ""})

    async def get_video(self, request: web.Request) -> web.Response:
        job = self.backstage.ledger.find(request.query.get("video_model_id", ""), FAMILY)
        if job is None:
            raise Refusal("The content does not exist", code=1008)
        seen = job.look(self.backstage.clock.time())
        row = {**_identity(job), "deduction_duration": PRICE, "video_status": seen.stage.value, "video": ""}
        if not self.backstage.documented:
            row |= {"progress": seen.progress, "type": 9, "from": 2}
        if seen.stage is Stage.FINISHED:
            # "valid for 7 days" (004) counts from the end of the render; asking again makes it no longer.
            expires = job.settled_at + self.backstage.akool_lifetime
            row["video"] = self.backstage.link(request, f"{job.id}.mp4", expires=expires)
        if seen.failure is not None:
            row |= {"error_code": seen.failure.code, "error_reason": seen.failure.reason}
        return success(row)

    def _charge(self) -> None:
        if self.backstage.credits < PRICE:
            raise Refusal("Your quota is not enough", code=1006)
        self.backstage.credits -= PRICE

    async def _source(self, element: Mapping[str, Any]) -> str | None:
        """The pose an avatar element names, or None where it has a picture of its own."""
        if element["type"] == "image" or present(element, "url"):
            return None
        found = await self.avatars.find(element["avatar_id"])
        if found is None:
            raise Refusal("The avatar does not exist", code=1014)
        if isinstance(found, Job):
            _check_ready(found.look(self.backstage.clock.time()).stage)
            return None
        return found

    async def _voice(self, heard: Mapping[str, Any]) -> str | None:
        return None if present(heard, "url") else await self.voices.spoken_by(heard["voice_id"])

    async def _render(self, composition: Composition, poses: list[str | None], voice: str | None) -> dict[str, bytes]:
        pairs = zip(composition.seen, poses, strict=True)
        layers = tuple([await self._layer(element, pose) for element, pose in pairs])
        sound = await self._sound(composition.heard, voice)
        size = {"width": composition.width, "height": composition.height}
        call = self.backstage.crew.call
        rendered: Rendered = await call("render_composition", layers, sound, **size, lane="render")
        return {".mp4": rendered.mp4}

    async def _layer(self, element: Mapping[str, Any], pose: str | None) -> Layer:
        sides = {name: element[name] for name in ("width", "height") if element.get(name) is not None}
        place = {name: element[name] for name in ("offset_x", "offset_y", "scale_x", "scale_y")}
        return Layer(talks=element["type"] == "avatar", **await self._picture(element, pose), **place, **sides)

    async def _picture(self, element: Mapping[str, Any], pose: str | None) -> dict[str, Any]:
        if pose is not None:
            return {"presenter": pose}
        url = element.get("url") or ""
        if url.startswith("#"):
            return {"colour": url}
        if not url:
            upload = await self.avatars.find(element["avatar_id"])
            url = upload.request["url"] if isinstance(upload, Job) else url
        return {"picture": await self.backstage.inputs.file(url)}

    async def _sound(self, heard: Mapping[str, Any], voice: str | None) -> bytes:
        if voice is None:
            return await self.backstage.inputs.recording(heard["url"], limit=AUDIO_SECONDS)
        spoken = await self.backstage.crew.call("speak", heard["input_text"], voice)
        wav: bytes = spoken.wav
        return wav


def _identity(job: Job) -> dict[str, Any]:
    return {
        "_id": job.id,
        "create_time": int(job.plan.created * 1000),
        "uid": UID,
        "video_id": job.facts["video_id"],
    }


def _check_ready(stage: Stage) -> None:
    if stage is Stage.FAILED:
        raise Refusal("The avatar can not be operated", code=1010)
    if stage is not Stage.FINISHED:
        raise Refusal("The avatar is processing", code=1105)
