"""The traits of a drawn character, read from a photo."""

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.colour import Colour, bgr, darker, hexadecimal, mixed
from talking_avatar.sandbox.rendering.face import Landmarks, find_face, locate_landmarks
from talking_avatar.sandbox.rendering.picture import Box, Pixels, opaque
from talking_avatar.sandbox.rendering.traits import Gender, HairStyle, Outfit, Traits

__all__ = ["traits_of"]

_STYLES: dict[Gender, tuple[HairStyle, ...]] = {
    "female": ("bob", "long", "waves", "bun"),
    "male": ("parted", "quiff", "crop"),
}
_OUTFITS: dict[Gender, tuple[Outfit, ...]] = {
    "female": ("blazer", "blouse", "sweater"),
    "male": ("shirt", "blazer", "sweater"),
}


def traits_of(photo: Pixels) -> Traits:
    """Colours are sampled around the face; style follows from them by a fixed rule.

    The gender is a guess from lip colour and hair beside the jaw, good enough to choose a drawing and nothing else.
    """
    face = find_face(photo)
    picture = opaque(photo)
    landmarks = locate_landmarks(picture, face)
    seen = _skin(picture, landmarks)
    hair = _hair(picture, landmarks, seen)
    # Photographs burn skin redder than a drawing can bear.
    skin = mixed(seen, "#f3d0b4", 0.45)
    clothes = _sample(picture, landmarks, (-0.2, 1.45, 1.2, 1.9))
    gender = _gender(picture, landmarks, seen, hair)
    fingerprint = sum(bgr(skin)) + 3 * sum(bgr(hair))
    return Traits(
        gender=gender,
        skin=skin,
        hair=hair,
        iris=mixed(darker(hair, 0.1), "#5a3d2b", 0.6),
        clothes=_wearable(clothes),
        background=_airy(_sample(picture, landmarks, (-0.9, -0.4, -0.45, 0.5), (1.45, -0.4, 1.9, 0.5))),
        hair_style=_STYLES[gender][fingerprint % len(_STYLES[gender])],
        outfit=_OUTFITS[gender][fingerprint % len(_OUTFITS[gender])],
        glasses=_wears_glasses(picture, landmarks),
    )


def _patch(picture: Pixels, landmarks: Landmarks, corners: tuple[float, float, float, float]) -> Pixels:
    """The pixels between two corners, which are given in units of the face box."""
    face = landmarks.face
    left, top, right, bottom = corners
    x, y = face.x + left * face.width, face.y + top * face.height
    box = Box(round(x), round(y), round((right - left) * face.width), round((bottom - top) * face.height))
    return box.within(Box(0, 0, picture.shape[1], picture.shape[0])).of(picture).reshape(-1, 3)


def _sample(picture: Pixels, landmarks: Landmarks, *patches: tuple[float, float, float, float]) -> Colour:
    seen = np.concatenate([_patch(picture, landmarks, corners) for corners in patches])
    return _common(seen) if len(seen) else "#c9d3dc"


