"""Scripted faults: for which requests which of them plays."""

import fnmatch
import random
from collections.abc import Iterator
from typing import Any

import attrs

from talking_avatar.sandbox.exchange import Exchange
from talking_avatar.sandbox.fault import Fault

__all__ = ["Fault", "FaultRule", "Faults"]


@attrs.define(kw_only=True, eq=False)
class FaultRule:
    """When a fault plays; every condition given must hold, and *path* may hold ``*``.

    *nth* starts with that matching request (the first is 1), *times* ends it after so many hits, and *probability*
    leaves each remaining one to chance.
    """

    fault: Fault
    service: str | None = None
    endpoint: str | None = None
    path: str | None = None
    method: str | None = None
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    seen: int = attrs.field(default=0, init=False)
    hits: int = attrs.field(default=0, init=False)

    def fires(self, exchange: Exchange, rng: random.Random) -> bool:
        """Whether it plays for this request; counts both ways."""
        if not self._matches(exchange):
            return False
        self.seen += 1
        spent = self.times is not None and self.hits >= self.times
        if spent or self.seen < self.nth or rng.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def _matches(self, exchange: Exchange) -> bool:
        path = exchange.request.path
        return (
            self.service in (None, exchange.service)
            and (self.method is None or self.method.upper() == exchange.request.method)
            and (self.path is None or fnmatch.fnmatchcase(path, self.path))
            and (self.endpoint is None or path.endswith(f"/{self.endpoint}"))
        )


@attrs.define(eq=False)
class Faults:
    """The rules in force; the first that fires is played."""

    seed: int = 0
    rules: list[FaultRule] = attrs.field(factory=list, kw_only=True)
    _rng: random.Random = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311 - a script must repeat

    def add(self, fault: Fault, **when: Any) -> FaultRule:
        """Play *fault* when the conditions of `FaultRule` hold, once unless *times* says otherwise (None: always)."""
        rule = FaultRule(fault=fault, **when)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Let everything go well again."""
        self.rules.clear()

    def pick(self, exchange: Exchange) -> Fault | None:
        """The fault to play for this request."""
        return next((rule.fault for rule in self.rules if rule.fires(exchange, self._rng)), None)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter(tuple(self.rules))
