"""The renderer that really renders; its libraries load when it is first asked for something."""

import functools

import attrs

from talking_avatar.sandbox.rendering.contract import (
    Character,
    Face,
    Layer,
    Presenter,
    Rendered,
    Renderer,
    SpeechVoice,
    Spoken,
)

__all__ = ["Studio"]


@functools.cache
def _production() -> Renderer:
    try:
        from talking_avatar.sandbox.rendering.production import Production  # noqa: PLC0415 - OpenCV and FFmpeg are big
    except ImportError as error:
        raise ImportError("rendering needs more libraries: pip install 'talking-avatar[sandbox]'") from error
    return Production()


@attrs.frozen
class Studio:
    """A `Renderer` of real videos on the CPU; the same input gives the same video."""

    def voices(self) -> tuple[SpeechVoice, ...]:
        """Voices of espeak-ng."""
        return _production().voices()

    def speak(self, text: str, voice: str) -> Spoken:
        """Synthesise speech; a text without a pronounceable character is a moment of silence."""
        return _production().speak(text, voice)

    def presenters(self) -> tuple[Presenter, ...]:
        """The drawn cast, which has the pose ids of Surreal's samples."""
        return _production().presenters()

    def presenter_preview(self, pose_id: str) -> bytes:
        """A PNG of 512 by 512 pixels."""
        return _production().presenter_preview(pose_id)

    def measure_audio(self, audio: bytes, *, limit: float) -> float:
        """Decode to count; what a compressed file says of its own length is not believed."""
        return _production().measure_audio(audio, limit=limit)

    def find_face(self, photo: bytes, *, minimum: int = 160) -> Face:
        """The largest face that looks at the camera, more or less."""
        return _production().find_face(photo, minimum=minimum)

    def make_character(self, photo: bytes) -> Character:
        """A drawn person in the photo's colours; the gender is guessed from them and often wrong."""
        return _production().make_character(photo)

    def render_photo(self, photo: bytes, audio: bytes) -> Rendered:
        """Move the mouth and blink the eyes of a photographed face."""
        return _production().render_photo(photo, audio)

    def render_character(self, traits: dict[str, object], audio: bytes) -> Rendered:
        """A talking drawing of 512 by 512 pixels, and its mask."""
        return _production().render_character(traits, audio)

    def render_presenter(self, pose_id: str, audio: bytes, *, with_mask: bool) -> Rendered:
        """A talking presenter of 720 by 720 pixels."""
        return _production().render_presenter(pose_id, audio, with_mask=with_mask)

    def render_composition(self, layers: tuple[Layer, ...], audio: bytes, *, width: int, height: int) -> Rendered:
        """Compose *layers*; odd sizes lose a pixel, and a talking picture needs a face."""
        return _production().render_composition(layers, audio, width=width, height=height)
