"""How often a download is tried; no I/O."""

import random

import attrs

from talking_avatar.backoff import Backoff

__all__ = ["Patience"]

# A line that drops now and then still gets a large file through, while a host that hands out crumbs does not hold on
# to us for ever.
PROGRESS = 16 * 1024


@attrs.define(eq=False)
class Patience:
    """Counts the tries in a row that brought nothing further."""

    attempts: int
    _backoff: Backoff
    _rng: random.Random
    _failures: int = 0
    _furthest: int = 0

    def reached(self, size: int) -> bool:
        """Whether *size* bytes are further than ever before, which earns new patience."""
        further = size >= self._furthest + PROGRESS
        if further:
            self._failures, self._furthest = 0, size
        return further

    def after_failure(self, *, at_least: float) -> float | None:
        """Seconds to wait before the next try, or None when this was the last."""
        self._failures += 1
        if self._failures >= self.attempts:
            return None
        return max(at_least, self._backoff.wait(self._failures - 1, self._rng))
