"""What a service says about its rate limit, in the header spellings seen in the wild."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from math import isfinite

import attrs

__all__ = ["NOTHING_SAID", "RateHint", "read_hint"]

# A clock that is wrong, here or there, must not park an account for hours.
LONGEST_WAIT = 300.0
LONGEST_WINDOW = 120.0
_EPOCH_SECONDS = 1e8
_EPOCH_MILLISECONDS = 1e11


@attrs.frozen
class RateHint:
    """*reset_in* and *retry_after* are seconds from now, clamped."""

    total: int | None = None
    left: int | None = None
    reset_in: float | None = None
    retry_after: float | None = None


NOTHING_SAID = RateHint()


def read_hint(headers: Mapping[str, str], now: float) -> RateHint:
    """Read ``X-Ratelimit-*`` and ``Retry-After`` at epoch time *now*; what cannot be read is left out."""
    total = headers.get("X-Ratelimit-Total")
    left = headers.get("X-Ratelimit-Left")
    reset = headers.get("X-Ratelimit-Reset")
    retry = headers.get("Retry-After")
    retry_ms = headers.get("Retry-After-Ms")
    if total is left is reset is retry is retry_ms is None:
        return NOTHING_SAID
    return RateHint(
        _count(total, 1),
        _count(left, 0),
        None if reset is None else _reset_in(reset, now),
        None if retry is retry_ms is None else _retry_after(retry, retry_ms, now),
    )


# The same few numbers come with every answer of a window.
@lru_cache(maxsize=256)
def _count(text: str | None, least: int) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number >= least else None


def _reset_in(text: str, now: float) -> float | None:
    # The vendor calls it a timestamp and gives no unit (guide/ratelimit).
    number = _from_now(_number(text), now)
    return None if number is None else min(max(number, 0.0), LONGEST_WINDOW)


def _retry_after(text: str | None, milliseconds: str | None, now: float) -> float | None:
    number = _number(milliseconds)
    if number is not None:
        number /= 1000
    elif text is not None:
        number = _number(text)
        number = _seconds_until(text, now) if number is None else _from_now(number, now)
    return None if number is None else min(max(number, 0.0), LONGEST_WAIT)


def _from_now(number: float | None, now: float) -> float | None:
    if number is None or number < _EPOCH_SECONDS:
        return number
    return (number / 1000 if number >= _EPOCH_MILLISECONDS else number) - now


def _seconds_until(date: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


@lru_cache(maxsize=256)
def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None
