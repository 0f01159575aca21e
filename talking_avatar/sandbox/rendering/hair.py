"""Drawn hair: what falls behind the head, and what lies over the forehead."""

from collections.abc import Callable

from talking_avatar.sandbox.rendering.colour import darker, lighter, shaded_skin
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.outline import Outline, curve, ellipse, mirrored, shifted, smooth
from talking_avatar.sandbox.rendering.traits import HairStyle, Traits

__all__ = ["draw_back_hair", "draw_front_hair"]

_BACKS: dict[HairStyle, Outline] = {
    "bob": mirrored((500, 178), (610, 196), (672, 280), (684, 400), (690, 500), (668, 574), (610, 590), (500, 560)),
    "long": mirrored(
        (500, 176), (612, 194), (676, 284), (686, 420), (700, 560), (722, 690), (690, 778), (610, 770), (500, 700)
    ),
    "waves": mirrored(
        (500, 172), (616, 192), (690, 282), (684, 380), (716, 470), (690, 560), (716, 640), (660, 700), (500, 660)
    ),
    "bun": mirrored((500, 190), (604, 206), (655, 290), (656, 390), (638, 450), (500, 470)),
}
_PARTED_FRINGE = smooth(
    (556, 204),
    (484, 186),
    (404, 214),
    (358, 292),
    (352, 398),
    (368, 430),
    (384, 356),
    (420, 306),
    (486, 286),
    (548, 250),
    (586, 290),
    (616, 352),
    (632, 430),
    (648, 398),
    (642, 292),
    (606, 220),
)
_FRONTS: dict[HairStyle, Outline] = {
    "bob": _PARTED_FRINGE,
    "long": smooth(
        (500, 184),
        (410, 208),
        (358, 290),
        (346, 420),
        (358, 520),
        (376, 440),
        (398, 350),
        (452, 292),
        (500, 244),
        (548, 292),
        (602, 350),
        (624, 440),
        (642, 520),
        (654, 420),
        (642, 290),
        (590, 208),
    ),
    "bun": smooth(
        (500, 190),
        (412, 208),
        (360, 292),
        (357, 400),
        (372, 408),
        (384, 340),
        (430, 284),
        (500, 264),
        (570, 284),
        (616, 340),
        (628, 408),
        (643, 400),
        (640, 292),
        (588, 208),
    ),
    "waves": _PARTED_FRINGE,
    "parted": smooth(
        (584, 196),
        (494, 172),
        (402, 196),
        (356, 276),
        (356, 392),
        (374, 396),
        (380, 330),
        (408, 292),
        (498, 300),
        (572, 262),
        (612, 300),
        (622, 394),
        (642, 390),
        (646, 290),
        (628, 226),
    ),
    "quiff": smooth(
        (630, 212),
        (570, 150),
        (470, 140),
        (386, 180),
        (350, 262),
        (356, 388),
        (372, 392),
        (382, 318),
        (420, 270),
        (500, 262),
        (588, 272),
        (618, 318),
        (626, 392),
        (644, 388),
        (650, 280),
    ),
    "crop": smooth(
        (500, 190),
        (404, 204),
        (360, 276),
        (357, 380),
        (372, 386),
        (378, 320),
        (400, 276),
        (460, 262),
        (540, 262),
        (600, 276),
        (622, 320),
        (628, 386),
        (643, 380),
        (640, 276),
        (596, 204),
    ),
}
_CURLS = (
    (382, 300, 52), (372, 372, 44), (410, 236, 56), (470, 200, 58), (534, 196, 60), (592, 230, 56), (622, 296, 52),
    (630, 372, 44), (366, 436, 40), (636, 436, 40), (440, 262, 40), (556, 258, 42), (498, 246, 42),
)  # fmt: skip


