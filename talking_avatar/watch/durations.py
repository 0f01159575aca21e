"""How long renders of one product take, learned from those that finished: pure and decaying."""

from bisect import bisect_right
from collections.abc import Iterable
from math import erf, exp, log, sqrt

import attrs

__all__ = ["Durations", "Outlook"]

SHORTEST = 0.25
LONGEST = 48 * 3600.0
RATIO = 1.04
_EDGES = [SHORTEST * RATIO**i for i in range(int(log(LONGEST / SHORTEST) / log(RATIO)) + 2)]
_LOG_EDGES = [log(edge) for edge in _EDGES]
# Age, survival and its integral where the first bin begins.
_BIRTH = (0.0, 1.0, 0.0)

# Renders vary about this much (σ of the logarithm) as long as too few were seen to say.
USUAL_SPREAD = 0.35
USUAL_SPREAD_WEIGHT = 4.0
# Some renders are like none before; without this share a job past the longest one seen would be looked at in vain.
SURPRISE = 0.03
SURPRISE_SPREAD = 1.2
# Silverman's bandwidth has 0.9; the surprises already fill what lies between samples, and blur costs looks.
BANDWIDTH = 0.7

# Twelve durations or so tell a change of speed from chance.
FEWEST_TO_DOUBT = 12.0
DRIFT_MEMORY = 0.1
DRIFT_LOW, DRIFT_HIGH = 0.5, 1.5


@attrs.frozen
class Outlook:
    """The chance of still running at each age, in a form that answers quickly.

    *least_product* is the least polls × lateness of any schedule: half the square of ∫√(density · survival).
    """

    median: float
    least_product: float
    _survival: list[float]
    _integral: list[float]

    def survival(self, age: float) -> float:
        """The chance that a render takes longer than *age*."""
        return self._at(age)[0]

    def lateness_reached_after(self, age: float, lateness: float) -> float:
        """The wait after which a render that runs at *age* has on average been finished for *lateness* seconds.

        Infinity where even the end of the scale does not reach it.
        """
        alive, begun = self._at(age)
        alive = max(alive, 1e-12)
        low, high = bisect_right(_EDGES, age), len(_EDGES) - 1
        if low > high or self._late(high, age, alive, begun) < lateness:
            return float("inf")
        while low < high:
            middle = (low + high) // 2
            if self._late(middle, age, alive, begun) < lateness:
                low = middle + 1
            else:
                high = middle
        before = max(age, _EDGES[low - 1]) if low else age
        alive_before, until_before = self._at(before)
        missing = lateness - (before - age) + (until_before - begun) / alive
        # Within a bin survival falls in a straight line, so lateness is a parabola.
        slope = 1 - alive_before / alive
        bend = (alive_before - self._survival[low]) / ((_EDGES[low] - before) * alive)
        return before - age + 2 * missing / (slope + sqrt(max(slope * slope + 2 * bend * missing, 1e-24)))

    def _late(self, edge: int, age: float, alive: float, begun: float) -> float:
        return (_EDGES[edge] - age) - (self._integral[edge] - begun) / alive

    def _at(self, age: float) -> tuple[float, float]:
        """Survival at *age*, and its integral up to there."""
        index = bisect_right(_EDGES, age)
        if index == len(_EDGES):
            return self._survival[-1], self._integral[-1]
        start, alive, area = (
            (_EDGES[index - 1], self._survival[index - 1], self._integral[index - 1]) if index else _BIRTH
        )
        passed = age - start
        now = alive + (self._survival[index] - alive) * passed / (_EDGES[index] - start)
        return now, area + passed * (alive + now) / 2


