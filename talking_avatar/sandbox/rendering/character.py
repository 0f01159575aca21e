"""A drawn person put together: a still figure, and a head that moves on it."""

import functools
from collections.abc import Callable, Iterator

import attrs
import cv2
import numpy as np

from talking_avatar.sandbox.rendering.backdrop import draw_backdrop, draw_desk
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.expression import draw_eyes, draw_mouth
from talking_avatar.sandbox.rendering.features import draw_ears, draw_face, draw_spectacles
from talking_avatar.sandbox.rendering.framing import Framing
from talking_avatar.sandbox.rendering.hair import draw_back_hair, draw_front_hair
from talking_avatar.sandbox.rendering.head import Feature, Head, Sway, eyes, mouth
from talking_avatar.sandbox.rendering.picture import Box, Pixels
from talking_avatar.sandbox.rendering.traits import Traits
from talking_avatar.sandbox.rendering.wardrobe import draw_arms, draw_body

__all__ = ["Drawing", "draw_person", "draw_setting"]

_UNITS = 1000
_BODY = (0, -34)
_MOUTH = (446, 474, 554, 562)
_EYES = (352, 350, 648, 450)
_HEAD = (240, 60, 760, 800)


@attrs.frozen(kw_only=True, eq=False)
class Drawing:
    """A person without background: the still figure, premultiplied BGRA, and its head."""

    figure: Pixels
    head: Head


@attrs.frozen(kw_only=True)
class _Sheet:
    """Maps units of the drawing to pixels of a square picture."""

    size: int
    framing: Framing

    @property
    def scale(self) -> float:
        return self.size / _UNITS * self.framing.zoom

    @property
    def origin(self) -> tuple[int, int]:
        x, y = self.framing.centre
        return round(x * self.scale - self.size / 2), round(y * self.scale - self.size / 2)

    @property
    def whole(self) -> Box:
        return Box(*self.origin, self.size, self.size)

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The part of the drawing between these units, still counted from the drawing's own corner."""
        x, y = round(left * self.scale), round(top * self.scale)
        box = Box(x, y, round(right * self.scale) - x, round(bottom * self.scale) - y)
        return box.within(self.whole)


def draw_setting(framing: Framing, tint: str, size: int) -> Pixels:
    """The background alone, BGR."""
    sheet = _Sheet(size=size, framing=framing)
    canvas = Canvas(sheet.whole, sheet.scale)
    draw_backdrop(canvas, tint, framing.scenery)
    return np.ascontiguousarray(canvas.finished()[..., :3])


def draw_person(traits: Traits, framing: Framing, size: int) -> Drawing:
    """The person of these *traits*, in a square of *size* pixels."""
    sheet = _Sheet(size=size, framing=framing)
    canvas = Canvas(sheet.whole, sheet.scale)
    draw_back_hair(canvas, traits)
    with canvas.moved(*_BODY):
        draw_body(canvas, traits)
    draw_ears(canvas, traits)
    draw_face(canvas, traits)
    draw_front_hair(canvas, traits)
    with canvas.moved(*_BODY):
        draw_arms(canvas, traits, framing.stance)
        if framing.stance == "seated":
            draw_desk(canvas)
    bare = canvas.finished()
    head = _head(bare, traits, sheet)
    figure = bare.copy()
    head.box.of(figure)[:] = head.at_rest()
    return Drawing(figure=figure, head=head)


def _head(bare: Pixels, traits: Traits, sheet: _Sheet) -> Head:
    box = sheet.box(*_HEAD)
    return Head(
        box=box.moved(-sheet.whole.x, -sheet.whole.y),
        still=box.moved(-sheet.whole.x, -sheet.whole.y).of(bare).copy(),
        features=tuple(_features(bare, traits, sheet, box)),
        sway=_sway(sheet, box),
    )


def _features(bare: Pixels, traits: Traits, sheet: _Sheet, head: Box) -> Iterator[Feature]:
    def draw(box: Box, paint: Callable[[Canvas], None]) -> Pixels:
        canvas = Canvas(box, sheet.scale)
        paint(canvas)
        return _over(box.moved(-sheet.whole.x, -sheet.whole.y).of(bare), canvas.finished())

    def draw_lips(box: Box, openness: float, width: float) -> Pixels:
        return draw(box, lambda canvas: draw_mouth(canvas, traits, openness, width))

    def draw_gaze(box: Box, lowered: float) -> Pixels:
        def paint(canvas: Canvas) -> None:
            draw_eyes(canvas, traits, lowered)
            if traits.glasses:
                draw_spectacles(canvas, traits)

        return draw(box, paint)

    lips, gaze = sheet.box(*_MOUTH), sheet.box(*_EYES)
    if lips:
        yield mouth(lips.moved(-head.x, -head.y), functools.partial(draw_lips, lips))
    if gaze:
        yield eyes(gaze.moved(-head.x, -head.y), functools.partial(draw_gaze, gaze))


def _over(under: Pixels, upper: Pixels) -> Pixels:
    rest = cv2.cvtColor(255 - upper[..., 3], cv2.COLOR_GRAY2BGRA)
    rest[..., 3] = 255 - upper[..., 3]
    faded = cv2.multiply(np.ascontiguousarray(under), rest, scale=1 / 255)
    return cv2.add(faded, upper).astype(np.uint8, copy=False)


def _sway(sheet: _Sheet, box: Box) -> Sway:
    """Firm from the crown to the chin, and fading down the neck and the hair on the shoulders."""
    rows, columns = np.mgrid[box.y : box.bottom, box.x : box.right].astype(np.float32) / np.float32(sheet.scale)
    down = np.clip((760 - rows) / 190, 0, 1)
    aside = np.clip((250 - np.abs(columns - 500)) / 40, 0, 1)
    weight = (down * down * (3 - 2 * down) * aside).astype(np.float32)
    pivot = 500 * sheet.scale - box.x, 690 * sheet.scale - box.y
    return Sway(weight, pivot=pivot, angle=0.016, drop=3.2 * sheet.scale)
