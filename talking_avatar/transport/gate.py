"""Waiting in order for a place in a budget, without a task of its own."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

    @asynccontextmanager
    async def passing(self, purpose: Purpose) -> AsyncIterator[None]:
        """Wait for a place, and give it back when the block ends."""
        async with self.settling(await self.acquire(purpose)):
            yield

    @asynccontextmanager
    async def settling(self, permit: Permit) -> AsyncIterator[None]:
        """Give the place of *permit* back when the block ends."""
        refusal = None
        try:
            yield
        except Throttled as error:
            refusal = error
            raise
        finally:
            now = self.clock.monotonic()
            self.budget.settle(permit, now)
            if refusal is not None:
                self.budget.slow_down(now, refusal.retry_after)

    async def acquire(self, purpose: Purpose) -> Permit:
        """Wait for a place; whoever acquires must settle."""
        turn = self._turns.get()[purpose]
        permit = None if turn.locked() else self.try_acquire(purpose)
        if permit is not None:
            return permit
        is_create = purpose is Purpose.CREATE
        self.budget.creates_waiting += is_create
        try:
            async with turn:
                return await self._wait_for_place(purpose)
        finally:
            self.budget.creates_waiting -= is_create

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