def _common(pixels: Pixels) -> Colour:
    """The middle of the largest of three groups of colours."""
    some = pixels[:: max(1, len(pixels) // 2000)].astype(np.float32)
    if len(some) < 9:  # too few to group
        return hexadecimal(*np.median(some, axis=0))
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    _, labels, centres = cv2.kmeans(some, 3, np.empty(0, np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
    return hexadecimal(*centres[np.argmax(np.bincount(labels.ravel()))])


def _skin(picture: Pixels, landmarks: Landmarks) -> Colour:
    cheeks = np.concatenate(
        [_patch(picture, landmarks, corners) for corners in ((0.2, 0.55, 0.36, 0.7), (0.64, 0.55, 0.8, 0.7))]
    )
    lit = cheeks[cheeks.sum(axis=1) >= np.percentile(cheeks.sum(axis=1), 40)]
    return hexadecimal(*np.median(lit, axis=0))


def _hair(picture: Pixels, landmarks: Landmarks, skin: Colour) -> Colour:
    beside = np.concatenate(
        [_patch(picture, landmarks, corners) for corners in ((-0.06, 0.3, 0.12, 0.95), (0.88, 0.3, 1.06, 0.95))]
    )
    lightness, redness, warmth = _lab(beside).T
    own_lightness, own_redness, _ = _lab(np.array([bgr(skin)], np.uint8))[0]
    unlike_skin = (redness < own_redness - 6) | (lightness < 0.45 * own_lightness)
    # What is blue is the wall behind.
    hair = beside[unlike_skin & (warmth > 124)]  # 128 is neutral
    return _common(hair) if len(hair) > len(beside) // 50 else "#4a3028"


def _lab(pixels: Pixels) -> NDArray[np.int64]:
    if not len(pixels):
        return np.zeros((0, 3), np.int64)
    lab: NDArray[np.int64] = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0].astype(np.int64)
    return lab


def _gender(picture: Pixels, landmarks: Landmarks, skin: Colour, hair: Colour) -> Gender:
    low = np.concatenate(
        [_patch(picture, landmarks, corners) for corners in ((-0.1, 0.72, 0.08, 1.0), (0.92, 0.72, 1.1, 1.0))]
    )
    long_hair = _share_near(low, hair) - _share_near(low, skin)
    x, y = (landmarks.mouth[0] - landmarks.face.x) / landmarks.face.width, 0.8
    lips = _patch(picture, landmarks, (x - 0.1, y - 0.04, x + 0.1, y + 0.03))
    chin = _patch(picture, landmarks, (x - 0.1, 0.86, x + 0.1, 0.94))
    rosier = _redness(lips) - _redness(chin)
    return "female" if 2.0 * long_hair + 8.0 * rosier > 0.25 else "male"  # tuned by eye


def _share_near(pixels: Pixels, colour: Colour) -> float:
    if not len(pixels):
        return 0.0
    return float((np.abs(pixels.astype(int) - np.array(bgr(colour))).sum(axis=1) < 90).mean())


def _redness(pixels: Pixels) -> float:
    channels: NDArray[np.float64] = pixels.reshape(-1, 3).mean(axis=0) if len(pixels) else np.ones(3)
    return float(channels[2] / channels.sum())


def _wears_glasses(picture: Pixels, landmarks: Landmarks) -> bool:
    """Frames cross the bridge of the nose, where a bare face has no horizontal edge."""
    (left_x, left_y), (right_x, right_y) = landmarks.eyes
    middle, level, spread = (left_x + right_x) / 2, (left_y + right_y) / 2, right_x - left_x
    box = Box(
        round(middle - 0.08 * spread), round(level - 0.22 * spread), round(0.16 * spread), round(0.36 * spread)
    ).within(Box(0, 0, picture.shape[1], picture.shape[0]))
    if not box:
        return False
    grey = cv2.resize(cv2.cvtColor(box.of(picture), cv2.COLOR_BGR2GRAY), (24, 54)).astype(np.float64)
    profile = np.abs(np.diff(cv2.GaussianBlur(grey, (0, 0), 1.5).mean(axis=1)))
    return float(profile.max()) > 0.03 * float(grey.mean())


def _wearable(colour: Colour) -> Colour:
    """Black cloth shows no folds when drawn."""
    return mixed(colour, "#3f4a63", 0.55) if sum(bgr(colour)) < 150 else colour  # nearly black


def _airy(colour: Colour) -> Colour:
    """A wall in the hue of the photo's background, as bright as a drawing wants it."""
    blue, green, red = (channel / 255 for channel in bgr(colour))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    bright = colorsys.hls_to_rgb(hue, 0.82, min(0.5, max(0.2, saturation)))
    return hexadecimal(*(channel * 255 for channel in reversed(bright)))
