"""Reading every page of a list that never says how long it is."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol, TypeVar

__all__ = ["PAGE_SIZE", "every_page"]

PAGE_SIZE = 100
# A list that never ends is a fault of the service, and each page costs a request.
MOST_PAGES = 1_000


class Identified(Hashable, Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Identified)


async def every_page(page: Callable[[int], Awaitable[list[T]]]) -> list[T]:
    """Values of all pages in order; stops at a page shorter than `PAGE_SIZE`, or one that brings nothing new."""
    found: dict[T, None] = {}
    ids: set[str] = set()
    for number in range(1, MOST_PAGES + 1):
        values = await page(number)
        fresh = {value.id for value in values} - ids
        # Ids repeat in these lists under other names, so only a wholly equal value is left out.
        found.update(dict.fromkeys(values))
        ids |= fresh
        if not fresh or len(values) < PAGE_SIZE:
            break
    return list(found)
