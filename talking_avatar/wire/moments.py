"""Times as the services write them: epoch milliseconds in fields, epoch seconds in signed links."""

import re
from datetime import UTC, datetime

__all__ = ["from_milliseconds", "link_expiry"]

_EXPIRES = re.compile(r"[?&]Expires=(\d{9,11})(?:&|$)")


def from_milliseconds(value: float | None) -> datetime | None:
    """A moment from epoch milliseconds, None where it makes no sense."""
    try:
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def link_expiry(url: str | None) -> datetime | None:
    """When a signed link stops working, by its ``Expires`` query."""
    match = _EXPIRES.search(url) if url else None
    return None if match is None else from_milliseconds(int(match[1]) * 1000)
