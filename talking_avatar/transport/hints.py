"""What a service says about its rate limit, in the header spellings seen in the wild."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

import attrs

__all__ = ["RateHint", "read_hint"]

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
    retry = headers.get("Retry-After")
    retry_ms = headers.get("Retry-After-Ms")
    if total is None and retry is None and retry_ms is None and "X-Ratelimit-Left" not in headers:
        return NOTHING_SAID
    return RateHint(
        total=_count(total, least=1),
        left=_count(headers.get("X-Ratelimit-Left"), least=0),
        reset_in=_reset_in(headers.get("X-Ratelimit-Reset"), now),
        retry_after=_retry_after(retry, retry_ms, now),
    )


def _count(text: str | None, *, least: int) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number >= least else None


def _reset_in(text: str | None, now: float) -> float | None:
    # The vendor calls it a timestamp and gives no unit (guide/ratelimit).
    number = _number(text)
    if number is None:
        return None
    if number >= _EPOCH_MILLISECONDS:
        number = number / 1000 - now
    elif number >= _EPOCH_SECONDS:
        number -= now
    return min(max(number, 0.0), LONGEST_WINDOW)


def _retry_after(text: str | None, milliseconds: str | None, now: float) -> float | None:
    number = _number(milliseconds)
    if number is not None:
        number /= 1000
    elif text is not None:
        number = _number(text)
        if number is None:
            number = _seconds_until(text, now)
        elif number >= _EPOCH_SECONDS:
            number -= now
    return None if number is None else min(max(number, 0.0), LONGEST_WAIT)


def _seconds_until(date: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None
