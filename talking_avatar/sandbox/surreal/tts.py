"""Speech (the vendor's guide and reference of TTS): voices, and text spoken at once."""

import uuid

import attrs
from aiohttp import web

from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.cast import voice_sample
from talking_avatar.sandbox.rendering.contract import SpeechVoice, Spoken
from talking_avatar.sandbox.surreal.gate import NOT_FOUND, Refusal, read_body, required_text, success

__all__ = ["Speeches"]

# "the limit of the input text length is 500 characters" (guide/tts).
TEXT_CHARACTERS = 500


@attrs.define(eq=False)
class Speeches:
    """``/v1/tts``."""

    backstage: Backstage

    async def list_voices(self, request: web.Request) -> web.Response:
        return success([self._row(request, voice) for voice in await self.backstage.cast.voices()])

    async def generate_speech(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        text, name = required_text(body, "text"), required_text(body, "voice_name")
        if len(text) > TEXT_CHARACTERS:
            raise Refusal(f"text is longer than {TEXT_CHARACTERS} characters")
        voice = await self.backstage.cast.voice(name)
        if voice is None:
            raise Refusal("Voice Not Found", code=NOT_FOUND)
        spoken: Spoken = await self.backstage.crew.call("speak", text, voice.name)
        file = f"speech-{uuid.uuid4().hex}.wav"
        await self.backstage.shelf.put(file, spoken.wav)
        self.backstage.ledger.creates["surreal.tts"] += 1
        return success({"url": self._link(request, file)})

    def _row(self, request: web.Request, voice: SpeechVoice) -> dict[str, str]:
        return {
            "voice_name": voice.name,
            "gender": voice.gender.capitalize(),
            "language": voice.language,
            "locale": voice.locale,
            "preview_url": self._link(request, voice_sample(voice.name)),
            "tags": ",".join(voice.tags),
        }

    def _link(self, request: web.Request, name: str) -> str:
        expires = self.backstage.clock.time() + self.backstage.surreal_lifetime
        return self.backstage.link(request, name, expires=expires)
