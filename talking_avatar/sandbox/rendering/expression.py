"""What moves in a drawn face: the eyes and the mouth."""

import math

from talking_avatar.sandbox.rendering.colour import darker, lighter, mixed, shaded_skin
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.features import EYES, MOUTH_LINE
from talking_avatar.sandbox.rendering.outline import Outline, curve, ellipse, polygon, rounded, shifted, smooth
from talking_avatar.sandbox.rendering.traits import Traits

__all__ = ["draw_eyes", "draw_mouth"]

_EYE_LINE = 400.0


def draw_eyes(canvas: Canvas, traits: Traits, lowered: float) -> None:
    """Both eyes, with the lids *lowered* by 0 (open) to 1 (shut)."""
    for x, side in EYES:
        _draw_eye(canvas, traits, x, side, lowered)


def _draw_eye(canvas: Canvas, traits: Traits, x: float, side: int, lowered: float) -> None:
    lash = mixed(darker(traits.hair, 0.5), "#1c1210", 0.6)
    inner, outer = x + side * 24, x - side * 26
    top = 19.0 * (1 - lowered) - 7.0 * lowered
    lid = curve(
        (outer, _EYE_LINE + 3),
        (x - side * 17, _EYE_LINE - 0.72 * top),
        (x - side * 2, _EYE_LINE - top),
        (x + side * 14, _EYE_LINE - 0.68 * top),
        (inner, _EYE_LINE + 5),
    )
    floor = curve((inner, _EYE_LINE + 5), (x, _EYE_LINE + 13), (outer, _EYE_LINE + 3))
    if lowered < 0.9:  # nearly shut shows no eyeball
        opening = polygon(*((float(px), float(py)) for part in (lid, floor) for px, py in part))
        canvas.fill(opening, "#fdfaf6", below="#ece4de")
        canvas.fill(ellipse(x, _EYE_LINE - 3, 16.5), darker(traits.iris, 0.35), clip=opening)
        canvas.fill(ellipse(x, _EYE_LINE - 1.5, 14, 13.5), traits.iris, below=lighter(traits.iris, 0.3), clip=opening)
        canvas.fill(ellipse(x, _EYE_LINE - 3, 7.5), "#17110f", clip=opening)
        canvas.fill(ellipse(x - 5, _EYE_LINE - 9, 4.2), "#ffffff", clip=opening)
        canvas.fill(ellipse(x + 5, _EYE_LINE + 3, 2.2), "#ffffff", clip=opening, strength=0.7)
        canvas.fill(ellipse(x, _EYE_LINE - top, 30, 6), "#3a2620", clip=opening, blur=3, strength=0.3)
        crease = shifted(lid, 0, -7)
        canvas.stroke(crease[3:-3], shaded_skin(traits.skin, 0.32), 3, strength=0.55)
    canvas.stroke(lid, lash, 6.5 if traits.gender == "female" else 5)
    if traits.gender == "female":
        for along, reach in ((0, 7), (5, 8)):
            root = (float(lid[2 + along][0]), float(lid[2 + along][1]))
            canvas.stroke(curve(root, (root[0] - side * reach, root[1] - 0.8 * reach)), lash, 3.6)


def draw_mouth(canvas: Canvas, traits: Traits, openness: float, width: float) -> None:
    """Lips at rest in a smile, or parted by *openness* and pursed (-1) to spread (1)."""
    lip = mixed(traits.skin, "#b23a48", 0.62 if traits.gender == "female" else 0.36)
    if openness < 0.05:  # closer than a line is thick
        _draw_smile(canvas, traits, lip)
        return
    half = 40.0 * (1 - 0.12 * openness) * (1 + (0.14 if width > 0 else 0.42) * width)
    drop = 7 + 46 * openness
    rise = 4 + 6 * openness
    corner = MOUTH_LINE + 1 - 4 * (1 - openness)
    gap = _parted(half, corner, rise, drop)
    border = 5.5 if traits.gender == "female" else 3.5
    outer = _parted(half + border, corner, rise + border, drop + 1.3 * border)
    if not traits.beard:
        canvas.fill(
            ellipse(500, corner + drop + 16, 0.6 * half, 7), shaded_skin(traits.skin, 0.25), blur=5, strength=0.5
        )
    canvas.fill(outer, lip, below=lighter(lip, 0.12))
    canvas.fill(gap, "#4a1522", below="#6d1f2c")
    if drop > 20:  # below that the teeth hide the tongue
        canvas.fill(ellipse(500, corner + drop + 2, 0.62 * half, 0.42 * drop), "#d9656b", clip=gap)
    canvas.fill(
        rounded(500 - 0.82 * half, corner - rise - 12, 1.64 * half, 12 + rise + min(11.0, 0.34 * drop), 7),
        "#fffaf3",
        clip=gap,
    )


def _parted(half: float, corner: float, rise: float, drop: float) -> Outline:
    angles = [math.pi * step / 12 for step in range(13)]
    upper = [(500 - half * math.cos(a), corner - rise * math.sin(a) ** 0.9) for a in angles]
    lower = [(500 + half * math.cos(a), corner + drop * math.sin(a) ** 0.75) for a in angles]
    return polygon(*upper, *lower)


def _draw_smile(canvas: Canvas, traits: Traits, lip: str) -> None:
    line = curve((460, 494), (478, 502), (500, 505), (522, 502), (540, 494))
    if traits.gender == "female":
        canvas.fill(
            smooth((460, 494), (482, 492), (493, 489), (500, 491), (507, 489), (518, 492), (540, 494), (500, 506)),
            lip,
        )
    canvas.fill(smooth((466, 498), (500, 506), (534, 498), (521, 513), (500, 518), (479, 513)), lighter(lip, 0.08))
    canvas.fill(ellipse(496, 511, 14, 3), "#ffffff", blur=2.5, strength=0.28)
    canvas.stroke(line, darker(lip, 0.45), 4.2)
    if traits.beard:
        return
    for x, side in ((458, -1), (542, 1)):
        canvas.stroke(curve((x, 497), (x + side * 3, 493), (x + side * 3, 489)), shaded_skin(traits.skin, 0.35), 3.5)
    canvas.fill(ellipse(500, 529, 22, 6), shaded_skin(traits.skin, 0.2), blur=5, strength=0.45)
