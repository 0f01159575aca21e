"""What to render: frozen values that are checked against the documents when they are made."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, cast

import attrs

from talking_avatar.models.product import Request
from talking_avatar.models.results import Avatar, Speech, Video, Voice
from talking_avatar.models.rules import (
    a_mapping,
    a_number,
    a_size,
    a_text,
    at_most,
    chosen_id,
    filled,
    one_of,
    optional,
    refuse,
    web_url,
    web_url_or_colour,
)
from talking_avatar.warn import warn_caller

__all__ = [
    "AudioElement",
    "AudioToVideo",
    "AvatarElement",
    "AvatarPhoto",
    "AvatarUpload",
    "CGAvatarVideo",
    "Element",
    "ImageElement",
    "SpeechRequest",
    "SurrealSpeech",
    "TalkingAvatar",
    "TalkingPhoto",
    "VoiceClone",
]

# The only one that 004 allows.
DOCUMENTED_SIZE = (3840, 2160)
# The usual speed of speech.
CHARACTERS_PER_SECOND = 14.0


def _url(**options: Any) -> Any:
    # Signed inputs carry a credential in their query, so no repr shows a URL.
    return attrs.field(repr=False, **options)


def _number(default: float) -> Any:
    return attrs.field(default=default, validator=a_number)


def _size() -> Any:
    return attrs.field(default=None, validator=optional(a_size))


def _options() -> Any:
    return attrs.field(default=None, validator=optional(a_mapping), hash=False)


@attrs.frozen(kw_only=True)
class AvatarPhoto:
    """A portrait with a recognisable face, from which a CG avatar is made (Surreal, 001)."""

    image_url: str = _url(validator=web_url)


@attrs.frozen(kw_only=True)
class CGAvatarVideo(Request[Video]):
    """A CG avatar speaks a recording of at most 60 s (Surreal, 001)."""

    avatar_id: str = attrs.field(validator=filled)
    audio_url: str = _url(validator=web_url)


@attrs.frozen(kw_only=True)
class AudioToVideo(Request[Video]):
    """A presenter speaks a recording of at most 60 s; *with_mask* asks for a mask video as well (Surreal, 002)."""

    pose_id: str = attrs.field(validator=filled)
    audio_url: str = _url(validator=web_url)
    with_mask: bool = attrs.field(default=False, validator=one_of(True, False))


@attrs.frozen(kw_only=True)
class TalkingPhoto(Request[Video]):
    """A photo speaks a recording of at most 60 s; the face must measure at least 160×160 pixels (Surreal, 003)."""

    image_url: str = _url(validator=web_url)
    audio_url: str = _url(validator=web_url)


@attrs.frozen(kw_only=True)
class ImageElement:
    """A picture or a colour behind or before the avatar; offsets are pixels from the upper left corner (Akool, 004)."""

    type: ClassVar[Literal["image"]] = "image"
    url: str = _url(validator=web_url_or_colour)
    scale_x: float = _number(1)
    scale_y: float = _number(1)
    offset_x: float = _number(0)
    offset_y: float = _number(0)
    width: float | None = _size()
    height: float | None = _size()


@attrs.frozen(kw_only=True)
class AvatarElement:
    """The one who talks: an *avatar_id* of the list or upload calls, or the *url* of a picture or video of yours."""

    type: ClassVar[Literal["avatar"]] = "avatar"
    avatar_id: str | None = attrs.field(default=None, validator=optional(filled))
    url: str | None = _url(default=None, validator=optional(web_url))
    scale_x: float = _number(1)
    scale_y: float = _number(1)
    offset_x: float = _number(0)
    offset_y: float = _number(0)
    width: float | None = _size()
    height: float | None = _size()

    def __attrs_post_init__(self) -> None:
        if self.avatar_id is None and self.url is None:
            raise refuse(self, "avatar_id", "and url are both missing", "an avatar element needs one of them (004)")


@attrs.frozen(kw_only=True)
class AudioElement:
    """What is said: the *url* of a recording, or *input_text* with a *voice_id*; the URL wins when both are there."""

    type: ClassVar[Literal["audio"]] = "audio"
    url: str | None = _url(default=None, validator=optional(web_url))
    input_text: str | None = attrs.field(default=None, validator=optional(filled))
    voice_id: str | None = attrs.field(default=None, validator=optional(filled))

    def __attrs_post_init__(self) -> None:
        if (self.input_text is None) != (self.voice_id is None):
            missing = "voice_id" if self.voice_id is None else "input_text"
            raise refuse(self, missing, "is missing", "input_text and voice_id must both be present (004)")
        if self.url is None and self.input_text is None:
            raise refuse(self, "url", "is missing", "audio needs a url, or input_text with voice_id (004)")


Element = ImageElement | AvatarElement | AudioElement


def _as_tuple(elements: Iterable[Element]) -> tuple[Element, ...]:
    try:
        return tuple(elements)
    except TypeError:
        # What is no row of elements is left for the validator to refuse in its own words.
        return (cast(Element, elements),)


@attrs.frozen(kw_only=True)
class TalkingAvatar(Request[Video]):
    """An avatar, what it says, and what surrounds it (Akool, 004); elements are drawn in their order.

    *avatar_from* is 2 for Akool's own avatars and 3 for yours; left out, it is 3 when an avatar element has a URL.
    Sizes other than 3840×2160 contradict the document and warn.
    """

    elements: tuple[Element, ...] = attrs.field(converter=_as_tuple)
    width: int = attrs.field(default=3840, validator=a_size)
    height: int = attrs.field(default=2160, validator=a_size)
    avatar_from: Literal[2, 3] | None = attrs.field(default=None, validator=optional(one_of(2, 3)))
    webhook_url: str | None = _url(default=None, validator=optional(web_url))

    @elements.validator
    def _documented(self, _field: "attrs.Attribute[Any]", elements: tuple[object, ...]) -> None:
        for element in elements:
            if not isinstance(element, Element):
                raise refuse(
                    self,
                    "elements",
                    f"hold a {type(element).__name__}",
                    "they are ImageElement, AvatarElement and AudioElement",
                )
        for kind in (AvatarElement, AudioElement):
            if not any(isinstance(element, kind) for element in elements):
                raise refuse(
                    self, "elements", f"hold no {kind.type} element", "a talking avatar needs one of each (004)"
                )

    def __attrs_post_init__(self) -> None:
        if (self.width, self.height) != DOCUMENTED_SIZE:
            warn_caller(f"Akool documents 3840x2160 as the only size; {self.width}x{self.height} may be refused")
        if self.avatar_from == 2 and self.has_own_avatar:
            raise refuse(self, "avatar_from", "is 2", "it must be 3 when an avatar element carries a URL (004)")

    @property
    def has_own_avatar(self) -> bool:
        """Whether an avatar element brings its own picture or video."""
        return any(isinstance(element, AvatarElement) and element.url for element in self.elements)

    @property
    def spoken_seconds(self) -> float | None:
        """About how long the video is, None where a recording speaks whose length nobody told."""
        texts = [
            element.input_text for element in self.elements if isinstance(element, AudioElement) and not element.url
        ]
        return len("".join(filter(None, texts))) / CHARACTERS_PER_SECOND if texts else None

    @property
    def derived_avatar_from(self) -> int:
        """What is sent as ``avatar_from``."""
        return self.avatar_from or (3 if self.has_own_avatar else 2)


@attrs.frozen(kw_only=True)
class AvatarUpload(Request[Avatar]):
    """A picture or video that becomes an avatar of yours under an *avatar_id* you choose (Akool, 004)."""

    url: str = _url(validator=web_url)
    avatar_id: str = attrs.field(validator=chosen_id)
    name: str = attrs.field(default="", validator=a_text)
    type: int = attrs.field(default=1, validator=one_of(1, 2))


@attrs.frozen(kw_only=True)
class SpeechRequest(Request[Speech]):
    """Text to be spoken by an Akool voice; *voice_options* are passed on as the vendor documents them."""

    text: str = attrs.field(validator=filled)
    voice_id: str = attrs.field(validator=filled)
    language_code: str | None = attrs.field(default=None, validator=optional(filled))
    voice_options: Mapping[str, Any] | None = _options()
    webhook_url: str | None = _url(default=None, validator=optional(web_url))

    @property
    def spoken_seconds(self) -> float:
        """About how long the speech is."""
        return len(self.text) / CHARACTERS_PER_SECOND


@attrs.frozen(kw_only=True)
class VoiceClone(Request[Voice]):
    """A recording that becomes a voice of yours."""

    source_url: str = _url(validator=web_url)
    name: str | None = attrs.field(default=None, validator=optional(filled))
    voice_model_name: str | None = attrs.field(default=None, validator=optional(filled))
    voice_options: Mapping[str, Any] | None = _options()
    webhook_url: str | None = _url(default=None, validator=optional(web_url))


@attrs.frozen(kw_only=True)
class SurrealSpeech:
    """Text of at most 500 characters for Surreal's realtime speech (guide/tts)."""

    text: str = attrs.field(validator=[filled, at_most(500, "Surreal speech takes at most 500 characters (guide/tts)")])
    voice_name: str = attrs.field(validator=filled)
