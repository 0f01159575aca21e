"""Who has asked how often: a pure limiter that is told the time."""

import math

import attrs

__all__ = ["FixedWindow", "Verdict"]


@attrs.frozen(kw_only=True)
class Verdict:
    """What the limiter says of one request; *reset* is when the window ends, in seconds since the epoch."""

    allowed: bool
    total: int
    left: int
    reset: float

    def headers(self) -> dict[str, str]:
        """Surreal's three headers (guide/ratelimit); none when there is no limit."""
        if not self.total:
            return {}
        return {
            "X-Ratelimit-Total": str(self.total),
            "X-Ratelimit-Left": str(self.left),
            "X-Ratelimit-Reset": str(math.ceil(self.reset)),
        }


@attrs.define
class FixedWindow:
    """At most *limit* requests in each window of *seconds*, which opens with its first request; 0 is no limit."""

    limit: int = attrs.field(default=30, validator=attrs.validators.ge(0))
    seconds: float = attrs.field(default=60.0, kw_only=True, validator=attrs.validators.gt(0))
    _opened: float = attrs.field(default=-math.inf, init=False)
    _taken: int = attrs.field(default=0, init=False)

    def take(self, now: float) -> Verdict:
        """Count one request at *now*; a refused one is not counted."""
        # A clock that was set back would otherwise leave the window open for as long as it went back.
        if not 0 <= now - self._opened < self.seconds:
            self._opened, self._taken = now, 0
        allowed = not self.limit or self._taken < self.limit
        self._taken += allowed
        left = max(0, self.limit - self._taken)
        return Verdict(allowed=allowed, total=self.limit, left=left, reset=self._opened + self.seconds)
