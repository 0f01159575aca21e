"""Real rendering: accepted jobs wait in line for a few hands, so a thousand of them cost no thousand tasks."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

import attrs

from talking_avatar.clock import Clock
from talking_avatar.sandbox.engine import Failure, Work
from talking_avatar.sandbox.fetch import FetchFailed
from talking_avatar.sandbox.ledger import Job
from talking_avatar.sandbox.rendering.contract import BadInput, InputFault
from talking_avatar.sandbox.storage import Shelf

__all__ = ["Order", "Workshop", "failure_of"]

_log = logging.getLogger(__name__)

Order = Callable[[], Awaitable[Mapping[str, bytes]]]
"""What makes a job's files: their contents by the ending that follows the job's id."""

# The nearest of Akool's published codes; the documents do not say which of them an input earns.
_CODES: dict[InputFault, int] = {
    "not_an_image": 1108,
    "not_audio": 1110,
    "audio_too_long": 1202,
    "no_face": 1007,
    "face_too_small": 1007,
    "unknown_name": 1014,
}


def failure_of(error: Exception) -> Failure:
    """What a job says of the *error* that ended it."""
    if isinstance(error, BadInput):
        return Failure(code=_CODES.get(error.fault, 1201), reason=str(error) or error.fault)
    if isinstance(error, FetchFailed):
        return Failure(code=1014, reason=str(error))
    return Failure(code=1201, reason="internal error of the renderer")


@attrs.define(kw_only=True, eq=False)
class Workshop:
    """Works through the orders with as many *hands* as there are renderers."""

    clock: Clock
    shelf: Shelf
    hands: int = 2
    _orders: asyncio.Queue[tuple[Job, Order, Callable[[Job], None]]] = attrs.field(
        factory=asyncio.Queue, init=False, repr=False
    )
    _tasks: list[asyncio.Task[None]] = attrs.field(factory=list, init=False, repr=False)

    def accept(self, job: Job, order: Order, *, on_settled: Callable[[Job], None]) -> None:
        """Put a job in line; *on_settled* hears when it is done or has failed."""
        job.work = Work()
        self._orders.put_nowait((job, order, on_settled))
        if len(self._tasks) < self.hands:
            self._tasks.append(asyncio.get_running_loop().create_task(self._work()))

    async def idle(self) -> None:
        """Return once every order has been worked on."""
        await self._orders.join()

    async def close(self) -> None:
        """Lay down the tools; jobs under way stay as they are."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    async def _work(self) -> None:
        while True:
            job, order, on_settled = await self._orders.get()
            with self.clock.busy():
                await self._fulfil(job, order)
            on_settled(job)
            self._orders.task_done()

    async def _fulfil(self, job: Job, order: Order) -> None:
        started = self.clock.time()
        job.work = Work(started=started)
        try:
            for ending, content in (await order()).items():
                await self.shelf.put(f"{job.id}{ending}", content)
        except Exception as error:  # noqa: BLE001 - one bad job must not stop the others
            if not isinstance(error, (BadInput, FetchFailed)):
                _log.exception("job %s failed", job.id)
            job.fail(self.clock.time(), failure_of(error))
        else:
            job.work = Work(started=started, ended=self.clock.time())
