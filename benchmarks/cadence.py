"""When to look next: polls × mean lateness of the learned cadence, against the least that any schedule can reach.

Simulated, one render after another: the cadence plans every look from the durations that its own looks have seen. The
first renders teach, the others count. After a change of speed the yardstick is a fixed interval of the same lateness.
"""

import math
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from statistics import mean, median

import attrs

from benchmarks import report
from talking_avatar.watch.cadence import Cadence, Fixed, Learned, Situation
from talking_avatar.watch.durations import Durations

TAUGHT, COUNTED = 200, 300


@attrs.frozen
class Law:
    """Lognormal render times; those that count are *factor* times as long as those that taught."""

    median: float
    sigma: float
    factor: float = 1.0

    @property
    def name(self) -> str:
        change = {0.5: ", then twice as fast", 2.0: ", then twice as slow"}.get(self.factor, "")
        return f"{self.median:g} s, σ {self.sigma:g}{change}"


LAWS = (
    Law(120, 0.5),
    Law(120, 0.2),
    Law(600, 0.8),
    *(Law(*law, factor) for law in ((120, 0.5), (120, 0.2), (600, 0.8)) for factor in (0.5, 2.0)),
)


@cache
def floor(middle: float, sigma: float) -> float:
    """½(∫√(f·S))² of a lognormal law, by the midpoint rule over the logarithm of time."""
    steps, reach = 4_000, 10.0
    total, width = 0.0, 2 * reach / steps
    for step in range(steps):
        z = -reach + (step + 0.5) * width
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        alive = 0.5 * math.erfc(z / math.sqrt(2))
        # f(t) = density / (t·σ) and dt = t·σ dz.
        total += math.sqrt(density * alive * middle * math.exp(z * sigma) * sigma) * width
    return total * total / 2


def watched(seconds: float, cadence: Cadence, durations: Durations, rng: random.Random) -> tuple[int, float]:
    """How many looks one render took and how late the last was; *durations* learns what a watcher would."""
    age = last = 0.0
    looks = 0
    while age < seconds:
        outlook = durations.outlook() if durations.seen >= 3 else None
        last, age = age, age + cadence.delay(Situation(age=age, looks=looks, outlook=outlook), rng)
        looks += 1
    durations.add((last + age) / 2)
    return looks, age - seconds


def simulated(law: Law, seed: int) -> list[tuple[int, float, float]]:
    """Looks, lateness and duration of each render that counts."""
    rng, durations, cadence = random.Random(seed), Durations(), Learned()
    draw: Callable[[], float] = partial(rng.lognormvariate, math.log(law.median), law.sigma)
    for _ in range(TAUGHT):
        watched(draw(), cadence, durations, rng)
    counted = [draw() * law.factor for _ in range(COUNTED)]
    return [(*watched(seconds, cadence, durations, rng), seconds) for seconds in counted]


def product(looks: list[tuple[int, float, float]]) -> float:
    return mean(look[0] for look in looks) * mean(look[1] for look in looks)


def fixed_product(looks: list[tuple[int, float, float]]) -> float:
    """What a fixed interval of the same mean lateness costs for the same renders."""
    lateness = mean(look[1] for look in looks)
    rng, every = random.Random(0), Fixed(2 * lateness, 0.0)
    return product([(*watched(look[2], every, Durations(), rng), look[2]) for look in looks])


def measured(law: Law, seed: int) -> dict[str, float]:
    looks = simulated(law, seed)
    spent = {"looks": mean(look[0] for look in looks), "lateness s": mean(look[1] for look in looks)}
    least = floor(law.median * law.factor, law.sigma)
    return {
        **spent,
        "÷ floor": product(looks) / least,
        "÷ fixed": product(looks) / fixed_product(looks),
        "÷ fixed, first 50": product(looks[:50]) / fixed_product(looks[:50]),
        "÷ fixed, last 200": product(looks[-200:]) / fixed_product(looks[-200:]),
    }


def row(law: Law, runs: list[dict[str, float]]) -> report.Row:
    least = {"render times": law.name, "floor": floor(law.median * law.factor, law.sigma)}
    worst = {"worst seed ÷ floor": max(run["÷ floor"] for run in runs)}
    return least | {name: median(run[name] for run in runs) for name in runs[0]} | worst


def main(argv: list[str]) -> int:
    options = report.options("cadence", __doc__, runs=20).parse_args(argv)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        asked = {law: [pool.submit(measured, law, seed) for seed in range(options.runs)] for law in LAWS}
        rows = [row(law, [one.result() for one in runs]) for law, runs in asked.items()]
    about = report.machine() | {"seeds": str(options.runs)}
    report.show("cadence", rows, about=about, as_json=options.json)
    return 0
