"""How long to wait before the next try: capped exponential growth with full jitter."""

import random
from collections.abc import Iterator

import attrs

__all__ = ["Backoff"]


@attrs.frozen(kw_only=True)
class Backoff:
    """Waits that grow by *factor* from *initial* to *maximum* seconds.

    *jitter* is the share of each wait that is random: 1.0 draws from the whole range (full jitter), 0.0 is exact.
    """

    initial: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    maximum: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    factor: float = attrs.field(default=2.0, validator=attrs.validators.ge(1))
    jitter: float = attrs.field(default=1.0, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    def ceiling(self, attempt: int) -> float:
        """The longest wait after *attempt* tries, of which the first is 0."""
        try:
            return float(min(self.maximum, self.initial * float(self.factor) ** attempt))
        except OverflowError:
            return float(self.maximum)

    def wait(self, attempt: int, rng: random.Random) -> float:
        """A wait for *attempt*, at least one per cent of its ceiling so that it never spins."""
        ceiling = self.ceiling(attempt)
        return max(ceiling * (1.0 - self.jitter * rng.random()), ceiling * 0.01)

    def waits(self, rng: random.Random) -> Iterator[float]:
        """Every wait in turn, without end."""
        attempt = 0
        while True:
            yield self.wait(attempt, rng)
            attempt += 1
