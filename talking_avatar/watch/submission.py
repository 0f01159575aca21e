"""From a request to an accepted job: sent once, and what became of it always told."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from talking_avatar.backoff import Backoff
from talking_avatar.errors import ApiError, Closed, ConfigurationError, SubmissionUnknown, Throttled, Unreachable
from talking_avatar.models.product import JobResult
from talking_avatar.transport.budget import Permit, Purpose
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler

__all__ = ["UNNOTED", "Notes", "submit_once"]

# A create that provably never left may go again, but somebody who mistyped an address should soon hear of it.
UNSENT_TRIES = 5
HASTE = Backoff(initial=1.0, maximum=30.0)
_NEVER_LEFT = (Throttled, Unreachable, Closed, ConfigurationError)


class Notes(Protocol):
    """Told of every step of a create, before or right after it happens."""

    async def leaving(self) -> None:
        """The create is about to be sent."""
        ...

    async def never_left(self) -> None:
        """It was not sent, or turned away for haste: it may be sent again."""
        ...

    async def refused(self, error: ApiError) -> None:
        """The service will not render this."""
        ...

    async def lost(self, error: Exception) -> None:
        """It left, and nobody knows what became of it."""
        ...

    async def accepted(self, answer: JobResult) -> None:
        """The service has it, under this id."""
        ...


class _Unnoted:
    async def leaving(self) -> None: ...
    async def never_left(self) -> None: ...
    async def refused(self, error: ApiError) -> None: ...
    async def lost(self, error: Exception) -> None: ...
    async def accepted(self, answer: JobResult) -> None: ...


UNNOTED: Notes = _Unnoted()

Watch = Callable[[JobResult], Job[Any]]


async def submit_once(
    family: Family, request: Any, scheduler: Scheduler, *, notes: Notes, watch: Watch, give_up_at: float
) -> Job[Any]:
    """Send the create of *request* until the service has accepted or refused it, at most once past the wire.

    Raises `ApiError` when it was refused, `Unreachable` when it never left, and `SubmissionUnknown` when it left and
    nobody can say what became of it. Cancelling it lets a create that has left land first; run it in a task of its own.
    """
    unsent = hasty = 0
    while True:
        permit = await family.gate.acquire(Purpose.CREATE)
        try:
            return await _landed(_attempt(family, request, permit, notes, watch))
        except Throttled as error:
            hasty += 1
            wait = max(HASTE.wait(hasty, scheduler.rng), error.retry_after or 0)
            if scheduler.clock.monotonic() + wait >= give_up_at:
                raise
        except Unreachable as error:
            unsent += 1
            if unsent >= UNSENT_TRIES:
                raise
            wait = max(HASTE.wait(unsent, scheduler.rng), getattr(error, "retry_after", None) or 0)
        await scheduler.clock.sleep(wait)


async def _landed(attempt: Coroutine[Any, Any, Job[Any]]) -> Job[Any]:
    """The outcome of *attempt*, which no cancellation tears from the wire."""
    task = asyncio.ensure_future(attempt)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as cancelled:
        # The connection of a create that may be accepted this instant stays, and its id is noted and watched.
        await asyncio.wait({task})
        if task.cancelled() or isinstance(task.exception(), Throttled | Unreachable):
            raise cancelled from None
        return task.result()


async def _attempt(family: Family, request: Any, permit: Permit, notes: Notes, watch: Watch) -> Job[Any]:
    async with family.gate.settling(permit):
        await notes.leaving()
        try:
            answer = await family.product.create(request)
        except _NEVER_LEFT as error:
            if getattr(error, "sent", False):
                raise await _lost(family, request, error, notes) from error
            await notes.never_left()
            raise
        except ApiError as error:
            if not error.refused:
                raise await _lost(family, request, error, notes) from error
            await notes.refused(error)
            raise
        except Exception as error:
            # A service of somebody else's may raise anything, and anything may have happened.
            raise await _lost(family, request, error, notes) from error
        await notes.accepted(answer)
        return watch(answer)


async def _lost(family: Family, request: Any, error: Exception, notes: Notes) -> SubmissionUnknown:
    await notes.lost(error)
    return SubmissionUnknown(
        f"the create of a {type(request).__name__} left for {family.product.name}, and no readable answer came "
        f"({error}). It may have been accepted and paid, so it was not sent again",
        request=request,
    )
