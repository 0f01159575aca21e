"""What the studio does once its libraries are loaded."""

import functools
import zlib

import cv2

from talking_avatar.sandbox.rendering import speech
from talking_avatar.sandbox.rendering.cast import PRESENTERS, find_pose
from talking_avatar.sandbox.rendering.character import draw_person, draw_setting
from talking_avatar.sandbox.rendering.composition import compose
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
from talking_avatar.sandbox.rendering.encode import film
from talking_avatar.sandbox.rendering.face import find_face, locate_landmarks
from talking_avatar.sandbox.rendering.framing import Framing
from talking_avatar.sandbox.rendering.likeness import traits_of
from talking_avatar.sandbox.rendering.mouth import mouth_track
from talking_avatar.sandbox.rendering.photo import photographed_head
from talking_avatar.sandbox.rendering.picture import Pixels, decode_picture, encode_png, opaque, resized
from talking_avatar.sandbox.rendering.sound import decode_sound, measure_sound
from talking_avatar.sandbox.rendering.stage import Sprite, Stage, figure
from talking_avatar.sandbox.rendering.traits import Traits
from talking_avatar.sandbox.rendering.visemes import extract_visemes

__all__ = ["Production"]

_PHOTO_SHORT, _PHOTO_LONG = 512, 1280
_CHARACTER, _PRESENTER, _PREVIEW = 512, 720, 512
_CHARACTER_FRAMING = Framing(zoom=1.15, centre=(500.0, 470.0))

# The pictures are small, and the other cores render other videos.
cv2.setNumThreads(1)
# A damaged file is the caller's fault and answered as such; OpenCV would also print it.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class Production:
    """A `Renderer`."""

    def voices(self) -> tuple[SpeechVoice, ...]:
        return speech.VOICES

    def speak(self, text: str, voice: str) -> Spoken:
        return speech.speak(text, voice)

    def presenters(self) -> tuple[Presenter, ...]:
        return PRESENTERS

    def presenter_preview(self, pose_id: str) -> bytes:
        return _preview(*find_pose(pose_id))

    def measure_audio(self, audio: bytes, *, limit: float) -> float:
        return measure_sound(audio, limit=limit)

    def find_face(self, photo: bytes, *, minimum: int = 160) -> Face:
        return find_face(decode_picture(photo), minimum=minimum)

    def make_character(self, photo: bytes) -> Character:
        traits = traits_of(decode_picture(photo))
        return Character(
            gender=traits.gender, traits=traits.to_dict(), preview_png=_preview(traits, _CHARACTER_FRAMING)
        )

    def render_photo(self, photo: bytes, audio: bytes) -> Rendered:
        picture = _fitted(opaque(decode_picture(photo)))
        head = photographed_head(picture, locate_landmarks(picture, find_face(picture)))
        return _film(Stage(picture, figure(picture, head)), audio)

    def render_character(self, traits: dict[str, object], audio: bytes) -> Rendered:
        try:
            drawn = Traits.from_dict(traits)
        except (TypeError, ValueError, AttributeError) as error:
            raise BadInput("these are not the traits of a character", fault="unknown_name") from error
        return _film(_scene(drawn, _CHARACTER_FRAMING, _CHARACTER), audio, with_mask=True)

    def render_presenter(self, pose_id: str, audio: bytes, *, with_mask: bool) -> Rendered:
        return _film(_scene(*find_pose(pose_id), _PRESENTER), audio, with_mask=with_mask)

    def render_composition(self, layers: tuple[Layer, ...], audio: bytes, *, width: int, height: int) -> Rendered:
        return _film(compose(layers, width, height), audio)


def _film(stage: Stage, audio: bytes, *, with_mask: bool = False) -> Rendered:
    sound = decode_sound(audio)
    track = mouth_track(sound, extract_visemes(audio))
    return film(stage, sound, track, seed=zlib.crc32(audio), with_mask=with_mask)


def _scene(traits: Traits, framing: Framing, size: int) -> Stage:
    drawing = draw_person(traits, framing, size)
    return Stage(draw_setting(framing, traits.background, size), figure(drawing.figure, drawing.head))


@functools.lru_cache(maxsize=32)
def _preview(traits: Traits, framing: Framing) -> bytes:
    person = draw_person(traits, framing, _PREVIEW)
    setting = draw_setting(framing, traits.background, _PREVIEW)
    return encode_png(Stage(setting, [Sprite(x=0, y=0, image=person.figure)]).opening.pixels)


def _fitted(picture: Pixels) -> Pixels:
    """The picture at even figures within the limits of a talking photo."""
    height, width = picture.shape[:2]
    scale = min(1.0, _PHOTO_SHORT / min(height, width), _PHOTO_LONG / max(height, width))
    even_width, even_height = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    return resized(picture, even_width, even_height)
