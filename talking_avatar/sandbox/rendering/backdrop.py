"""What stands behind and in front of a drawn person."""

from talking_avatar.sandbox.rendering.colour import Colour, darker, lighter, mixed
from talking_avatar.sandbox.rendering.drawing import Canvas
from talking_avatar.sandbox.rendering.framing import Scenery
from talking_avatar.sandbox.rendering.outline import curve, ellipse, polygon, rounded, shifted, smooth

__all__ = ["draw_backdrop", "draw_desk"]

_EDGES = polygon((-400, -400), (1400, -400), (1400, 1400), (-400, 1400))


def draw_backdrop(canvas: Canvas, tint: Colour, scenery: Scenery) -> None:
    """A wall in *tint* and what hangs on it."""
    canvas.fill(_EDGES, lighter(tint, 0.35), below=darker(tint, 0.06))
    if scenery == "window":
        _draw_window(canvas, tint)
    elif scenery == "shelf":
        _draw_shelf(canvas, tint)
    elif scenery == "studio":
        _draw_studio(canvas, tint)
    else:
        canvas.fill(ellipse(500, 480, 410), lighter(tint, 0.5), below=lighter(tint, 0.12))
        canvas.fill(ellipse(886, 168, 46), lighter(tint, 0.55), strength=0.8)
        canvas.fill(ellipse(104, 806, 64), lighter(tint, 0.5), strength=0.6)


def _draw_window(canvas: Canvas, tint: Colour) -> None:
    glass = rounded(596, 96, 300, 470, 18)
    canvas.fill(shifted(glass, 10, 14), darker(tint, 0.3), blur=14, strength=0.4)
    canvas.fill(glass, "#bfe0ee", below="#eef6ee")
    canvas.fill(smooth((560, 470), (680, 410), (800, 450), (920, 400), (940, 620), (560, 620)), "#9cc7a1", clip=glass)
    canvas.fill(smooth((560, 530), (700, 480), (860, 520), (940, 490), (940, 640), (560, 640)), "#7fb08a", clip=glass)
    frame = lighter(tint, 0.75)
    for line in (curve((746, 96), (746, 566)), curve((596, 320), (896, 320))):
        canvas.stroke(line, frame, 12)
    canvas.stroke(rounded(596, 96, 300, 470, 18), frame, 18)
    canvas.stroke(curve((596, 500), (596, 114)), frame, 18)
    canvas.fill(rounded(570, 566, 352, 26, 8), frame, below=darker(frame, 0.1))
    _draw_plant(canvas, 142, 1000)


def _draw_shelf(canvas: Canvas, tint: Colour) -> None:
    board = mixed(darker(tint, 0.3), "#a9744f", 0.6)
    books = ("#d96c5f", "#3f7d8c", "#f0c05a", "#f7f1e6", "#7a5c8e", "#4e8f6b", "#e08e79")
    for row, (y, x) in enumerate(((250, 40), (520, 40), (250, 700), (520, 700))):
        canvas.fill(rounded(x, y + 8, 270, 18, 6), darker(tint, 0.35), blur=8, strength=0.4)
        for index in range(5):
            book = books[(index + 2 * row) % len(books)]
            tall = 96 + 17 * ((index * 3 + row) % 4)
            canvas.fill(rounded(x + 22 + index * 31, y - tall, 26, tall, 4), book, below=darker(book, 0.12))
        canvas.fill(
            ellipse(x + 222, y - 30, 30),
            lighter(books[(row + 3) % len(books)], 0.2),
            below=books[(row + 3) % len(books)],
        )
        canvas.fill(rounded(x, y, 270, 18, 6), board)


def _draw_studio(canvas: Canvas, tint: Colour) -> None:
    for x, y, radius in ((250, 300, 250), (800, 240, 200), (760, 720, 260)):
        canvas.fill(ellipse(x, y, radius), lighter(tint, 0.45), blur=60, strength=0.7)
    for index in range(7):
        y = 130 + index * 62
        canvas.fill(
            rounded(64 + 12 * (index % 2), y, 118 - 14 * (index % 3), 20, 10), lighter(tint, 0.65), strength=0.45
        )
        canvas.fill(
            rounded(828 - 10 * (index % 2), y, 96 + 14 * (index % 3), 20, 10), lighter(tint, 0.65), strength=0.45
        )


def _draw_plant(canvas: Canvas, x: float, floor: float) -> None:
    for lean, tall in ((-74, 250), (70, 262), (-34, 330), (34, 322), (0, 372)):
        tip = (x + lean * 1.5, floor - 70 - tall)
        leaf = smooth(
            (x, floor - 70),
            (x + lean * 0.55 - 34, floor - 70 - tall * 0.55),
            tip,
            (x + lean * 0.9 + 28, floor - 70 - tall * 0.5),
        )
        canvas.fill(leaf, "#5fa377", below="#33684f")
        canvas.stroke(
            curve((x, floor - 74), (x + lean * 0.7, floor - 70 - tall * 0.52), tip), "#8cc79b", 3, strength=0.6
        )
    canvas.fill(
        polygon((x - 66, floor - 96), (x + 66, floor - 96), (x + 50, floor + 30), (x - 50, floor + 30)),
        "#e2906b",
        below="#b9643f",
    )


def draw_desk(canvas: Canvas) -> None:
    """A table edge with a mug, in front of whoever sits at it."""
    top = polygon((-400, 958), (1400, 958), (1400, 1400), (-400, 1400))
    canvas.fill(top, "#d9a679", below="#a86f45")
    canvas.stroke(curve((-400, 960), (1400, 960)), "#ecc49c", 5)
    canvas.stroke(curve((846, 900), (886, 896), (888, 940), (846, 944)), "#e7ded2", 11)
    canvas.fill(rounded(776, 872, 82, 96, 14), "#fbf6ee", below="#dcd0c2")
    canvas.fill(rounded(776, 908, 82, 14, 3), "#d96c5f", strength=0.9)
    canvas.fill(rounded(112, 926, 190, 18, 6), "#3f7d8c")
    canvas.fill(rounded(124, 944, 196, 20, 6), "#f0c05a")
