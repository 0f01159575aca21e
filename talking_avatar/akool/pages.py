"""Reading every page of a list that never says how long it is."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["every_row"]

PAGE_SIZE = 100
# A list that never ends is a fault of the service, and each page costs a request.
MOST_PAGES = 1_000


async def every_row(page: Callable[[int, int], Awaitable[list[Any]]]) -> list[Any]:
    """Rows of all pages in order; stops at a page shorter than asked for, or one that brings nothing new."""
    found: dict[str, Any] = {}
    for number in range(1, MOST_PAGES + 1):
        rows = await page(number, PAGE_SIZE)
        known = len(found)
        # Ids repeat in these lists, so only a wholly equal row counts as seen.
        found.update((json.dumps(row, sort_keys=True, default=str), row) for row in rows)
        if len(rows) < PAGE_SIZE or len(found) == known:
            break
    return list(found.values())
