"""Who can be seen and heard: the renderer's presenters and voices, asked for once."""

import asyncio
import re

import attrs

from talking_avatar.sandbox.rendering.contract import Presenter, PresenterPose, SpeechVoice, Spoken
from talking_avatar.sandbox.rendering.samples import SENTENCE, portrait_jpeg
from talking_avatar.sandbox.storage import Shelf
from talking_avatar.sandbox.studio_pool import Crew

__all__ = ["SAMPLE_PORTRAIT", "SAMPLE_SPEECH", "Cast", "pose_picture", "voice_sample"]

SAMPLE_PORTRAIT = "sample-portrait.jpg"
SAMPLE_SPEECH = "sample-speech.wav"

# Names the documents use in their samples; they stand for the first of the cast where it has no such member.
DOCUMENTED_POSES = frozenset({"liza_a0008", "Yasmin_in_White_shirt_20231121"})
DOCUMENTED_VOICES = frozenset({"Fabineu Topshot", "en-US-Wavenet-A", "6889b628662160e2caad5dbc"})

_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


def pose_picture(pose_id: str) -> str:
    """The file that shows a pose."""
    return f"pose-{_UNSAFE.sub('_', pose_id)}.png"


def voice_sample(voice: str) -> str:
    """The file in which a voice introduces itself."""
    return f"voice-{_UNSAFE.sub('_', voice)}.wav"


@attrs.define(eq=False)
class Cast:
    """Presenters and voices by name, and their previews and samples, made when first asked for."""

    crew: Crew
    shelf: Shelf
    _presenters: tuple[Presenter, ...] | None = attrs.field(default=None, init=False, repr=False)
    _voices: tuple[SpeechVoice, ...] | None = attrs.field(default=None, init=False, repr=False)
    _drawing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False, repr=False)

    async def presenters(self) -> tuple[Presenter, ...]:
        """The drawn cast."""
        if self._presenters is None:
            self._presenters = tuple(await self.crew.call("presenters"))
        return self._presenters

    async def voices(self) -> tuple[SpeechVoice, ...]:
        """Every voice of the synthesiser."""
        if self._voices is None:
            self._voices = tuple(await self.crew.call("voices"))
        return self._voices

    async def pose(self, pose_id: str) -> tuple[Presenter, PresenterPose] | None:
        """A pose and whose it is."""
        known = [(presenter, pose) for presenter in await self.presenters() for pose in presenter.poses]
        found = next((pair for pair in known if pair[1].pose_id == pose_id), None)
        return found or (known[0] if known and pose_id in DOCUMENTED_POSES else None)

    async def voice(self, name: str) -> SpeechVoice | None:
        """The voice of this name."""
        voices = await self.voices()
        found = next((voice for voice in voices if voice.name == name), None)
        return found or (voices[0] if voices and name in DOCUMENTED_VOICES else None)

    async def preview(self, name: str) -> bool:
        """Put the preview or sample called *name* on the shelf; False when there is no such thing."""
        async with self._drawing:
            if self.shelf.path(name).exists():
                return True
            content = await self._make_preview(name)
            if content is not None:
                await self.shelf.put(name, content)
            return content is not None

    async def _make_preview(self, name: str) -> bytes | None:
        if name == SAMPLE_PORTRAIT:
            return portrait_jpeg()
        if name == SAMPLE_SPEECH:
            return await self._spoken(SENTENCE, (await self.voices())[0])
        for voice in await self.voices():
            if voice_sample(voice.name) == name:
                return await self._spoken("Hello, this is how I sound.", voice)
        return await self._picture(name)

    async def _picture(self, name: str) -> bytes | None:
        poses = [pose for presenter in await self.presenters() for pose in presenter.poses]
        pose_id = next((pose.pose_id for pose in poses if pose_picture(pose.pose_id) == name), None)
        if pose_id is None:
            return None
        picture: bytes = await self.crew.call("presenter_preview", pose_id)
        return picture

    async def _spoken(self, text: str, voice: SpeechVoice) -> bytes:
        spoken: Spoken = await self.crew.call("speak", text, voice.name)
        return spoken.wav
