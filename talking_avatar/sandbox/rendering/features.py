"""A drawn face. The head is centred at 500, 390 and about 270 units wide."""

from talking_avatar.sandbox.rendering.colour import darker, lighter, mixed, shaded_skin
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.outline import (
    Outline,
    curve,
    ellipse,
    mirrored,
    polygon,
    rounded,
    smooth,
)
from talking_avatar.sandbox.rendering.traits import Traits

__all__ = ["EYES", "FACE", "MOUTH_LINE", "draw_ears", "draw_face", "draw_neck", "draw_spectacles"]

FACE = {
    "female": mirrored((500, 222), (585, 238), (627, 310), (630, 395), (608, 478), (560, 541), (500, 568)),
    "male": mirrored((500, 222), (590, 238), (632, 310), (634, 400), (620, 484), (574, 553), (500, 581)),
}
EYES = ((443.0, 1), (557.0, -1))
MOUTH_LINE = 499.0


def draw_neck(canvas: Canvas, traits: Traits, neckline: float) -> None:
    """The neck down to where the clothes begin, in the shadow of the chin."""
    half = 50 if traits.gender == "female" else 63
    neck = mirrored(
        (500, 480),
        (500 + half, 500),
        (500 + half, 615),
        (500 + half + 15, 654),
        (500 + 0.45 * half, 0.4 * 654 + 0.6 * neckline),
        (500, neckline),
    )
    canvas.fill(neck, traits.skin)
    canvas.fill(ellipse(508, 572, 96, 88), shaded_skin(traits.skin, 0.3), clip=neck, blur=8, strength=0.85)


def draw_ears(canvas: Canvas, traits: Traits) -> None:
    for side in (-1, 1):
        x = 500 + side * 136
        canvas.fill(ellipse(x, 412, 25, 37, tilt=8 * side), shaded_skin(traits.skin, 0.06))
        canvas.stroke(
            curve((x + side * 8, 392), (x + side * 2, 398), (x - side * 4, 414), (x + side * 2, 428)),
            shaded_skin(traits.skin, 0.28),
            5,
            strength=0.8,
        )
        if traits.earrings:
            canvas.fill(ellipse(x + side * 4, 454, 8), "#e9b44c")
            canvas.fill(ellipse(x + side * 2, 451, 3), "#fff3cf")


def draw_face(canvas: Canvas, traits: Traits) -> None:
    """All of the face that keeps still."""
    face = FACE[traits.gender]
    canvas.fill(face, lighter(traits.skin, 0.06), below=shaded_skin(traits.skin, 0.05))
    # Light from the upper left: the far cheek and the temple under the hair lie in soft shade.
    canvas.fill(
        smooth((618, 250), (700, 300), (690, 520), (560, 600), (590, 520), (617, 420)),
        shaded_skin(traits.skin, 0.2),
        clip=face,
        blur=14,
        strength=0.5,
    )
    canvas.fill(ellipse(500, 252, 150, 46), shaded_skin(traits.skin, 0.25), clip=face, blur=16, strength=0.5)
    for x, side in ((428, -1), (572, 1)):
        rose = mixed(traits.skin, "#e2604f", 0.42)
        canvas.fill(ellipse(x + side * 4, 466, 34, 23), rose, clip=face, blur=11, strength=0.55)
    if traits.beard:
        _draw_beard(canvas, traits, face)
    _draw_nose(canvas, traits)
    _draw_brows(canvas, traits)


def _draw_nose(canvas: Canvas, traits: Traits) -> None:
    shadow = shaded_skin(traits.skin, 0.27)
    canvas.fill(smooth((505, 400), (516, 440), (524, 458), (505, 464), (501, 440)), shadow, blur=5, strength=0.35)
    canvas.stroke(curve((482, 456), (488, 464), (500, 467), (512, 464), (518, 456)), shadow, 5.5, strength=0.9)
    canvas.fill(ellipse(497, 446, 7, 10), "#ffffff", blur=4, strength=0.35)


def _draw_brows(canvas: Canvas, traits: Traits) -> None:
    colour = darker(traits.hair, 0.12)
    thick = 10.5 if traits.gender == "male" else 7.5
    for x, side in EYES:
        brow = curve((x + side * 26, 366), (x + side * 8, 357), (x - side * 14, 356), (x - side * 33, 366))
        canvas.stroke(brow, colour, thick)


def _draw_beard(canvas: Canvas, traits: Traits, face: Outline) -> None:
    colour = mixed(darker(traits.hair, 0.08), traits.skin, 0.12)
    jaw = smooth(
        (360, 400),
        (376, 452),
        (410, 486),
        (450, 478),
        (500, 470),
        (550, 478),
        (590, 486),
        (624, 452),
        (640, 400),
        (640, 600),
        (500, 640),
        (360, 600),
    )
    canvas.fill(jaw, colour, clip=face, blur=2.5)
    # The bare skin around the lips is where the mouth is drawn in every frame.
    canvas.fill(ellipse(500, MOUTH_LINE + 4, 44, 15), mixed(traits.skin, "#b5584d", 0.2), blur=4, strength=0.85)


def draw_spectacles(canvas: Canvas, traits: Traits) -> None:
    frame = mixed(darker(traits.hair, 0.3), "#2a2530", 0.6)
    for x, side in EYES:
        lens = rounded(x - 44, 368, 88, 70, 30)
        canvas.fill(lens, "#ffffff", strength=0.1)
        canvas.fill(
            polygon((x - 30, 440), (x - 6, 366), (x + 10, 366), (x - 14, 440)), "#ffffff", clip=lens, strength=0.16
        )
        canvas.stroke(_closed(lens), frame, 7)
        canvas.stroke(curve((x - side * 44, 392), (500 - side * 134, 386)), frame, 6)
    canvas.stroke(curve((487, 394), (500, 388), (513, 394)), frame, 7)


def _closed(outline: Outline) -> Outline:
    return polygon(*((float(x), float(y)) for x, y in outline), (float(outline[0][0]), float(outline[0][1])))
