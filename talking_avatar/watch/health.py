"""Whether something answers, and when to try again while it does not: pure."""

import random

import attrs

from talking_avatar.backoff import Backoff

__all__ = ["Health"]

BACKOFF = Backoff(initial=1.0, maximum=60.0)


@attrs.define
class Health:
    """Counts failures in a row; from the second on, everything but one probe waits."""

    backoff: Backoff = BACKOFF
    failures: int = 0
    failing_since: float = float("inf")
    retry_at: float = float("-inf")
    reason: str = ""
    error: BaseException | None = None

    @property
    def is_failing(self) -> bool:
        """Whether only probes may go out."""
        return self.failures >= 2

    def failed(self, error: BaseException, now: float, rng: random.Random) -> bool:
        """Take note of a failure; tells whether this one turned the health."""
        self.failures += 1
        self.error, self.reason = error, str(error)
        self.failing_since = min(self.failing_since, now)
        self.retry_at = now + max(self.backoff.wait(self.failures - 1, rng), getattr(error, "retry_after", None) or 0)
        return self.failures == 2

    def succeeded(self) -> bool:
        """Take note of an answer; tells whether it turned the health."""
        was_failing = self.is_failing
        self.failures, self.failing_since, self.retry_at = 0, float("inf"), float("-inf")
        self.error, self.reason = None, ""
        return was_failing
