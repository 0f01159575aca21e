"""Trying again, where another try cannot cost anything."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from talking_avatar.backoff import Backoff
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import ServerFault, Throttled, Unreachable

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
        """The first success, or the last error."""
        for tried in range(self.attempts - 1):
            try:
                return await attempt()
            except (Unreachable, ServerFault, Throttled) as error:
                if not is_safe_to_repeat(error, idempotent=idempotent):
                    raise
                wait = max(self.backoff.wait(tried, rng), getattr(error, "retry_after", None) or 0.0)
            await clock.sleep(wait)
        return await attempt()


def is_safe_to_repeat(error: BaseException, *, idempotent: bool) -> bool:
    """Whether sending again cannot pay twice: a create repeats only if it never left or was turned away for haste."""
    if idempotent:
        return isinstance(error, Unreachable | ServerFault | Throttled)
    return isinstance(error, Throttled) or (isinstance(error, Unreachable) and not error.sent)
