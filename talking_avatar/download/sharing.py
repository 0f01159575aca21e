"""Transfers that several callers may wait for."""

import asyncio
from pathlib import Path

import attrs

from talking_avatar.download.progress import Meter
from talking_avatar.download.transfer import Transfer
from talking_avatar.errors import Closed

__all__ = ["Shared", "Transfers"]


@attrs.define(eq=False)
class Transfers:
    """What one event loop has under way."""

    gate: asyncio.Semaphore
    transfers: "dict[str, Shared]" = attrs.field(factory=dict)

    def begin(self, transfer: Transfer) -> "Shared":
        name = _name(transfer.target)
        task = asyncio.create_task(transfer.run(), name=f"download {transfer.target.name}")
        shared = self.transfers[name] = Shared(task, transfer.meter)
        task.add_done_callback(lambda _: self._forget(name, shared))
        return shared

    async def under_way(self, target: Path) -> "Shared | None":
        while (shared := self.transfers.get(_name(target))) and shared.is_stopping:
            # Its last waiter has gone; joining would only inherit that end.
            await asyncio.wait({shared.task})
        return shared

    async def stop(self) -> None:
        tasks = [shared.task for shared in self.transfers.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget(self, name: str, shared: "Shared") -> None:
        if self.transfers.get(name) is shared:
            del self.transfers[name]
        if not shared.task.cancelled():
            # Read, or asyncio reports it as lost when every waiter has gone.
            shared.task.exception()


@attrs.define(eq=False)
class Shared:
    task: "asyncio.Task[Path]"
    meter: Meter
    _waiters: int = 0

    @property
    def is_stopping(self) -> bool:
        return self.task.cancelling() > 0 and not self.task.done()

    async def joined(self) -> Path:
        self._waiters += 1
        try:
            # Waiting beside the task, not in it: its own end by aclose must not look like this caller's cancellation.
            await asyncio.wait({self.task})
        finally:
            self._waiters -= 1
            if not self._waiters and not self.task.done():
                self.task.cancel()
                await asyncio.wait({self.task})
        if self.task.cancelled():
            raise Closed(
                "the download was stopped before its end; its part file is kept, and a new fetch goes on there"
            )
        return self.task.result()


def _name(target: Path) -> str:
    return str(target.absolute())
