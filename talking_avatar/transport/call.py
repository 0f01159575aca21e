"""An exchange as a value: what to ask, what came back, and the port that carries one to the other."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Protocol, TypeVar

import attrs

__all__ = ["Answer", "Call", "FileAnswer", "FilePort", "Port"]

T = TypeVar("T")

SHORT = 30.0


@attrs.frozen(kw_only=True, eq=False)
class Call(Generic[T]):
    """One endpoint call: *parse* turns the payload inside the envelope into a value.

    *path* begins with a slash and is relative to the service. A call that is not *idempotent* costs money and is sent
    at most once. *timeout* is the longest silence in seconds. *payload* is the envelope's key that is parsed, None for
    the whole of it.
    """

    method: str
    path: str
    parse: Callable[[Any], T] = attrs.field(repr=False)
    query: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    idempotent: bool = True
    timeout: float = SHORT
    payload: str | None = "data"

    @property
    def name(self) -> str:
        """``GET /v1/v2v/video.get``."""
        return f"{self.method} {self.path}"

    def consequence(self, *, refused: bool) -> str:
        """What the failure of this call means for renders, *refused* by the service itself or left open."""
        if self.idempotent:
            return "What runs at the service goes on"
        if refused:
            return "Nothing was started"
        return "It may have been accepted and paid, so look at the service before you send it again"


@attrs.frozen
class Answer:
    """Whatever came back, of any status; *headers* are case-insensitive."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


class Port(Protocol):
    """Carries one call to one service."""

    async def exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        """Send *call* once; raises `Unreachable` whose *sent* says whether it may have arrived."""
        ...

    async def aclose(self) -> None:
        """Close what this port opened itself."""
        ...


@attrs.frozen
class FileAnswer:
    """An open file: its *chunks* arrive as they are read."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    chunks: AsyncIterator[bytes] = attrs.field(repr=False)


class FilePort(Protocol):
    """Opens files by URL, with no credential."""

    def open(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[FileAnswer]:
        """GET *url*; raises `Unreachable`, also while its chunks are read."""
        ...

    async def aclose(self) -> None:
        """Close what this port opened itself."""
        ...
