"""What the sandbox asks of a renderer: bytes in, bytes out, no network and no clock.

Every method is synchronous and may be called from a worker process, so arguments and answers pickle.
"""

from typing import Literal, Protocol

import attrs

__all__ = [
    "BadInput",
    "Character",
    "Face",
    "InputFault",
    "Layer",
    "Presenter",
    "PresenterPose",
    "Rendered",
    "Renderer",
    "SpeechVoice",
    "Spoken",
]

InputFault = Literal["not_an_image", "not_audio", "audio_too_long", "no_face", "face_too_small", "unknown_name"]


class BadInput(Exception):
    """The caller's photo, recording or name cannot be rendered; *fault* says which rule it broke."""

    def __init__(self, reason: str = "", *, fault: InputFault = "not_an_image") -> None:
        super().__init__(reason)
        self.fault = fault


@attrs.frozen(kw_only=True)
class Face:
    """Where the largest face is, in pixels of the photo."""

    x: int
    y: int
    width: int
    height: int


@attrs.frozen(kw_only=True)
class Character:
    """A drawn character derived from a photo: what later renders of it need, and its preview as PNG."""

    gender: Literal["male", "female"]
    traits: dict[str, object]
    preview_png: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class PresenterPose:
    """One way a drawn presenter can stand."""

    pose_id: str
    name: str


@attrs.frozen(kw_only=True)
class Presenter:
    """A member of the drawn cast."""

    name: str
    display_name: str
    gender: Literal["male", "female"]
    poses: tuple[PresenterPose, ...]


@attrs.frozen(kw_only=True)
class SpeechVoice:
    """A voice of the synthesiser."""

    name: str
    gender: Literal["male", "female"]
    language: str
    locale: str
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Spoken:
    """A WAV file of synthesised speech, with the mouth shapes in a chunk of its own that players skip."""

    wav: bytes = attrs.field(repr=False)
    seconds: float


@attrs.frozen(kw_only=True)
class Rendered:
    """A finished MP4, its mask where one was asked for, and its length."""

    mp4: bytes = attrs.field(repr=False)
    mask_mp4: bytes | None = attrs.field(default=None, repr=False)
    seconds: float


@attrs.frozen(kw_only=True)
class Layer:
    """One visual element of a composition, bottom first.

    Its source is exactly one of a *picture* (file bytes), a *colour* (``#rrggbb`` or ``#rrggbbaa``), or a *presenter*
    pose of the cast. A layer that *talks* has its mouth moved. *width* and *height* default to the source's own size;
    the offset is the upper left corner, in pixels of the whole picture.
    """

    picture: bytes | None = attrs.field(default=None, repr=False)
    colour: str | None = None
    presenter: str | None = None
    talks: bool = False
    offset_x: float = 0.0
    offset_y: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    width: float | None = None
    height: float | None = None


class Renderer(Protocol):
    """Makes what the sandbox serves; each method raises `BadInput` for a caller's fault."""

    def voices(self) -> tuple[SpeechVoice, ...]:
        """The voices that `speak` knows."""
        ...

    def speak(self, text: str, voice: str) -> Spoken:
        """Say *text*; *voice* is a `SpeechVoice.name`."""
        ...

    def presenters(self) -> tuple[Presenter, ...]:
        """The drawn cast; pose ids are unique across it."""
        ...

    def presenter_preview(self, pose_id: str) -> bytes:
        """A PNG of one pose."""
        ...

    def measure_audio(self, audio: bytes, *, limit: float) -> float:
        """Seconds of sound in a WAV or MP3 of at most *limit* seconds."""
        ...

    def find_face(self, photo: bytes, *, minimum: int = 160) -> Face:
        """The largest face, which must measure at least *minimum* pixels both ways."""
        ...

    def make_character(self, photo: bytes) -> Character:
        """Draw a character in the colours of the photo."""
        ...

    def render_photo(self, photo: bytes, audio: bytes) -> Rendered:
        """A talking photo, 512 pixels on its shorter side or less."""
        ...

    def render_character(self, traits: dict[str, object], audio: bytes) -> Rendered:
        """A talking CG character, with a mask."""
        ...

    def render_presenter(self, pose_id: str, audio: bytes, *, with_mask: bool) -> Rendered:
        """A talking presenter."""
        ...

    def render_composition(self, layers: tuple[Layer, ...], audio: bytes, *, width: int, height: int) -> Rendered:
        """Layers over each other, the talking ones animated."""
        ...
