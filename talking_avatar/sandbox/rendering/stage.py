"""Still and moving layers over one background, of which only the moving part is composed again for each frame."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import attrs
import cv2
import numpy as np

from talking_avatar.sandbox.rendering.head import Head
from talking_avatar.sandbox.rendering.motion import REST, Moment
from talking_avatar.sandbox.rendering.picture import Box, Pixels

__all__ = ["Change", "Layer", "Sprite", "Stage", "figure"]

_BGRA = 4


@attrs.frozen(kw_only=True, eq=False)
class Sprite:
    """Pixels at a place of the stage: BGR, or premultiplied BGRA."""

    x: int
    y: int
    image: Pixels

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.image.shape[1], self.image.shape[0])

    def pixels(self, moment: Moment) -> Pixels:  # noqa: ARG002 - a sprite looks the same in every moment
        return self.image


class Layer(Protocol):
    """Anything with pixels of its own for each moment, at a place of the stage."""

    @property
    def box(self) -> Box: ...

    def pixels(self, moment: Moment) -> Pixels: ...


@attrs.frozen(kw_only=True, eq=False)
class Change:
    """What one frame differs in from the frame before: a box of the stage, its pixels, and its matte."""

    box: Box
    pixels: Pixels
    matte: Pixels


def figure(image: Pixels, head: Head, *, x: int = 0, y: int = 0) -> tuple[Layer, Layer]:
    """A still picture with a moving *head*, its upper left corner at *x*, *y*."""
    body = image.copy()
    if body.shape[2] == _BGRA:
        # What shines through the head must not be the still head.
        head.box.of(body)[:] = 0
    return Sprite(x=x, y=y, image=body), attrs.evolve(head, box=head.box.moved(x, y))


class Stage:
    """Layers bottom first; *canvas* (BGR) lies under them and does not count into the matte."""

    def __init__(self, canvas: Pixels, layers: Sequence[Layer]) -> None:
        whole = Box(0, 0, canvas.shape[1], canvas.shape[0])
        first = next((index for index, layer in enumerate(layers) if not isinstance(layer, Sprite)), len(layers))
        picture, matte = canvas, np.zeros(canvas.shape[:2], np.uint8)
        for layer in layers[:first]:
            _blend(layer, REST, picture, matte, whole)
        moving = [_even(layer.box, whole) for layer in layers[first:] if not isinstance(layer, Sprite)]
        self._regions = [
            _Region(
                box=box,
                pixels=box.of(picture).copy(),
                matte=box.of(matte).copy(),
                layers=[layer for layer in layers[first:] if layer.box.within(box)],
            )
            for box in _apart(moving)
        ]
        for layer in layers[first:]:
            _blend(layer, REST, picture, matte, whole)
        self.opening = Change(box=whole, pixels=picture, matte=matte)

    def changes(self, moment: Moment) -> Iterator[Change]:
        """The parts of the stage that move, at *moment*."""
        for region in self._regions:
            yield region.at(moment)


@attrs.frozen(kw_only=True, eq=False)
class _Region:
    """A part of the stage in which something moves, with what lies under the lowest moving layer."""

    box: Box
    pixels: Pixels
    matte: Pixels
    layers: Sequence[Layer]

    def at(self, moment: Moment) -> Change:
        pixels, matte = self.pixels.copy(), self.matte.copy()
        for layer in self.layers:
            _blend(layer, moment, pixels, matte, self.box)
        return Change(box=self.box, pixels=pixels, matte=matte)


def _blend(layer: Layer, moment: Moment, pixels: Pixels, matte: Pixels, window: Box) -> None:
    visible = layer.box.within(window)
    if not visible:
        return
    source = visible.moved(-layer.box.x, -layer.box.y).of(layer.pixels(moment))
    target = visible.moved(-window.x, -window.y)
    if source.shape[2] != _BGRA:
        target.of(pixels)[:] = source
        target.of(matte)[:] = 255
        return
    rest = 255 - source[..., 3]
    faded = cv2.multiply(target.of(pixels), cv2.cvtColor(rest, cv2.COLOR_GRAY2BGR), scale=1 / 255)
    target.of(pixels)[:] = cv2.add(faded, np.ascontiguousarray(source[..., :3]))
    target.of(matte)[:] = cv2.add(cv2.multiply(target.of(matte), rest, scale=1 / 255), source[..., 3])


def _apart(boxes: Iterable[Box]) -> list[Box]:
    """The boxes, those that overlap replaced by one around both."""
    apart: list[Box] = []
    for box in filter(None, boxes):
        joined = box
        while touching := [other for other in apart if other.within(joined)]:
            apart = [other for other in apart if other not in touching]
            joined = _union([joined, *touching])
        apart.append(joined)
    return apart


def _union(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)


def _even(box: Box, whole: Box) -> Box:
    """Grown to even edges, because two by two pixels share their colour in the video."""
    visible = box.within(whole)
    x, y = visible.x - visible.x % 2, visible.y - visible.y % 2
    right, bottom = visible.right + visible.right % 2, visible.bottom + visible.bottom % 2
    return Box(x, y, right - x, bottom - y).within(whole)
