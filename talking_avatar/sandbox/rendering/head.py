"""A living head: features painted for the moment onto a still picture, and the whole swayed about the neck."""

import functools
from collections.abc import Callable

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.motion import REST, Moment
from talking_avatar.sandbox.rendering.picture import Box, Pixels

__all__ = ["Feature", "Head", "Sway", "eyes", "mouth"]

_OPENNESS_STEPS, _WIDTH_STEPS, _BLINK_STEPS = 14, 3, 4


@attrs.frozen(kw_only=True, eq=False)
class Feature:
    """Part of a head that changes; *draw* answers the pixels of *box* for a moment."""

    box: Box
    draw: Callable[[Moment], Pixels]


def mouth(box: Box, draw: Callable[[float, float], Pixels]) -> Feature:
    """A mouth drawn for openness and width; shapes are few enough to draw each once."""
    cached = functools.lru_cache(maxsize=48)(draw)

    def shape(moment: Moment) -> Pixels:
        openness = round(moment.openness * _OPENNESS_STEPS) / _OPENNESS_STEPS
        return cached(openness, round(moment.width * _WIDTH_STEPS) / _WIDTH_STEPS if openness else 0.0)

    return Feature(box=box, draw=shape)


def eyes(box: Box, draw: Callable[[float], Pixels]) -> Feature:
    """Eyes drawn for how far the lids are down."""
    cached = functools.lru_cache(maxsize=_BLINK_STEPS + 1)(draw)
    return Feature(box=box, draw=lambda moment: cached(round(moment.blink * _BLINK_STEPS) / _BLINK_STEPS))


class Sway:
    """Turns a head by a degree or so about its neck, fading to nothing at the edge of the patch."""

    def __init__(self, weight: NDArray[np.float32], *, pivot: tuple[float, float], angle: float, drop: float) -> None:
        height, width = weight.shape
        self._rows, self._columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._turn_x = (pivot[1] - self._rows) * weight * np.float32(angle)
        self._turn_y = (self._columns - pivot[0]) * weight * np.float32(angle)
        self._nod = weight * np.float32(-drop)

    def __call__(self, pixels: Pixels, moment: Moment) -> Pixels:
        across = cv2.scaleAdd(self._turn_x, moment.turn, self._columns)
        down = cv2.scaleAdd(self._turn_y, moment.turn, self._rows)
        down = cv2.scaleAdd(self._nod, moment.nod, down)
        swayed = cv2.remap(pixels, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return swayed.astype(np.uint8, copy=False)


@attrs.frozen(kw_only=True, eq=False)
class Head:
    """The part of a figure that is drawn anew in every frame; *box* is where on the figure it is."""

    box: Box
    still: Pixels
    features: tuple[Feature, ...]
    sway: Sway

    def pixels(self, moment: Moment) -> Pixels:
        return self.sway(self._painted(moment), moment)

    def at_rest(self) -> Pixels:
        """The head with all of its features, closed lips and open eyes."""
        return self._painted(REST)

    def _painted(self, moment: Moment) -> Pixels:
        patch = self.still.copy()
        for feature in self.features:
            feature.box.of(patch)[:] = feature.draw(moment)
        return patch
