"""Drawn bodies: shoulders, clothes and arms."""

from collections.abc import Callable

from talking_avatar.sandbox.rendering.colour import Colour, darker, lighter, shaded_skin
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.features import draw_neck
from talking_avatar.sandbox.rendering.framing import Stance
from talking_avatar.sandbox.rendering.outline import (
    Outline,
    curve,
    ellipse,
    mirrored,
    polygon,
    rounded,
    shifted,
    smooth,
)
from talking_avatar.sandbox.rendering.traits import Outfit, Traits

__all__ = ["draw_arms", "draw_body"]

_NECKLINES: dict[Outfit, float] = {"blazer": 752, "sweater": 705, "shirt": 742, "blouse": 800}


def _torso(traits: Traits) -> Outline:
    wide = 0 if traits.gender == "female" else 34
    return mirrored(
        (500, 668),
        (562, 650),
        (640 + wide, 674),
        (712 + wide, 720),
        (748 + wide, 816),
        (766 + wide, 1060),
        (500, 1180),
    )


def draw_body(canvas: Canvas, traits: Traits) -> None:
    """Neck, shoulders and clothes."""
    torso = _torso(traits)
    cloth = traits.clothes
    canvas.fill(torso, lighter(cloth, 0.05), below=darker(cloth, 0.12))
    canvas.fill(
        smooth((690, 700), (800, 800), (800, 1100), (640, 1100), (676, 900)),
        darker(cloth, 0.22),
        clip=torso,
        blur=16,
        strength=0.6,
    )
    if traits.outfit == "blazer":
        shirt = polygon((446, 664), (500, 950), (554, 664))
        canvas.fill(shirt, traits.accent, below=darker(traits.accent, 0.08))
    draw_neck(canvas, traits, _NECKLINES[traits.outfit])
    _OUTFITS[traits.outfit](canvas, traits, torso)


def _draw_blazer(canvas: Canvas, traits: Traits, torso: Outline) -> None:
    cloth = traits.clothes
    for side in (-1, 1):
        lapel = polygon(
            *(
                (500 + side * x, y)
                for x, y in ((58, 636), (92, 662), (128, 742), (98, 758), (112, 782), (4, 944), (20, 850), (44, 730))
            )
        )
        canvas.fill(shifted(lapel, side * 5, 7), darker(cloth, 0.45), blur=6, strength=0.5, clip=torso)
        canvas.fill(lapel, lighter(cloth, 0.1), below=darker(cloth, 0.02))
        canvas.stroke(curve((500 + side * 98, 758), (500 + side * 56, 762)), darker(cloth, 0.35), 3.5, strength=0.7)
    canvas.stroke(curve((500, 944), (503, 1010), (502, 1090)), darker(cloth, 0.38), 4.5)
    canvas.fill(ellipse(520, 968, 8.5), darker(cloth, 0.5))
    canvas.fill(ellipse(518, 966, 3), lighter(cloth, 0.35))


def _draw_sweater(canvas: Canvas, traits: Traits, torso: Outline) -> None:
    cloth = traits.clothes
    collar = curve((414, 664), (440, 708), (500, 730), (560, 708), (586, 664))
    canvas.stroke(shifted(collar, 0, 7), darker(cloth, 0.4), 34, blur=6, strength=0.35, clip=torso)
    canvas.stroke(collar, lighter(cloth, 0.1), 30)
    canvas.stroke(shifted(collar, 0, 14), darker(cloth, 0.25), 3.5, strength=0.6)
    for x, y in ((430, 690), (455, 712), (485, 726), (515, 726), (545, 712), (570, 690)):
        canvas.stroke(curve((x, y - 10), (x + (500 - x) * 0.06, y + 8)), darker(cloth, 0.18), 3, strength=0.6)


def _draw_shirt(canvas: Canvas, traits: Traits, torso: Outline) -> None:
    cloth = traits.clothes
    canvas.stroke(curve((500, 744), (502, 900), (501, 1090)), darker(cloth, 0.22), 4, clip=torso)
    for y in (800, 880, 960):
        canvas.fill(ellipse(512, y, 7), lighter(cloth, 0.5))
        canvas.stroke(curve((509, y), (515, y)), darker(cloth, 0.3), 2.5)
    for side in (-1, 1):
        collar = polygon(*((500 + side * x, y) for x, y in ((54, 626), (86, 652), (86, 742), (48, 788), (0, 740))))
        canvas.fill(shifted(collar, side * 2, 9), darker(cloth, 0.45), blur=6, strength=0.45, clip=torso)
        canvas.fill(collar, lighter(cloth, 0.16), below=lighter(cloth, 0.04))


