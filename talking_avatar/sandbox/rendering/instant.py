"""A renderer that takes no time: every video is the same second of a plain picture."""

import io
import struct
import wave
import zlib

import attrs

from talking_avatar.sandbox.rendering.cast import PRESENTERS, find_pose
from talking_avatar.sandbox.rendering.contract import (
    BadInput,
    Character,
    Face,
    Layer,
    Presenter,
    Rendered,
    SpeechVoice,
    Spoken,
)
from talking_avatar.sandbox.rendering.samples import instant_mask_mp4, instant_mp4
from talking_avatar.sandbox.rendering.speech import VOICES

__all__ = ["InstantRenderer"]

_SAMPLE_RATE = 8000
_SECONDS_A_CHARACTER = 0.06
_MP3_BYTES_A_SECOND = 16_000


@attrs.frozen
class InstantRenderer:
    """A `Renderer` for tests of what surrounds rendering; needs no library and looks at no photo."""

    def voices(self) -> tuple[SpeechVoice, ...]:
        """The names that `Studio` has too."""
        return VOICES

    def speak(self, text: str, voice: str) -> Spoken:
        """Silence about as long as the text would take."""
        if voice not in {known.name for known in VOICES}:
            raise BadInput(f"no voice is named {voice!r}", fault="unknown_name")
        samples = round(_SAMPLE_RATE * max(0.4, _SECONDS_A_CHARACTER * len(text)))
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((1, 1, _SAMPLE_RATE, samples, "NONE", ""))
            file.writeframes(b"\x80" * samples)
        return Spoken(wav=buffer.getvalue(), seconds=samples / _SAMPLE_RATE)

    def presenters(self) -> tuple[Presenter, ...]:
        """The cast of `Studio`."""
        return PRESENTERS

    def presenter_preview(self, pose_id: str) -> bytes:
        """A small PNG in the colour of the presenter's clothes."""
        return _plain_png(find_pose(pose_id)[0].clothes)

    def measure_audio(self, audio: bytes, *, limit: float) -> float:
        """What a WAV header says; anything else counts as MP3 of 128 kbit/s, and only nothing is no audio."""
        if not audio:
            raise BadInput("the file is empty", fault="not_audio")
        seconds = _wav_seconds(audio) or len(audio) / _MP3_BYTES_A_SECOND
        if seconds > limit:
            raise BadInput(f"the recording is longer than {limit:g} s", fault="audio_too_long")
        return seconds

    def find_face(self, photo: bytes, *, minimum: int = 160) -> Face:  # noqa: ARG002 - it looks at no photo
        """A face, in whatever file."""
        return Face(x=0, y=0, width=max(256, minimum), height=max(256, minimum))

    def make_character(self, photo: bytes) -> Character:
        """The same character for every photo."""
        self.find_face(photo)
        return Character(gender="female", traits={}, preview_png=_plain_png("#2f5d7c"))

    def render_photo(self, photo: bytes, audio: bytes) -> Rendered:  # noqa: ARG002 - neither is looked at
        """The plain video."""
        return _rendered()

    def render_character(self, traits: dict[str, object], audio: bytes) -> Rendered:  # noqa: ARG002 - as above
        """The plain video, with a mask."""
        return _rendered(with_mask=True)

    def render_presenter(self, pose_id: str, audio: bytes, *, with_mask: bool) -> Rendered:  # noqa: ARG002 - as above
        """The plain video, for a pose that exists."""
        find_pose(pose_id)
        return _rendered(with_mask=with_mask)

    def render_composition(
        self,
        layers: tuple[Layer, ...],
        audio: bytes,  # noqa: ARG002 - as above
        *,
        width: int,  # noqa: ARG002 - as above
        height: int,  # noqa: ARG002 - as above
    ) -> Rendered:
        """The plain video, for presenters that exist."""
        for layer in layers:
            if layer.presenter is not None:
                find_pose(layer.presenter)
        return _rendered()


def _rendered(*, with_mask: bool = False) -> Rendered:
    return Rendered(mp4=instant_mp4(), mask_mp4=instant_mask_mp4() if with_mask else None, seconds=1.0)


def _wav_seconds(audio: bytes) -> float | None:
    try:
        with wave.open(io.BytesIO(audio)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return None


def _plain_png(colour: str, side: int = 64) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    row = b"\0" + bytes.fromhex(colour.removeprefix("#")) * side
    pixels = zlib.compress(row * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
