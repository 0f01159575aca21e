"""Waiting in order for a place in a budget, without a task of its own."""

import asyncio
import hashlib
from weakref import WeakValueDictionary

import attrs

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import Throttled
from talking_avatar.per_loop import PerLoop
from talking_avatar.transport.budget import Budget, Permit, Purpose
from talking_avatar.transport.hints import RateHint

__all__ = ["Gate", "shared_gate"]

LONGEST_DOZE = 60.0
# Every place is in flight: the next one comes with an answer, not with time.
IN_FLIGHT_DOZE = 0.05


@attrs.define(eq=False)
class Gate:
    """Hands out the places of one account's budget, creates and reads each in the order they came."""

    budget: Budget
    clock: Clock = SYSTEM_CLOCK
    _turns: PerLoop[dict[Purpose, asyncio.Lock]] = attrs.field(
        factory=lambda: PerLoop(lambda: {purpose: asyncio.Lock() for purpose in Purpose}), repr=False
    )
    _reads_waiting: int = 0

    def passing(self, purpose: Purpose) -> "_Passing":
        """Wait for a place, and give it back when the block ends."""
        return _Passing(self, purpose)

    def settling(self, permit: Permit) -> "_Settling":
        """Give the place of *permit* back when the block ends."""
        return _Settling(self, permit)

    async def acquire(self, purpose: Purpose) -> Permit:
        """Wait for a place; whoever acquires must settle."""
        return self.at_once(purpose) or await self._wait_in_line(purpose)

    def at_once(self, purpose: Purpose) -> Permit | None:
        """A place, if there is one now and nobody waits for it."""
        # Not whether the lock is held: between two holders it is free, and a newcomer would slip in.
        waiting = self.budget.creates_waiting if purpose is Purpose.CREATE else self._reads_waiting
        return None if waiting else self.try_acquire(purpose)

    async def _wait_in_line(self, purpose: Purpose) -> Permit:
        is_create = purpose is Purpose.CREATE
        self.budget.creates_waiting += is_create
        self._reads_waiting += not is_create
        try:
            async with self._turns.get()[purpose]:
                return await self._wait_for_place(purpose)
        finally:
            self.budget.creates_waiting -= is_create
            self._reads_waiting -= not is_create

    def settle(self, permit: Permit, outcome: BaseException | None = None) -> None:
        """Give the place of *permit* back; *outcome* is how its request failed."""
        now = self.clock.monotonic()
        self.budget.settle(permit, now)
        if isinstance(outcome, Throttled):
            self.budget.slow_down(now, outcome.retry_after)

    def try_acquire(self, purpose: Purpose) -> Permit | None:
        """A place, if there is one now."""
        return self.budget.try_acquire(self.clock.monotonic(), purpose)

    def observe(self, hint: RateHint) -> None:
        """Take in what an answer said of the limit."""
        self.budget.correct(self.clock.monotonic(), hint)

    def ready_in(self, purpose: Purpose) -> float:
        """Seconds until a place may be free, as far as is known."""
        now = self.clock.monotonic()
        wait = self.budget.ready_at(now, purpose) - now
        return IN_FLIGHT_DOZE if wait == float("inf") else max(wait, 0.0)

    async def _wait_for_place(self, purpose: Purpose) -> Permit:
        while True:
            permit = self.try_acquire(purpose)
            if permit is not None:
                return permit
            await self.clock.sleep(min(self.ready_in(purpose), LONGEST_DOZE))


@attrs.define(eq=False)
class _Settling:
    _gate: Gate
    _permit: Permit

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._gate.settle(self._permit, error)


@attrs.define(eq=False)
class _Passing:
    _gate: Gate
    _purpose: Purpose
    _permit: Permit | None = None

    async def __aenter__(self) -> None:
        self._permit = await self._gate.acquire(self._purpose)

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._permit is not None:
            self._gate.settle(self._permit, error)


_gates: "WeakValueDictionary[tuple[str, str, str, int], Gate]" = WeakValueDictionary()


def shared_gate(service: str, base_url: str, credential: str, clock: Clock, limit: int | None) -> Gate:
    """The one gate of a credential in this process, however many clients use it."""
    # Only a digest is kept: the registry outlives the client that named the secret.
    digest = hashlib.sha256(credential.encode()).hexdigest()
    key = (service, base_url, digest, id(clock))
    gate = _gates.get(key)
    if gate is None:
        gate = _gates[key] = Gate(Budget(limit=limit), clock)
    return gate
