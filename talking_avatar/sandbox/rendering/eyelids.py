"""Blinking in a photograph: lids grown from the skin around the eye, lowered over it."""

import cv2
import numpy as np

from talking_avatar.sandbox.rendering.face import Landmarks, Point
from talking_avatar.sandbox.rendering.head import Feature, eyes
from talking_avatar.sandbox.rendering.picture import Box, Pixels

__all__ = ["photographed_eyes"]


def photographed_eyes(still: Pixels, landmarks: Landmarks, head: Box) -> tuple[Feature, ...]:
    """One feature an eye; *still* is the head's patch."""
    spread = landmarks.eyes[1][0] - landmarks.eyes[0][0]
    return tuple(_eye(still, (x - head.x, y - head.y), 0.165 * spread) for x, y in landmarks.eyes)


def _eye(still: Pixels, pupil: Point, half: float) -> Feature:
    reach_x, reach_y = round(1.5 * half), round(1.3 * half)
    box = Box(round(pupil[0]) - reach_x, round(pupil[1]) - reach_y, 2 * reach_x, 2 * reach_y)
    box = box.within(Box(0, 0, still.shape[1], still.shape[0]))
    lid = _Lid(box.of(still).copy(), (pupil[0] - box.x, pupil[1] - box.y), half)
    return eyes(box, lid.drawn)


class _Lid:
    def __init__(self, still: Pixels, pupil: Point, half: float) -> None:
        self._still, self._half = still, half
        rows, columns = np.mgrid[0 : still.shape[0], 0 : still.shape[1]].astype(np.float32)
        across = (columns - pupil[0]) / half
        arch = np.clip(1 - across**2, 0, 1) ** 0.6
        self._rows = rows
        self._top = pupil[1] - 0.36 * half * arch
        self._bottom = pupil[1] + 0.38 * half * arch
        self._within = np.clip((1 - np.abs(across)) / 0.15, 0, 1)
        self._lid = self._skin()

    def _skin(self) -> Pixels:
        """What surrounds the eye, grown over it; mostly its common colour, for spectacles and brows are near."""
        opening = (self._rows > self._top - 1) & (self._rows < self._bottom + 1) & (self._within > 0)
        colour = np.ascontiguousarray(self._still[..., :3])
        grown = cv2.inpaint(colour, opening.astype(np.uint8), 0.3 * self._half, cv2.INPAINT_TELEA)
        soft = cv2.GaussianBlur(grown, (0, 0), max(0.8, 0.2 * self._half)).astype(np.float32)
        around = colour[~opening]
        lightness = around.sum(axis=1)
        common = np.median(around[lightness >= np.median(lightness)], axis=0)
        depth = np.clip((self._rows - self._top) / np.maximum(self._bottom - self._top, 1), 0, 1)
        lid = 0.35 * soft + 0.65 * common
        shaded: Pixels = (lid * (0.9 + 0.08 * np.sin(np.pi * depth))[..., None]).astype(np.uint8)
        return shaded

    def drawn(self, lowered: float) -> Pixels:
        if not lowered:
            return self._still
        edge = self._top + (self._bottom - self._top) * lowered
        soft = max(0.8, 0.05 * self._half)
        covered = np.clip((edge - self._rows) / soft + 0.5, 0, 1) * np.clip((self._rows - self._top) / soft + 1, 0, 1)
        lash = np.exp(-(((self._rows - edge) / (0.07 * self._half + 0.5)) ** 2)) * self._within
        result = self._still.copy()
        colour = result[..., :3].astype(np.float32)
        colour += (self._lid - colour) * (covered * self._within)[..., None]
        colour *= 1 - 0.55 * lash[..., None]
        result[..., :3] = np.clip(colour + 0.5, 0, 255)
        return result
