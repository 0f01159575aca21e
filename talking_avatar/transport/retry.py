"""Trying again, where another try cannot cost anything."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import ServerFault, TalkingAvatarError, Throttled, Unreachable

__all__ = ["Retry", "is_safe_to_repeat"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Retry:
    """At most *attempts* tries of one call, *backoff* apart or as long as the service asks."""

    attempts: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    backoff: Backoff = attrs.field(factory=lambda: Backoff(initial=0.5, maximum=20.0))

    async def run(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        idempotent: bool,
        clock: Clock = SYSTEM_CLOCK,
        rng: random.Random,
    ) -> T:
        """The first success of *attempt*, or its last error."""
        tried = 0
        while True:
            try:
                return await attempt()
            except TalkingAvatarError as error:
                tried += 1
                wait = self.wait_after(error, tried, idempotent=idempotent, rng=rng)
                if wait is None:
                    raise
            await clock.sleep(wait)

    def wait_after(self, error: Exception, tried: int, *, idempotent: bool, rng: random.Random) -> float | None:
        """Seconds to wait before the next try, of which *tried* have failed; None when *error* is the last word."""
        if tried >= self.attempts or not is_safe_to_repeat(error, idempotent=idempotent):
            return None
        return max(self.backoff.wait(tried - 1, rng), getattr(error, "retry_after", None) or 0.0)


def is_safe_to_repeat(error: BaseException, *, idempotent: bool) -> bool:
    """Whether sending again cannot pay twice: a create repeats only if it never left or was turned away for haste."""
    if idempotent:
        return isinstance(error, Unreachable | ServerFault | Throttled)
    return isinstance(error, Throttled) or (isinstance(error, Unreachable) and not error.sent)
