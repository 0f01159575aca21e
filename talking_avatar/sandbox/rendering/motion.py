"""What moves in each frame: the mouth with the sound, and the small motions that make a figure look alive."""

from collections.abc import Iterator
from random import Random

import attrs
import numpy as np

from talking_avatar.sandbox.rendering.mouth import Track
from talking_avatar.sandbox.rendering.sound import FRAME_RATE

__all__ = ["REST", "Moment", "moments"]

_EYELID = (0.35, 0.8, 1.0, 1.0, 0.7, 0.35)


@attrs.frozen(kw_only=True)
class Moment:
    """One frame's pose; *turn* and *nod* are -1…1 and scaled by whoever sways."""

    openness: float = 0.0
    width: float = 0.0
    blink: float = 0.0
    turn: float = 0.0
    nod: float = 0.0


REST = Moment()


def moments(track: Track, *, seed: int) -> Iterator[Moment]:
    """The poses of a whole video; the same *seed* blinks and sways at the same times."""
    random = Random(seed)  # noqa: S311 - a repeatable choice of blinks, not a secret
    eyelids = _eyelids(len(track), random)
    phases = [random.uniform(0, 2 * np.pi) for _ in range(3)]
    emphasis = 0.0
    for index, (openness, width) in enumerate(track):
        clock = index / FRAME_RATE
        emphasis += (openness - emphasis) * 0.12
        yield Moment(
            openness=float(openness),
            width=float(width),
            blink=eyelids[index],
            turn=0.65 * np.sin(clock * 1.1 + phases[0]) + 0.35 * np.sin(clock * 0.47 + phases[1]),
            nod=0.55 * np.sin(clock * 0.83 + phases[2]) + 1.1 * float(emphasis) - 0.3,
        )


def _eyelids(frames: int, random: Random) -> list[float]:
    """How far the lids are down in each frame: a blink every three to five seconds, the first within two."""
    eyelids = [0.0] * frames
    start = random.uniform(0.6, 2.0)
    while (first := round(start * FRAME_RATE)) < frames:
        for offset, lowered in enumerate(_EYELID[: frames - first]):
            eyelids[first + offset] = lowered
        start += random.uniform(3.0, 5.0)
    return eyelids
