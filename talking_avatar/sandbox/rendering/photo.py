"""A photograph that talks: the lower lip and chin slide down, the gap is painted, and the eyes blink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.eyelids import photographed_eyes
from talking_avatar.sandbox.rendering.face import Landmarks
from talking_avatar.sandbox.rendering.head import Feature, Head, Sway, mouth
from talking_avatar.sandbox.rendering.picture import Box, Pixels

__all__ = ["photographed_head"]

Field = NDArray[np.floating]


def photographed_head(pixels: Pixels, landmarks: Landmarks) -> Head:
    """The moving part of a photo; *pixels* are BGR or premultiplied BGRA."""
    face = landmarks.face
    whole = Box(0, 0, pixels.shape[1], pixels.shape[0])
    middle = face.x + face.width / 2
    box = Box(
        round(middle - face.width),
        round(face.y - 0.7 * face.height),
        round(2 * face.width),
        round(2.35 * face.height),
    ).within(whole)
    still = box.of(pixels).copy()
    features = (_mouth(still, landmarks, box), *photographed_eyes(still, landmarks, box))
    return Head(box=box, still=still, features=features, sway=_sway(landmarks, box))


def _sway(landmarks: Landmarks, box: Box) -> Sway:
    face = landmarks.face
    centre = face.x + face.width / 2 - box.x, face.y + 0.42 * face.height - box.y
    rows, columns = np.mgrid[0 : box.height, 0 : box.width].astype(np.float32)
    distance = np.hypot((columns - centre[0]) / (0.98 * face.width), (rows - centre[1]) / (1.1 * face.height))
    return Sway(
        _smooth((1.0 - distance) / 0.45),
        pivot=(centre[0], face.y + 1.25 * face.height - box.y),
        angle=0.011,
        drop=0.009 * face.height,
    )


def _mouth(still: Pixels, landmarks: Landmarks, head: Box) -> Feature:
    face = landmarks.face
    x, y = landmarks.mouth[0] - head.x, landmarks.mouth[1] - head.y
    box = Box(
        round(x - 0.42 * face.width),
        round(y - 0.16 * face.height),
        round(0.84 * face.width),
        round(0.62 * face.height),
    ).within(Box(0, 0, head.width, head.height))
    return mouth(box, _Mouth(box.of(still).copy(), (x - box.x, y - box.y), landmarks).drawn)


class _Mouth:
    """Displacement fields in mouth units: *across* -1…1 between the corners, *below* in mouth half-widths."""

    def __init__(self, still: Pixels, centre: tuple[float, float], landmarks: Landmarks) -> None:
        self._still = still
        self._rows, self._columns = np.mgrid[0 : still.shape[0], 0 : still.shape[1]].astype(np.float32)
        self._half = landmarks.mouth_half_width
        self._across = (self._columns - centre[0]) / self._half
        self._line = centre[1] + landmarks.mouth_sag * np.clip(self._across, -1.2, 1.2) ** 2
        self._paint = _palette(still, centre, self._half)

    def drawn(self, openness: float, width: float) -> Pixels:
        if not openness:
            return self._still
        # Lips that part draw the corners in, rounded vowels most of all.
        squeeze = 1.0 - 0.14 * openness + (0.08 * width if width > 0 else 0.28 * width) * min(1.0, 2.5 * openness)
        across = self._across / squeeze
        drop = 0.52 * self._half * openness
        arch = np.clip(1 - across**2, 0, 1) ** 0.9
        lower = self._line + drop * arch
        upper = self._line - 0.14 * drop * arch
        warped = self._warped(across, drop, lower, upper)
        return self._opened(warped, across, lower, upper)

    def _warped(self, across: Field, drop: float, lower: Field, upper: Field) -> Pixels:
        half = self._half
        below = (self._rows - lower) / half
        # Lip and chin move as one, wider towards the jaw; the neck takes up the slack.
        jaw = np.clip(1 - (self._across / (1.0 + 0.9 * np.clip(below, 0, 1))) ** 2, 0, 1) ** 0.9
        chin = drop * jaw * _smooth((1.9 - below) / 1.15)
        lifted = -(self._line - upper) * _smooth(1 + (self._rows - upper) / (0.5 * half))
        down = np.where(self._rows >= (upper + lower) / 2, chin, lifted)
        # A pursed mouth gathers the skin around it.
        near = np.exp(-((self._across / 1.3) ** 2) - ((self._rows - lower) / (0.9 * half)) ** 2)
        sideways = (across - self._across) * half * near
        return cv2.remap(
            self._still,
            (self._columns + sideways).astype(np.float32),
            (self._rows - down).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.uint8, copy=False)

    def _opened(self, warped: Pixels, across: Field, lower: Field, upper: Field) -> Pixels:
        half, rows = self._half, self._rows
        soft = max(1.0, 0.035 * half)
        gap = np.maximum(lower - upper, 1e-3)
        depth = np.clip((rows - upper) / gap, 0, 1)
        inside = (
            _smooth((rows - upper) / soft + 0.5)
            * _smooth((lower - rows) / soft + 0.5)
            * _smooth((1 - np.abs(across)) / 0.32)
        )
        inside *= np.clip(gap / (1.6 * soft), 0, 1)
        cavity, teeth, tongue = self._paint
        paint = cavity * (0.75 + 0.5 * depth)[..., None]
        paint = _mixed(paint, tongue, 0.75 * _smooth((depth - 0.62) / 0.3) * _smooth((0.62 - np.abs(across)) / 0.35))
        edge = np.minimum(0.17 * half, 0.42 * gap)
        white = _smooth((edge - (rows - upper)) / (0.05 * half) + 0.5) * _smooth((0.82 - np.abs(across)) / 0.3)
        shade = 0.62 + 0.38 * _smooth((rows - upper) / (0.12 * half))
        paint = _mixed(paint, teeth * shade[..., None], 0.88 * white * np.clip(gap / (0.3 * half) - 0.4, 0, 1))
        result = warped.copy()
        result[..., :3] = np.clip(_mixed(warped[..., :3].astype(np.float32), paint, inside) + 0.5, 0, 255)
        return result


def _palette(still: Pixels, centre: tuple[float, float], half: float) -> tuple[Field, Field, Field]:
    """Colours of the cavity, the teeth and the tongue in the light of this photo."""
    x, y, reach = round(centre[0]), round(centre[1]), max(1, round(0.6 * half))
    near = still[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1, :3].reshape(-1, 3)
    skin = np.percentile(near, 60, axis=0)
    light = float(skin.mean()) / 160
    cavity = np.array([30, 25, 66]) * light * 0.85
    teeth = 0.35 * skin + 0.65 * np.array([205, 220, 232]) * min(1.05, light)
    tongue = 0.45 * skin * np.array([0.75, 0.55, 0.95]) + np.array([22, 18, 50]) * light
    return cavity.astype(np.float32), np.clip(teeth, 0, 245).astype(np.float32), tongue.astype(np.float32)


def _smooth(ramp: Field) -> Field:
    clipped = np.clip(ramp, 0, 1)
    return (clipped * clipped * (3 - 2 * clipped)).astype(np.float32)


def _mixed(under: Field, over: Field, share: Field) -> Field:
    mixed: Field = under + (over - under) * share[..., None]
    return mixed
