"""How a drawn person is shown."""

from typing import Literal

import attrs

__all__ = ["Framing", "Scenery", "Stance"]

Stance = Literal["standing", "presenting", "seated"]
Scenery = Literal["halo", "window", "shelf", "studio"]


@attrs.frozen(kw_only=True)
class Framing:
    """Posture, background, zoom, and the point of the drawing that is at the middle of the picture."""

    stance: Stance = "standing"
    scenery: Scenery = "halo"
    zoom: float = 1.0
    centre: tuple[float, float] = (500.0, 500.0)