def draw_back_hair(canvas: Canvas, traits: Traits) -> None:
    """What the head covers."""
    shade = darker(traits.hair, 0.22)
    if traits.hair_style == "curly":
        for x, y, radius in _CURLS[:10]:
            canvas.fill(ellipse(x + (x - 500) * 0.14, y + 6, radius * 1.12), shade)
        return
    if traits.hair_style == "bun":
        canvas.fill(ellipse(508, 168, 66, 58), traits.hair, below=shade)
        canvas.stroke(curve((462, 178), (500, 138), (552, 160)), lighter(traits.hair, 0.2), 6, strength=0.5)
    back = _BACKS.get(traits.hair_style)
    if back is not None:
        canvas.fill(back, darker(traits.hair, 0.1), below=shade)


def draw_front_hair(canvas: Canvas, traits: Traits) -> None:
    """What covers the forehead."""
    if traits.hair_style == "curly":
        _draw_curls(canvas, traits)
        return
    front = _FRONTS[traits.hair_style]
    canvas.fill(
        shifted(front, 0, 9), shaded_skin(traits.skin, 0.4), clip=mirrored((500, 232), (632, 330), (500, 470)), blur=6
    )
    canvas.fill(front, lighter(traits.hair, 0.07), below=darker(traits.hair, 0.06))
    _STRANDS.get(traits.hair_style, _draw_crown)(canvas, traits, front)


def _draw_curls(canvas: Canvas, traits: Traits) -> None:
    for index, (x, y, radius) in enumerate(_CURLS):
        shade = traits.hair if index % 2 else darker(traits.hair, 0.07)
        if y < 330 or abs(x - 500) > 116:  # the face stays free
            canvas.fill(ellipse(x, y, radius), shade)
    for x, y, radius in _CURLS[:10]:
        arc = curve(
            (x - 0.5 * radius, y - 0.1 * radius),
            (x - 0.2 * radius, y - 0.5 * radius),
            (x + 0.3 * radius, y - 0.55 * radius),
        )
        canvas.stroke(arc, lighter(traits.hair, 0.18), 5, strength=0.55)


def _draw_sweep(canvas: Canvas, traits: Traits, front: Outline) -> None:
    light, dark = lighter(traits.hair, 0.24), darker(traits.hair, 0.25)
    for shift in (0, 26):
        canvas.stroke(
            curve((548, 222 + shift / 2), (470, 226 + shift), (404, 262 + shift), (372, 330 + shift)),
            light,
            7,
            strength=0.4,
            clip=front,
            blur=1.5,
        )
    canvas.stroke(curve((556, 206), (552, 230), (548, 252)), dark, 5, strength=0.7, clip=front)
    canvas.stroke(curve((572, 230), (612, 290), (632, 370)), dark, 5, strength=0.4, clip=front)


def _draw_centre(canvas: Canvas, traits: Traits, front: Outline) -> None:
    light, dark = lighter(traits.hair, 0.24), darker(traits.hair, 0.25)
    canvas.stroke(curve((500, 184), (500, 244)), dark, 5, strength=0.7, clip=front)
    for side in (-1, 1):
        line = curve((500 + side * 30, 222), (500 + side * 96, 274), (500 + side * 130, 372), (500 + side * 138, 470))
        canvas.stroke(line, light, 7, strength=0.35, clip=front, blur=1.5)


def _draw_crown(canvas: Canvas, traits: Traits, front: Outline) -> None:
    line = curve((404, 262), (440, 222), (500, 208), (560, 216))
    canvas.stroke(line, lighter(traits.hair, 0.3), 12, strength=0.35, clip=front, blur=4)


def _draw_quiff(canvas: Canvas, traits: Traits, front: Outline) -> None:
    light, dark = lighter(traits.hair, 0.24), darker(traits.hair, 0.25)
    for shift in (0, 28, 56):
        line = curve((396 + shift, 262), (424 + shift, 206), (486 + shift, 174), (560 + shift, 176))
        canvas.stroke(line, light if shift != 28 else dark, 6, strength=0.4, clip=front, blur=1)


_STRANDS: dict[HairStyle, Callable[[Canvas, Traits, Outline], None]] = {
    "bob": _draw_sweep,
    "waves": _draw_sweep,
    "parted": _draw_sweep,
    "long": _draw_centre,
    "quiff": _draw_quiff,
}
