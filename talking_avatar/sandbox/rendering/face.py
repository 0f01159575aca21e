"""Where a face is, and where its eyes and mouth are."""

import functools
import threading

import attrs
import cv2
import cv2.data
import numpy as np

from talking_avatar.sandbox.rendering.contract import BadInput, Face
from talking_avatar.sandbox.rendering.picture import Box, Pixels, opaque, resized

__all__ = ["Landmarks", "Point", "find_face", "locate_landmarks"]

_SEARCHED = 960
# A cascade keeps the picture that it works on.
_detecting = threading.Lock()

Point = tuple[float, float]


@attrs.frozen(kw_only=True)
class Landmarks:
    """Features of a face in pixels: both pupils, and the line between the lips as a parabola."""

    eyes: tuple[Point, Point]
    mouth: Point
    mouth_half_width: float
    mouth_sag: float
    face: Face


@functools.cache
def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")


def find_face(pixels: Pixels, *, minimum: int = 0) -> Face:
    """The largest face, of at least *minimum* pixels both ways."""
    grey = cv2.cvtColor(opaque(pixels), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    scale = min(1.0, _SEARCHED / max(grey.shape))
    small = resized(grey, round(grey.shape[1] * scale), round(grey.shape[0] * scale)) if scale < 1 else grey
    found = _detected(small)
    if not found:
        raise BadInput("no face was found", fault="no_face")
    x, y, width, height = (round(figure / scale) for figure in max(found, key=lambda face: face[2]))
    if min(width, height) < minimum:
        raise BadInput(f"the face measures {width}x{height}, less than {minimum}", fault="face_too_small")
    return Face(x=x, y=y, width=width, height=height)


def _detected(grey: Pixels) -> list[tuple[int, ...]]:
    # The second cascade is slower and sees some faces that the first does not.
    for name in ("frontalface_default", "frontalface_alt2"):
        with _detecting:
            found = _cascade(name).detectMultiScale(grey, 1.1, 6, minSize=(32, 32))
        if len(found):
            return [tuple(int(figure) for figure in rectangle) for rectangle in found]
    return []


def locate_landmarks(pixels: Pixels, face: Face) -> Landmarks:
    """Eyes and mouth: where faces of this size have them, drawn to what the pixels show nearby."""
    size = 256
    grey = cv2.cvtColor(opaque(pixels), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    box = Box(face.x, face.y, face.width, face.height).within(Box(0, 0, grey.shape[1], grey.shape[0]))
    normal = resized(box.of(grey), size, size)
    left, right = (_pupil(normal, x * size) for x in (0.31, 0.69))
    middle, line, sag = _lip_line(normal, (left[0] + right[0]) / 2)
    kx, ky = box.width / size, box.height / size
    return Landmarks(
        eyes=((box.x + left[0] * kx, box.y + left[1] * ky), (box.x + right[0] * kx, box.y + right[1] * ky)),
        mouth=(box.x + middle * kx, box.y + line * ky),
        mouth_half_width=0.178 * box.width,
        mouth_sag=sag * ky,
        face=face,
    )


def _pupil(face: Pixels, expected_x: float) -> Point:
    """The darkest spot with something lighter to both sides, which a spectacle frame or brow does not have."""
    size = face.shape[0]
    soft = cv2.GaussianBlur(face, (0, 0), size * 0.012).astype(np.float64)
    reach = round(size * 0.055)
    contrast = np.minimum(np.roll(soft, reach, axis=1), np.roll(soft, -reach, axis=1)) - soft
    rows, columns = np.mgrid[0:size, 0:size]
    doubt = ((columns - expected_x) / (0.07 * size)) ** 2 + ((rows - 0.39 * size) / (0.05 * size)) ** 2
    score = np.clip(contrast, 0, 60) - 12 * doubt
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    return float(column), float(row)


def _lip_line(face: Pixels, expected_x: float) -> tuple[float, float, float]:
    """Middle, height and curvature of the dark line between closed lips."""
    size = face.shape[0]
    soft = cv2.GaussianBlur(face, (0, 0), sigmaX=size * 0.03, sigmaY=size * 0.008).astype(np.float64)
    middle = 0.5 * expected_x + 0.25 * size
    columns = np.linspace(middle - 0.13 * size, middle + 0.13 * size, 27).round().astype(int)
    rows = np.arange(round(0.68 * size), round(0.88 * size))
    ridge = soft[rows - round(0.03 * size)] + soft[rows + round(0.03 * size)] - 2 * soft[rows]
    doubt = ((rows - 0.775 * size) / (0.045 * size)) ** 2
    line = int(rows[np.argmax(ridge[:, columns].mean(axis=1) - 8 * doubt)])
    near = np.arange(line - round(0.025 * size), line + round(0.025 * size) + 1)
    drawn = near[np.argmin(soft[near][:, columns], axis=0)]
    reach = (columns - middle) / (0.178 * size)
    sag, _, centre = np.polyfit(reach, drawn, 2)
    return middle, float(centre), float(np.clip(sag, -0.03 * size, 0.03 * size))
