"""Talking photo (003)."""

import asyncio

from aiohttp import web

from talking_avatar.sandbox.fetch import FetchFailed
from talking_avatar.sandbox.rendering.contract import BadInput
from talking_avatar.sandbox.surreal.gate import Refusal, read_body, required_url
from talking_avatar.sandbox.surreal.videos import Videos, files, heard

__all__ = ["TalkingPhotos"]

# "the face area of your photo has to be larger than 160*160, other wise your generate request will fail" (003).
FACE_PIXELS = 160


class TalkingPhotos(Videos):
    """``/v1/v2v``."""

    async def generate_video(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        image_url, audio_url = required_url(body, "image_url"), required_url(body, "audio_url")
        photo, recording = await asyncio.gather(self._photo(image_url), self.recording(audio_url))

        async def order() -> dict[str, bytes]:
            crew = self.backstage.crew
            return files(await crew.call("render_photo", photo, heard(recording), lane="render"))

        return self.accept(request, body, order)

    async def _photo(self, address: str) -> bytes:
        try:
            return await self.backstage.inputs.photo(address, minimum=FACE_PIXELS)
        except (BadInput, FetchFailed) as error:
            raise Refusal(f"image_url: {error}") from error
