"""Flat illustration: outlines filled with colour, in units that do not depend on the size in pixels."""

import contextlib
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.colour import Colour, bgr
from talking_avatar.sandbox.rendering.outline import Outline
from talking_avatar.sandbox.rendering.picture import Box, Pixels

__all__ = ["Canvas"]

_BITS = 4


class Canvas:
    """Premultiplied BGRA pixels of *box*, a part of a picture that has *scale* pixels a unit."""

    def __init__(self, box: Box, scale: float) -> None:
        # Large pictures have smooth enough edges without being drawn finer first.
        self._finer = 2 if box.width * box.height < 1_000_000 else 1  # about a screenful
        self._box, self._scale = box, scale * self._finer
        self._origin = np.array([box.x, box.y]) * self._finer
        self._whole = Box(0, 0, box.width * self._finer, box.height * self._finer)
        self._pixels = np.zeros((self._whole.height, self._whole.width, 4), np.uint8)

    def fill(
        self,
        outline: Outline,
        colour: Colour,
        *,
        below: Colour | None = None,
        strength: float = 1.0,
        blur: float = 0.0,
        clip: Outline | None = None,
    ) -> None:
        """Fill *outline*, grading to the colour *below*, softened by *blur* units, only inside *clip*."""
        self._cover(self._placed(outline), colour, below=below, strength=strength, blur=blur, clip=clip)

    def stroke(
        self,
        line: Outline,
        colour: Colour,
        thickness: float,
        *,
        strength: float = 1.0,
        blur: float = 0.0,
        clip: Outline | None = None,
    ) -> None:
        """Draw along *line* with a round pen."""
        pen = max(1, round(thickness * self._scale))
        self._cover(self._placed(line), colour, strength=strength, blur=blur, clip=clip, thickness=pen)

    @contextlib.contextmanager
    def moved(self, x: float, y: float) -> Iterator[None]:
        """Draw everything in the block that many units aside."""
        shift = np.array([x, y]) * self._scale
        self._origin = self._origin - shift
        yield
        self._origin = self._origin + shift

    def finished(self) -> Pixels:
        """The drawing at its size in pixels."""
        if self._finer == 1:
            return self._pixels
        size = self._box.width, self._box.height
        return cv2.resize(self._pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

    def _placed(self, outline: Outline) -> Outline:
        placed: Outline = outline * self._scale - self._origin
        return placed

    def _cover(
        self,
        points: Outline,
        colour: Colour,
        *,
        strength: float,
        blur: float,
        clip: Outline | None,
        below: Colour | None = None,
        thickness: int = 0,
    ) -> None:
        softness = blur * self._scale
        window = _around(points, thickness + 3 * softness + 2).within(self._whole)
        if not window:
            return
        share = _mask(points, window, thickness).astype(np.float32) * np.float32(strength / 255)
        if softness:
            share = cv2.GaussianBlur(share, (0, 0), softness).astype(np.float32, copy=False)
        if clip is not None:
            share *= _mask(self._placed(clip), window, 0) / np.float32(255)
        target = window.of(self._pixels)
        target[:] = cv2.blendLinear(target, _paint(window, points, colour, below), 1 - share, share)


def _around(points: Outline, margin: float) -> Box:
    left, top = np.floor(points.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + margin).astype(int)
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def _mask(points: Outline, window: Box, thickness: int) -> Pixels:
    mask = np.zeros((window.height, window.width), np.uint8)
    fixed: Sequence[NDArray[np.int32]] = [np.round((points - (window.x, window.y)) * 2**_BITS).astype(np.int32)]
    if thickness:
        cv2.polylines(mask, fixed, False, 255, thickness, cv2.LINE_AA, _BITS)
    else:
        cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, _BITS)
    return mask


def _paint(window: Box, points: Outline, colour: Colour, below: Colour | None) -> Pixels:
    top = np.array([*bgr(colour), 255.0])
    if below is None:
        return np.full((window.height, window.width, 4), top.astype(np.uint8))
    first, last = points[:, 1].min(), points[:, 1].max()
    along = np.clip((np.arange(window.height) + window.y - first) / max(last - first, 1), 0, 1)[:, None]
    graded = top + (np.array([*bgr(below), 255.0]) - top) * along
    return np.repeat(graded.astype(np.uint8)[:, None, :], window.width, axis=1)
