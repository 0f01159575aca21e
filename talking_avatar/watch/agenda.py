"""What is due when: a pure heap in which every key stands once."""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Agenda"]

K = TypeVar("K", bound=Hashable)

# Below this the outdated entries weigh less than the walk that removes them.
COMPACT_ABOVE = 64


class Agenda(Generic[K]):
    """Keys with the time each is due; scheduling a key again moves it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._ticket_of: dict[K, int] = {}
        self._tickets = count()

    def schedule(self, key: K, at: float) -> None:
        """Make *key* due *at*, instead of whenever it was."""
        ticket = self._ticket_of[key] = next(self._tickets)
        heappush(self._heap, (at, ticket, key))
        self._perhaps_compact()

    def discard(self, key: K) -> None:
        """Forget *key*, if it is known."""
        if self._ticket_of.pop(key, None) is not None:
            # What is forgotten must not be kept alive until its time has come.
            self._perhaps_compact()

    def due(self, now: float) -> list[K]:
        """Take out what is due at *now*, earliest first."""
        taken: list[K] = []
        while self._heap and self._heap[0][0] <= now:
            _, ticket, key = heappop(self._heap)
            if self._ticket_of.get(key) == ticket:
                del self._ticket_of[key]
                taken.append(key)
        if taken:
            self._perhaps_compact()
        return taken

    def next_at(self) -> float | None:
        """When something is next due, None for never."""
        while self._heap and self._ticket_of.get(self._heap[0][2]) != self._heap[0][1]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._ticket_of)

    def __contains__(self, key: K) -> bool:
        return key in self._ticket_of

    def _perhaps_compact(self) -> None:
        if len(self._heap) > COMPACT_ABOVE and len(self._heap) > 2 * len(self._ticket_of):
            self._heap = [entry for entry in self._heap if self._ticket_of.get(entry[2]) == entry[1]]
            heapify(self._heap)
