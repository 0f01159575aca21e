"""When to look next: pure rules that weigh a request against the time a finished render waits unseen."""

import random
from math import ceil, sqrt
from typing import Protocol

import attrs

from talking_avatar.backoff import Backoff
from talking_avatar.watch.durations import Outlook

__all__ = ["Cadence", "Fixed", "Learned", "Situation", "as_cadence"]


@attrs.frozen(kw_only=True)
class Situation:
    """What is known when the next look is planned; times are seconds.

    *age* is how long the render has run, *running* how many of its product are watched, *listed* whether one request
    answers for all of them, *scouts* whether this one is looked at closely on behalf of the others, and *scale* the
    length of its audio where that is known.
    """

    age: float
    looks: int = 0
    running: int = 1
    listed: bool = False
    scout: bool = True
    progress: float | None = None
    outlook: Outlook | None = None
    scale: float = 1.0


class Cadence(Protocol):
    """Says how long to wait before the next look."""

    def delay(self, situation: Situation, rng: random.Random) -> float:
        """Seconds from now."""
        ...


@attrs.frozen
class Fixed:
    """Every *seconds*, give or take *jitter* of it so that programs started together do not stay in step."""

    seconds: float = attrs.field(validator=attrs.validators.gt(0))
    jitter: float = 0.1

    def delay(self, situation: Situation, rng: random.Random) -> float:  # noqa: ARG002 - the protocol's
        return _jittered(self.seconds, self.jitter, rng)


@attrs.frozen
class Growing:
    """A capped backoff: the longer a render has run, the rarer the looks."""

    backoff: Backoff

    def delay(self, situation: Situation, rng: random.Random) -> float:
        return self.backoff.wait(situation.looks, rng)


@attrs.frozen(kw_only=True)
class Learned:
    """Look at the earliest moment by which a finished render has, on average, waited its due share.

    Equal expected lateness per look, under the durations observed so far, comes within a few per cent of the least
    possible polls × lateness. About *looks* are spent on a render, fewer where many unlisted ones share the requests,
    more where the lateness would pass *worst* seconds. No wait is below *shortest* (*shortest_listed* where one request
    answers for all), and none above the longest of *stretch* times the lateness aimed at, *leap* of what is left to the
    median (renders may have become faster) and *share* of the age: a render that outlives all known ones by far is
    looked at ever more rarely. Before anything has been learned the interval grows with age, too.
    """

    shortest: float = 1.0
    shortest_listed: float = 5.2
    first: float = 3.0
    looks: float = 10.0
    fewest_looks: float = 1.0
    worst: float = 10.0
    stretch: float = 3.0
    leap: float = 0.5
    share: float = 0.02
    jitter: float = 0.05

    def delay(self, situation: Situation, rng: random.Random) -> float:
        if situation.progress is not None and 3 <= situation.progress < 100:
            wait = self._by_progress(situation)
        elif situation.outlook is not None:
            wait = self._by_outlook(situation, situation.outlook)
        else:
            wait = self._unlearned(situation, rng)
        return _jittered(wait, self.jitter, rng)

    def _unlearned(self, situation: Situation, rng: random.Random) -> float:
        interval = min(max(0.05 * situation.age, self.shortest_listed), 20.0)
        if situation.listed or situation.scout:
            return self.first if situation.looks == 0 else interval
        # The scouts will soon tell; whoever waits for them only makes sure that nothing is forgotten.
        if situation.looks:
            return interval * max(sqrt(situation.running) / 2, 1.0)
        # The first of a crowd are planned while it is still small.
        crowd = max(min(situation.running, 8), sqrt(situation.running))
        return interval * crowd * rng.uniform(0.75, 1.25)

    def _by_outlook(self, situation: Situation, outlook: Outlook) -> float:
        scale, age = situation.scale, situation.age / situation.scale
        median = outlook.median * scale
        aim = self._aim(situation, outlook)
        # Looks × lateness comes near the least product, so this lateness for each look adds up to *aim*.
        due = aim * aim / (outlook.least_product * scale)
        wait = outlook.lateness_reached_after(age, due / scale) * scale
        shortest = min(max(0.17 * median, self.shortest), self.shortest_listed) if situation.listed else self.shortest
        longest = max(self.stretch * aim, self.leap * (median - situation.age), self.share * situation.age)
        return max(min(wait, longest), shortest)

    def _aim(self, situation: Situation, outlook: Outlook) -> float:
        crowd = 1.0 if situation.listed else sqrt(situation.running)
        looks = max(self.looks / crowd, self.fewest_looks)
        return min(outlook.least_product * situation.scale / looks, self.worst)

    def _by_progress(self, situation: Situation) -> float:
        progress = situation.progress or 1.0
        remaining = situation.age * (100 - progress) / progress
        return min(max(0.6 * remaining, self.shortest_listed), 60.0)


def as_cadence(choice: "Cadence | Backoff | float | None") -> Cadence:
    """A cadence of what a caller may pass: itself, a `Backoff`, or plain seconds."""
    if choice is None:
        return Learned()
    if isinstance(choice, Backoff):
        return Growing(choice)
    return Fixed(float(choice)) if isinstance(choice, int | float) else choice


def scouts_among(running: int) -> int:
    """How many of *running* unlisted renders are looked at closely until their product has been learned."""
    return max(1, min(4, ceil(running / 8)))


def _jittered(wait: float, jitter: float, rng: random.Random) -> float:
    return wait * (1 + jitter * (2 * rng.random() - 1))
