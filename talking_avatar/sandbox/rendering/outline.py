"""Shapes as points: smooth curves through a few of them, ellipses, round corners."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outline", "curve", "ellipse", "mirrored", "polygon", "rounded", "shifted", "smooth"]

Outline = NDArray[np.float64]
_STEPS = 10


def smooth(*points: tuple[float, float]) -> Outline:
    """A closed curve through *points* (Catmull-Rom)."""
    return _spline(np.asarray(points, np.float64), closed=True)


def curve(*points: tuple[float, float]) -> Outline:
    """An open curve through *points*."""
    return _spline(np.asarray(points, np.float64), closed=False)


def mirrored(*half: tuple[float, float], about: float = 500.0) -> Outline:
    """A closed curve of which the right half is given from top to bottom; the ends lie on the axis."""
    left = [(2 * about - x, y) for x, y in reversed(half) if x != about]
    return smooth(*half, *left)


def polygon(*points: tuple[float, float]) -> Outline:
    """Straight edges."""
    return np.asarray(points, np.float64)


def ellipse(x: float, y: float, radius_x: float, radius_y: float | None = None, *, tilt: float = 0.0) -> Outline:
    """An ellipse, turned clockwise by *tilt* degrees."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across, down = radius_x * np.cos(angles), (radius_y or radius_x) * np.sin(angles)
    turn = np.radians(tilt)
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([x + across * cosine - down * sine, y + across * sine + down * cosine], axis=1)


def shifted(outline: Outline, x: float, y: float) -> Outline:
    """The same shape elsewhere."""
    moved: Outline = outline + np.array([x, y])
    return moved


def rounded(x: float, y: float, width: float, height: float, radius: float) -> Outline:
    """A rectangle with round corners."""
    quarter = np.linspace(0, np.pi / 2, 9)
    corners = ((x + width, y + height, 0), (x, y + height, 1), (x, y, 2), (x + width, y, 3))
    arcs = []
    for corner_x, corner_y, turns in corners:
        angles = quarter + turns * np.pi / 2
        inward_x = -1 if corner_x > x else 1
        inward_y = -1 if corner_y > y else 1
        centre = np.array([corner_x + inward_x * radius, corner_y + inward_y * radius])
        arcs.append(centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return np.concatenate(arcs)


def _spline(points: Outline, *, closed: bool) -> Outline:
    if closed:
        before, start, end, after = (np.roll(points, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
        before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    along = np.linspace(0, 1, _STEPS, endpoint=False)[None, :, None]
    before, start, end, after = (part[:, None, :] for part in (before, start, end, after))
    bend = (
        2 * start
        + (end - before) * along
        + (2 * before - 5 * start + 4 * end - after) * along**2
        + (3 * start - before - 3 * end + after) * along**3
    ) / 2
    drawn: Outline = bend.reshape(-1, 2)
    return drawn if closed else np.concatenate([drawn, points[-1:]])
