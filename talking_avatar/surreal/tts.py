"""Realtime speech (guide/tts)."""

from talking_avatar.models.requests import SurrealSpeech
from talking_avatar.models.results import Speech, Voice
from talking_avatar.surreal.vocabulary import speech, voices
from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel

__all__ = ["TTS"]


class TTS:
    """The ``tts`` endpoints: text becomes a recording that the video families accept."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def list_voices(self) -> list[Voice]:
        """Every voice; `generate_speech` takes its `name`."""
        return await self._channel.send(Call(method="GET", path="/v1/tts/voice.list", parse=voices))

    async def generate_speech(self, text: str, *, voice_name: str) -> Speech:
        """Speak at most 500 characters; the link is short-lived."""
        request = SurrealSpeech(text=text, voice_name=voice_name)
        # Speaking again costs nothing but a request, so a lost answer is simply asked for once more.
        call = Call(
            method="POST",
            path="/v1/tts/voice.generate",
            body={"text": request.text, "voice_name": request.voice_name},
            parse=speech,
        )
        return await self._channel.send(call)
