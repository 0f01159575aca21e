"""From a request to an accepted job: sent once, and what became of it always told."""

import asyncio
from typing import Any

from talking_avatar.backoff import Backoff
from talking_avatar.errors import ApiError, SubmissionUnknown, Throttled, Unreachable
from talking_avatar.models.product import JobResult, Product
from talking_avatar.transport.budget import Purpose
from talking_avatar.transport.gate import Gate
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["create_once"]

# A create that provably never left may go again, but somebody who mistyped an address should soon hear of it.
UNSENT_TRIES = 5
HASTE = Backoff(initial=1.0, maximum=30.0)


async def create_once(
    product: Product[Any, Any], gate: Gate, request: Any, scheduler: Scheduler, *, give_up_at: float
) -> JobResult:
    """Send the create of *request* until the service has accepted or refused it, at most once past the wire.

    Raises `ApiError` when it was refused, `Unreachable` when it never left, and `SubmissionUnknown` when it left and
    nobody can say what became of it.
    """
    unsent = hasty = 0
    while True:
        permit = await gate.acquire(Purpose.CREATE)
        try:
            async with gate.settling(permit):
                return await _shielded(product, request)
        except Throttled as error:
            hasty += 1
            wait = max(HASTE.wait(hasty, scheduler.rng), error.retry_after or 0)
            if scheduler.clock.monotonic() + wait >= give_up_at:
                raise
        except Unreachable as error:
            unsent += 1
            if error.sent:
                raise _unknown(product, request, error) from error
            if unsent >= UNSENT_TRIES:
                raise
            wait = HASTE.wait(unsent, scheduler.rng)
        except ApiError as error:
            if error.refused:
                raise
            raise _unknown(product, request, error) from error
        await scheduler.clock.sleep(wait)


async def _shielded(product: Product[Any, Any], request: Any) -> JobResult:
    # A caller who stops waiting must not tear the connection from under a create that may be accepted this instant.
    return await asyncio.shield(asyncio.ensure_future(product.create(request)))


def _unknown(product: Product[Any, Any], request: Any, error: Exception) -> SubmissionUnknown:
    return SubmissionUnknown(
        f"the create of a {type(request).__name__} left for {product.name}, and no readable answer came ({error}). "
        "It may have been accepted and paid, so it was not sent again. Look for it at the service before you resubmit",
        request=request,
    )