def _draw_blouse(canvas: Canvas, traits: Traits, torso: Outline) -> None:
    cloth = traits.clothes
    for side in (-1, 1):
        edge = curve((500 + side * 76, 652), (500 + side * 40, 742), (500, 806))
        canvas.stroke(shifted(edge, 0, 6), darker(cloth, 0.4), 15, blur=5, strength=0.4, clip=torso)
        canvas.stroke(edge, lighter(cloth, 0.14), 15, clip=torso)
        canvas.stroke(
            curve((500 + side * 20, 850), (500 + side * 44, 950), (500 + side * 36, 1060)),
            darker(cloth, 0.2),
            4,
            strength=0.5,
        )
    pendant = curve((452, 690), (478, 738), (500, 752), (522, 738), (548, 690))
    canvas.stroke(pendant, "#e9b44c", 3)
    canvas.fill(ellipse(500, 758, 7.5), "#f2c869")


_OUTFITS: dict[Outfit, Callable[[Canvas, Traits, Outline], None]] = {
    "blazer": _draw_blazer,
    "sweater": _draw_sweater,
    "shirt": _draw_shirt,
    "blouse": _draw_blouse,
}


def draw_arms(canvas: Canvas, traits: Traits, stance: Stance) -> None:
    """Both arms as *stance* holds them."""
    wide = 0 if traits.gender == "female" else 34
    cloth = traits.clothes
    if stance == "seated":
        for side in (-1, 1):
            shoulder, elbow = 500 + side * (690 - 500 + wide), 500 + side * (268 + wide)
            _draw_sleeve(canvas, curve((shoulder, 770), (elbow - side * 10, 870), (elbow - side * 30, 940)), cloth)
            _draw_sleeve(
                canvas, curve((elbow - side * 34, 944), (500 + side * 120, 938), (500 + side * 76, 926)), cloth
            )
        _draw_folded_hands(canvas, traits)
        return
    for side in (-1, 1):
        inner = 500 + side * (176 + wide)
        canvas.stroke(
            curve((inner, 800), (inner + side * 3, 900), (inner - side * 2, 1080)),
            darker(cloth, 0.32),
            5,
            strength=0.75,
        )
    if stance == "presenting":
        _draw_sleeve(canvas, curve((700 + wide, 776), (762 + wide, 866), (786 + wide, 922)), cloth)
        _draw_sleeve(canvas, curve((788 + wide, 926), (830 + wide, 840), (846 + wide, 772)), cloth)
        _draw_open_hand(canvas, traits, 852 + wide, 724)


def _draw_sleeve(canvas: Canvas, line: Outline, cloth: Colour) -> None:
    canvas.stroke(shifted(line, 3, 6), darker(cloth, 0.5), 92, blur=7, strength=0.3)
    canvas.stroke(line, darker(cloth, 0.06), 92)
    canvas.stroke(shifted(line, -14, -8), lighter(cloth, 0.12), 34, blur=12, strength=0.5)


def _draw_open_hand(canvas: Canvas, traits: Traits, x: float, y: float) -> None:
    """A raised hand with the palm to the viewer."""
    skin = lighter(traits.skin, 0.04)
    fold = shaded_skin(traits.skin, 0.22)
    canvas.stroke(curve((x - 3, y + 36), (x - 1, y + 10)), skin, 50)
    canvas.fill(rounded(x - 33, y + 34, 62, 24, 10), traits.accent)
    fingers = (((-24, -16), (-34, -66)), ((-8, -24), (-11, -86)), ((9, -22), (14, -82)), ((24, -12), (36, -60)))
    for start, end in fingers:
        canvas.stroke(curve((x + start[0], y + start[1]), (x + end[0], y + end[1])), skin, 18)
    canvas.stroke(curve((x - 22, y + 14), (x - 46, y - 4), (x - 58, y - 26)), skin, 19)
    canvas.fill(
        smooth((x - 32, y - 18), (x, y - 30), (x + 32, y - 14), (x + 30, y + 22), (x, y + 36), (x - 30, y + 22)), skin
    )
    canvas.stroke(curve((x - 18, y - 2), (x - 8, y + 12), (x - 8, y + 26)), fold, 3, strength=0.6)
    for start, _ in fingers[1:]:
        canvas.stroke(curve((x + start[0] - 8, y - 24), (x + start[0] - 9, y - 34)), fold, 2.6, strength=0.6)


def _draw_folded_hands(canvas: Canvas, traits: Traits) -> None:
    skin, fold = traits.skin, shaded_skin(traits.skin, 0.25)
    for side in (-1, 1):
        canvas.fill(rounded(500 + side * 84 - 13, 888, 26, 74, 10), traits.accent, below=darker(traits.accent, 0.12))
    canvas.fill(
        smooth((430, 898), (500, 884), (570, 898), (582, 934), (556, 962), (500, 970), (444, 962), (418, 934)),
        skin,
        below=shaded_skin(skin, 0.08),
    )
    for index in range(4):
        x = 462 + index * 22
        canvas.stroke(curve((x, 914), (x + 14, 932), (x + 18, 954)), fold, 3.4, strength=0.7)
    canvas.stroke(curve((444, 912), (480, 902), (520, 906)), fold, 3.4, strength=0.6)
