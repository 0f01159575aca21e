"""How many requests an account may still send: a pure sliding window that listens to what the service says.

A request counts from the moment it leaves until one window after its answer arrived. The service saw it somewhere in
between, so however the network delays either, no window at the service ever holds more than the limit.
"""

from collections import deque
from enum import Enum

import attrs

from talking_avatar.transport.hints import RateHint

__all__ = ["Budget", "Permit", "Purpose"]


NEVER = float("-inf")


class Purpose(Enum):
    """What a request is for; creates go first, and reads get a small share while creates wait."""

    CREATE = "create"
    READ = "read"


@attrs.define(eq=False)
class Permit:
    """One request that was allowed to leave."""

    settled: bool = False


@attrs.define(kw_only=True)
class Budget:
    """The requests of one account.

    *limit* per *window* seconds is where it starts (None: no limit is known); headers correct it, a refusal halves it
    and quiet time restores it. While creates wait, reads stand back, yet after *creates_per_read* creates the next
    place is kept for a read that has asked.
    """

    limit: int | None = 30
    window: float = 60.0
    creates_per_read: int = 30
    creates_waiting: int = 0
    _allowed: float = attrs.field(init=False)
    _in_flight: int = 0
    _leaving: deque[float] = attrs.field(factory=deque)
    _blocked_until: float = NEVER
    _left: int | None = None
    _left_until: float = NEVER
    _creates_since_read: int = 0
    _read_turned_away: float = NEVER
    _last_recovery: float = NEVER
    granted: int = 0
    refused: int = 0

    def __attrs_post_init__(self) -> None:
        self._allowed = float("inf") if self.limit is None else float(self.limit)

    @property
    def allowed(self) -> float:
        """Requests per window it keeps to at present."""
        return self._allowed

    def ready_at(self, now: float, purpose: Purpose) -> float:
        """When a request may leave: *now* or earlier means at once, infinity means after somebody else's answer."""
        self._forget(now)
        if purpose is Purpose.CREATE:
            return self._next_place(now, kept=self._read_is_owed(now))
        at = self._next_place(now)
        if self.creates_waiting and self._creates_since_read < self.creates_per_read:
            # A create is about to take the next place; look again when one could be free.
            at = max(at, now + self._pace())
        if at > now:
            self._read_turned_away = now
        return at

    def try_acquire(self, now: float, purpose: Purpose) -> Permit | None:
        """A permit, if one is to be had at *now*."""
        if self.ready_at(now, purpose) > now:
            return None
        self._in_flight += 1
        self.granted += 1
        if purpose is Purpose.CREATE:
            self._creates_since_read += 1
        else:
            # Creates that went while this read's place was kept count towards the next one.
            self._creates_since_read = min(
                max(self._creates_since_read - self.creates_per_read, 0), self.creates_per_read
            )
            self._read_turned_away = NEVER
        if self._left is not None:
            self._left -= 1
        return Permit()

    def settle(self, permit: Permit, now: float) -> None:
        """The request of *permit* has ended; it counts for one window more."""
        if permit.settled:
            return
        permit.settled = True
        self._in_flight -= 1
        self._leaving.append(now + self.window)

    def correct(self, now: float, hint: RateHint) -> None:
        """Take the service's word for its limit; while the request that brought *hint* holds its permit."""
        if hint.total is not None and hint.total != self.limit:
            restricted = self.limit is not None and self._allowed < self.limit
            self.limit = hint.total
            self._allowed = min(self._allowed, hint.total) if restricted else float(hint.total)
        if hint.left is not None and hint.reset_in is not None:
            # Other requests in flight may or may not be counted in what is left; the cautious reading holds.
            self._left = max(hint.left - max(self._in_flight - 1, 0), 0)
            self._left_until = now + hint.reset_in

    def slow_down(self, now: float, retry_after: float | None = None) -> None:
        """The service refused for haste: halve the rate and wait as long as it asks."""
        self.refused += 1
        # The bunch of refusals that one overrun causes is one signal, not many.
        if now >= self._blocked_until:
            seen = self._in_flight + len(self._leaving)
            self._allowed = max(1.0, min(self._allowed, float(seen)) / 2)
        wait = self.window / 6 if retry_after is None else retry_after
        self._blocked_until = max(self._blocked_until, now + wait)
        self._last_recovery = self._blocked_until

    def _read_is_owed(self, now: float) -> bool:
        # Whoever was turned away and has not asked again for a window has gone; creates need not wait for it.
        is_turn = self._creates_since_read >= self.creates_per_read
        return is_turn and now - self._read_turned_away < self.window

    def _next_place(self, now: float, *, kept: bool = False) -> float:
        at = max(now, self._blocked_until)
        if self._left is not None and self._left <= kept:
            at = max(at, self._left_until)
        used = self._in_flight + len(self._leaving) + kept
        if used < self._allowed:
            return at
        over = used - int(self._allowed)
        return max(at, self._leaving[over]) if over < len(self._leaving) else float("inf")

    def _pace(self) -> float:
        """The mean distance of two requests."""
        return self.window / self._allowed

    def _forget(self, now: float) -> None:
        while self._leaving and self._leaving[0] <= now:
            self._leaving.popleft()
        if self._left is not None and now >= self._left_until:
            self._left = None
        if self._last_recovery != NEVER:
            self._recover(now)

    def _recover(self, now: float) -> None:
        ceiling = float("inf") if self.limit is None else float(self.limit)
        if self._allowed >= ceiling:
            self._last_recovery = NEVER
            return
        # A quarter of the limit comes back with every quiet window, a slice at a time.
        windows = (now - self._last_recovery) / self.window
        if windows > 0:
            step = (self.limit or max(4.0, self._allowed)) / 4
            self._allowed = min(ceiling, self._allowed + windows * step)
            self._last_recovery = now
