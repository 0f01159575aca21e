"""What the sandbox has seen: a bounded log of requests."""

from collections import deque
from collections.abc import Iterator

import attrs

__all__ = ["RequestLog", "RequestSeen"]


@attrs.frozen(kw_only=True)
class RequestSeen:
    """One request; *status* is 0 where the caller got no answer, *at* is in seconds since the epoch."""

    method: str
    path: str
    service: str
    status: int
    at: float
    seconds: float
    fault: str | None = None

    @property
    def endpoint(self) -> str:
        """The last part of the path: ``video.list``, ``create``."""
        return self.path.rstrip("/").rpartition("/")[2]


@attrs.define
class RequestLog:
    """The last requests, oldest first; *total* goes on counting when old ones are dropped."""

    keep: int = 20_000
    total: int = attrs.field(default=0, init=False)
    _seen: deque[RequestSeen] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._seen = deque(maxlen=self.keep)

    def add(self, seen: RequestSeen) -> None:
        """Remember one request."""
        self.total += 1
        self._seen.append(seen)

    def clear(self) -> None:
        """Forget them, to count from here."""
        self.total = 0
        self._seen.clear()

    def matching(
        self, *, service: str | None = None, endpoint: str | None = None, method: str | None = None
    ) -> list[RequestSeen]:
        """Those of one service, endpoint or method."""
        wanted = {"service": service, "endpoint": endpoint, "method": method}
        asked = {name: value for name, value in wanted.items() if value is not None}
        return [seen for seen in self._seen if all(getattr(seen, name) == value for name, value in asked.items())]

    def __iter__(self) -> Iterator[RequestSeen]:
        return iter(tuple(self._seen))

    def __len__(self) -> int:
        return len(self._seen)

    def __getitem__(self, index: int) -> RequestSeen:
        return self._seen[index]
