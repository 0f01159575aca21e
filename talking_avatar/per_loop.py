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
            thing = self._things[loop] = self._factory()
            return thing