@attrs.define
class Durations:
    """Durations in seconds (or in seconds per second of audio), the latest counting most.

    *memory* is the number of jobs after which an old one counts 1/e.
    """

    memory: float = 80.0
    _weights: dict[int, float] = attrs.field(factory=dict)
    _scale: float = 1.0
    _total: float = 0.0
    _sum: float = 0.0
    _squares: float = 0.0
    _outlook: Outlook | None = None
    _stale_by: float = 0.0
    _drift: float = 1.0
    seen: int = 0

    def add(self, duration: float) -> None:
        """A render took *duration*."""
        self._notice_change(duration)
        value = log(min(max(duration, SHORTEST), LONGEST))
        # Growing the newest weight instead of shrinking all older ones makes forgetting free.
        self._scale *= exp(1.0 / self.memory)
        if self._scale > 1e100:
            self._rescale()
        index = min(max(bisect_right(_LOG_EDGES, value) - 1, 0), len(_EDGES) - 2)
        self._weights[index] = self._weights.get(index, 0.0) + self._scale
        self._total += self._scale
        self._sum += self._scale * value
        self._squares += self._scale * value * value
        self._stale_by += self._scale
        self.seen += 1

    @property
    def weight(self) -> float:
        """How many jobs' worth is remembered."""
        return self._total / self._scale

    def outlook(self) -> Outlook | None:
        """What to expect, None before anything was learned; rebuilt once two per cent of it is new."""
        if not self._total:
            return None
        if self._outlook is None or self._stale_by > 0.02 * self._total:
            self._outlook = self._build()
            self._stale_by = 0.0
        return self._outlook

    def samples(self) -> list[float]:
        """Durations that teach another instance what this one knows, oldest first, at most about *memory* of them."""
        whole = [(index, weight / self._scale) for index, weight in sorted(self._weights.items())]
        return [
            sqrt(_EDGES[index] * _EDGES[index + 1]) for index, weight in whole for _ in range(max(round(weight), 0))
        ]

    def learn(self, durations: Iterable[float]) -> None:
        """Take in many at once."""
        for duration in durations:
            self.add(duration)

    def _notice_change(self, duration: float) -> None:
        # The hazard lived through, -ln S, averages 1 while the past still holds; far from it, half of it is forgotten.
        if self._outlook is None or self.weight < FEWEST_TO_DOUBT:
            return
        lived = -log(max(self._outlook.survival(duration), 1e-4))
        self._drift += DRIFT_MEMORY * (lived - self._drift)
        if not DRIFT_LOW < self._drift < DRIFT_HIGH:
            self._scale *= 2.0
            self._drift = 1.0
            self._outlook = None

    def _rescale(self) -> None:
        self._weights = {i: w / self._scale for i, w in self._weights.items() if w / self._scale > 1e-6}
        self._total, self._sum, self._squares = (v / self._scale for v in (self._total, self._sum, self._squares))
        self._stale_by /= self._scale
        self._scale = 1.0

    def _spread(self) -> tuple[float, float]:
        mean = self._sum / self._total
        variance = max(self._squares / self._total - mean * mean, 0.0)
        seen = self.weight
        blended = (seen * variance + USUAL_SPREAD_WEIGHT * USUAL_SPREAD**2) / (seen + USUAL_SPREAD_WEIGHT)
        return mean, sqrt(blended)

    def _build(self) -> Outlook:
        mean, spread = self._spread()
        # Narrow enough to follow the shape, wide enough to say something between samples.
        bandwidth = max(BANDWIDTH * spread * max(self.weight, 1.0) ** -0.2, 0.02)
        reach = int(4 * bandwidth / log(RATIO)) + 1
        kernel = [_normal(offset * log(RATIO) / bandwidth) for offset in range(-reach, reach + 1)]
        finished = [0.0] * len(_EDGES)
        for index, weight in self._weights.items():
            share = weight / self._total
            for offset in range(-reach, reach + 1):
                # A sample's mass sits in the middle of its bin.
                place = index + 1 + offset
                if 0 <= place < len(finished):
                    step = kernel[offset + reach] - (kernel[offset + reach - 1] if offset > -reach else 0.0)
                    finished[place] += share * step
        return self._outlook_of(finished, mean, spread)

    @staticmethod
    def _outlook_of(finished: list[float], mean: float, spread: float) -> Outlook:
        survival, integral = [], []
        done, area, root, previous_edge, previous_alive = 0.0, 0.0, 0.0, 0.0, 1.0
        surprise = max(SURPRISE_SPREAD, spread)
        for edge, log_edge, step in zip(_EDGES, _LOG_EDGES, finished, strict=True):
            done = min(done + step, 1.0)
            alive = (1 - SURPRISE) * (1 - done) + SURPRISE * (1 - _normal((log_edge - mean) / surprise))
            area += (edge - previous_edge) * (alive + previous_alive) / 2
            root += sqrt(max(previous_alive - alive, 0.0) * (edge - previous_edge) * (alive + previous_alive) / 2)
            survival.append(alive)
            integral.append(area)
            previous_edge, previous_alive = edge, alive
        median = next((e for e, s in zip(_EDGES, survival, strict=True) if s <= 0.5), LONGEST)
        return Outlook(median, root * root / 2, survival, integral)


def _normal(value: float) -> float:
    return 0.5 * (1 + erf(value / sqrt(2)))
