"""Voices and speech (Voice Lab v4, which 004 links to)."""

from functools import partial
from typing import Any
from urllib.parse import quote

from talking_avatar.akool import vocabulary
from talking_avatar.akool.pages import PAGE_SIZE, every_page
from talking_avatar.models.product import Product
from talking_avatar.models.requests import SpeechRequest, VoiceClone
from talking_avatar.models.results import Speech, Voice
from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel
from talking_avatar.wire.shapes import every

__all__ = ["Voices"]


class Voices:
    """The ``voice`` endpoints; speech and clones take time, so a watcher awaits them like videos."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def list_voices(self, *, kind: int = 2) -> list[Voice]:
        """Every page of the voices; *kind* 1 is your clones, 2 Akool's own."""

        async def page(number: int) -> list[Voice]:
            query = {"type": str(kind), "page": str(number), "size": str(PAGE_SIZE)}
            parse = partial(every, vocabulary.voice)
            return await self._channel.send(
                Call(method="GET", path="/api/open/v4/voice/list", query=query, parse=parse)
            )

        return await every_page(page)

    async def generate_speech(self, request: SpeechRequest) -> Speech:
        """Start speaking; `Speech.url` is there once its status is FINISHED."""
        return await self._channel.send(self._speak(request))

    async def get_speech(self, speech_id: str) -> Speech:
        """One speech as it stands."""
        return await self._channel.send(self._get_speech(speech_id))

    async def clone_voice(self, request: VoiceClone) -> Voice:
        """Start cloning; `Voice.voice_id` is there once its status is FINISHED."""
        return await self._channel.send(self._clone(request))

    async def get_voice(self, voice_id: str) -> Voice:
        """One cloned voice as it stands, by its `Voice.id`."""
        return await self._channel.send(self._get_voice(voice_id))

    @property
    def products(self) -> tuple[Product[SpeechRequest, Speech], Product[VoiceClone, Voice]]:
        """What a watcher needs to know of speech and of clones."""
        product = partial(Product, service="akool", account=self._channel.account, gate=self._channel.gate)
        return (
            product(
                family="speech",
                request_type=SpeechRequest,
                result_type=Speech,
                create=lambda request: self._channel.once(self._speak(request)),
                read=lambda speech_id: self._channel.once(self._get_speech(speech_id)),
            ),
            product(
                family="voices",
                request_type=VoiceClone,
                result_type=Voice,
                create=lambda request: self._channel.once(self._clone(request)),
                read=lambda voice_id: self._channel.once(self._get_voice(voice_id)),
            ),
        )

    def _speak(self, request: SpeechRequest) -> Call[Speech]:
        return _create(
            "/api/open/v4/voice/tts",
            vocabulary.speech,
            {
                "input_text": request.text,
                "voice_id": request.voice_id,
                "language_code": request.language_code,
                "voice_options": request.voice_options,
                "webhookUrl": request.webhook_url,
            },
        )

    def _clone(self, request: VoiceClone) -> Call[Voice]:
        return _create(
            "/api/open/v4/voice/clone",
            vocabulary.cloned_voice,
            {
                "source_voice_file": request.source_url,
                "name": request.name,
                "voice_options": request.voice_options,
                "voice_model_name": request.voice_model_name,
                "webhookUrl": request.webhook_url,
            },
        )

    def _get_speech(self, speech_id: str) -> Call[Speech]:
        path = f"/api/open/v4/voice/resource/detail/{_segment(speech_id)}"
        return Call(method="GET", path=path, parse=vocabulary.speech)

    def _get_voice(self, voice_id: str) -> Call[Voice]:
        return Call(method="GET", path=f"/api/open/v4/voice/detail/{_segment(voice_id)}", parse=vocabulary.cloned_voice)


def _create(path: str, parse: Any, body: dict[str, Any]) -> Call[Any]:
    given = {key: value for key, value in body.items() if value is not None}
    return Call(method="POST", path=path, body=given, idempotent=False, parse=parse)


def _segment(identity: str) -> str:
    return quote(identity, safe="")
