"""Talking CG avatars (000, 001): drawn from a photo, then given a voice."""

import uuid
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.sandbox.fetch import FetchFailed
from talking_avatar.sandbox.rendering.contract import BadInput, Character
from talking_avatar.sandbox.surreal.gate import NOT_FOUND, Refusal, read_body, required_text, required_url, success
from talking_avatar.sandbox.surreal.videos import Videos, files, heard

__all__ = ["CharacterVideos"]


@attrs.define(eq=False)
class CharacterVideos(Videos):
    """``/v1/cg_avatar``."""

    _characters: dict[str, Character] = attrs.field(factory=dict, init=False, repr=False)

    async def generate_avatar(self, request: web.Request) -> web.Response:
        image_url = required_url(await read_body(request), "image_url")
        character = await self._draw(image_url)
        # "It usually takes about 1 minute" (001), all of it inside this request.
        await self.backstage.clock.sleep(self.backstage.avatar_seconds)
        avatar_id = str(uuid.uuid4())
        await self.backstage.shelf.put(f"character-{avatar_id}.png", character.preview_png)
        self._characters[avatar_id] = character
        self.backstage.ledger.creates["surreal.cg_avatar.avatar"] += 1
        row = self._row_of_avatar(request, avatar_id)
        # An object in the guide (000), a one-element array in its raw sample and in the reference (001).
        return success(row if self.backstage.documented else [row])

    async def list_avatars(self, request: web.Request) -> web.Response:
        return success([self._row_of_avatar(request, avatar_id) for avatar_id in self._characters])

    async def generate_video(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        avatar_id, audio_url = required_text(body, "avatar_id"), required_url(body, "audio_url")
        character = self._characters.get(avatar_id)
        if character is None:
            raise Refusal("Avatar Not Found", code=NOT_FOUND)
        recording = await self.recording(audio_url)

        async def order() -> dict[str, bytes]:
            crew = self.backstage.crew
            return files(await crew.call("render_character", character.traits, heard(recording), lane="render"))

        return self.accept(request, body, order, masked=True)

    async def _draw(self, image_url: str) -> Character:
        try:
            photo = await self.backstage.inputs.photo(image_url, minimum=1)
            character: Character = await self.backstage.crew.call("make_character", photo)
        except (BadInput, FetchFailed) as error:
            # "make sure your image has recognizable person inside it, otherwise ... the request will fail" (000).
            raise Refusal(f"image_url: {error}") from error
        return character

    def _row_of_avatar(self, request: web.Request, avatar_id: str) -> dict[str, Any]:
        expires = self.backstage.clock.time() + self.backstage.surreal_lifetime
        preview = self.backstage.link(request, f"character-{avatar_id}.png", expires=expires)
        return {"avatar_id": avatar_id, "gender": self._characters[avatar_id].gender, "preview_url": preview}
