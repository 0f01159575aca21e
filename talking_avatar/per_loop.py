"""One of a thing for each event loop, because asyncio's locks and sessions belong to the loop that first used them."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["PerLoop"]

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes its thing by *factory* when a loop first asks, and forgets it with the loop."""

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._things: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The running loop's own."""
        loop = asyncio.get_running_loop()
        try:
            return self._things[loop]
        except KeyError:
            self._forget_closed()
            thing = self._things[loop] = self._factory()
            return thing

    def _forget_closed(self) -> None:
        # A lock that was ever waited for holds its loop, so the weak key alone would keep both for good.
        for loop in [loop for loop in self._things if loop.is_closed()]:
            del self._things[loop]
