"""Submissions that several callers may wait for."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

import attrs

from talking_avatar.errors import Closed, JournalConflict
from talking_avatar.watch.job import Job

__all__ = ["Sharing", "conflict"]

Work = Callable[[], Coroutine[Any, Any, Job[Any]]]


@attrs.define(eq=False)
class _UnderWay:
    request: Any
    task: "asyncio.Task[Job[Any]]"
    waiters: int = 0
    unwanted: bool = False


class Sharing:
    """Runs each submission in a task of its own, once for all who ask for it.

    A caller who is cancelled leaves the others alone. When the last has gone the task is cancelled, and decides for
    itself what of it can still be called off.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _UnderWay] = {}

    async def join(self, name: Hashable, request: Any, work: Work) -> Job[Any]:
        """The outcome of *work*, or of what is under way by that *name* for the same *request*."""
        while (going := self._under_way.get(name)) is not None and going.unwanted:
            await asyncio.wait({going.task})
        if going is None:
            going = self._begin(name, request, work)
        elif going.request != request:
            raise conflict(name)
        return await self._waited(going)

    async def aclose(self) -> None:
        """Call off what has not left, and wait for the answers to what has."""
        while going := list(self._under_way.values()):
            for one in going:
                one.unwanted = True
                one.task.cancel()
            await asyncio.wait([one.task for one in going])

    async def _waited(self, going: _UnderWay) -> Job[Any]:
        going.waiters += 1
        try:
            # Beside the task and not in it: its own end by aclose must not look like this caller's cancellation.
            await asyncio.wait({going.task})
        finally:
            going.waiters -= 1
            if not going.waiters and not going.task.done():
                going.unwanted = True
                going.task.cancel()
        if going.task.cancelled():
            raise Closed("the watcher was closed before this was submitted; nothing was sent")
        return going.task.result()

    def _begin(self, name: Hashable, request: Any, work: Work) -> _UnderWay:
        task = asyncio.get_running_loop().create_task(work(), name="submission")
        going = self._under_way[name] = _UnderWay(request, task)
        task.add_done_callback(lambda task: self._ended(name, task))
        return going

    def _ended(self, name: Hashable, task: "asyncio.Task[Job[Any]]") -> None:
        del self._under_way[name]
        if not task.cancelled():
            # Read, or asyncio reports it as lost when every waiter has gone.
            task.exception()


def conflict(name: Hashable) -> JournalConflict:
    """The error for a second request under the key that *name* ends with."""
    key = name[-1] if isinstance(name, tuple) else ""
    return JournalConflict(
        f"the key {key!r} already stands for a different request; nothing was sent. Use another key, or the same "
        "request",
        key=key,
    )
