"""The moves of an entry as methods, for every journal that can make one."""

from abc import ABC, abstractmethod
from typing import Any

__all__ = ["Telling"]


class Telling(ABC):
    """Each method reports one fact; the protocol says what it means."""

    __slots__ = ()

    @abstractmethod
    async def _move(self, number: int, name: str, **facts: Any) -> None: ...

    async def sent(self, number: int) -> None:
        await self._move(number, "sent")

    async def unsent(self, number: int) -> None:
        await self._move(number, "unsent")

    async def accepted(self, number: int, job_id: str) -> None:
        await self._move(number, "accepted", job_id=job_id)

    async def unknown(self, number: int, why: str) -> None:
        await self._move(number, "unknown", why=why)

    async def adopted(self, number: int, job_id: str) -> None:
        await self._move(number, "adopted", job_id=job_id)

    async def withdrawn(self, number: int, why: str) -> None:
        await self._move(number, "withdrawn", why=why)

    async def resubmitted(self, number: int) -> None:
        await self._move(number, "resubmitted")

    async def abandoned(self, number: int, why: str | None = None) -> None:
        await self._move(number, "abandoned", why=why)

    async def finished(self, number: int, expires_at: float | None = None) -> None:
        await self._move(number, "finished", expires_at=expires_at)

    async def failed(self, number: int, why: str) -> None:
        await self._move(number, "failed", why=why)

    async def downloaded(self, number: int, path: str) -> None:
        await self._move(number, "downloaded", path=path)
