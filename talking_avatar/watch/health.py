"""Whether a product's endpoints answer, and when to try again while they do not: pure."""

import random

import attrs

from talking_avatar.backoff import Backoff

__all__ = ["Health"]


@attrs.define
class Health:
    """Counts failures in a row; from the second on, everything but one probe waits."""

    backoff: Backoff = attrs.field(factory=lambda: Backoff(initial=1.0, maximum=60.0))
    failures: int = 0
    failing_since_wall: float | None = None
    retry_at: float = float("-inf")
    reason: str = ""
    error: BaseException | None = None

    @property
    def is_failing(self) -> bool:
        """Whether only probes may go out."""
        return self.failures >= 2

    def failed(self, error: BaseException, now: float, wall: float, rng: random.Random) -> bool:
        """Take note of a failure; tells whether this one turned the health."""
        self.failures += 1
        self.error, self.reason = error, str(error)
        if self.failing_since_wall is None:
            self.failing_since_wall = wall
        self.retry_at = now + max(self.backoff.wait(self.failures - 1, rng), getattr(error, "retry_after", None) or 0)
        return self.failures == 2

    def succeeded(self) -> bool:
        """Take note of an answer; tells whether it turned the health."""
        was_failing = self.is_failing
        self.failures, self.failing_since_wall, self.retry_at = 0, None, float("-inf")
        self.error, self.reason = None, ""
        return was_failing
