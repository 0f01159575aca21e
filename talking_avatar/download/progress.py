"""How far a download is, told often enough to watch and no more."""

import logging
import math
from collections.abc import Callable

import attrs

from talking_avatar.clock import Clock

__all__ = ["Listener", "Meter", "Progress"]

INTERVAL = 0.25
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Progress:
    """Bytes that are here; *total* is None where the host does not say."""

    received: int
    total: int | None = None


Listener = Callable[[Progress], None]


@attrs.define(eq=False)
class Meter:
    """Tells its listeners, at most every quarter of a second and once at the end."""

    _clock: Clock
    _listeners: list[Listener] = attrs.field(factory=list)
    _due: float = -math.inf

    def add(self, listener: Listener | None) -> None:
        if listener is not None:
            self._listeners.append(listener)

    def at(self, received: int, total: int | None) -> None:
        if self._listeners and self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + INTERVAL
            self._tell(Progress(received=received, total=total))

    def end(self, received: int) -> None:
        self._tell(Progress(received=received, total=received))

    def _tell(self, progress: Progress) -> None:
        for listener in list(self._listeners):
            try:
                listener(progress)
            except Exception:  # noqa: BLE001 - anything a caller's function may raise
                # A display that breaks must not cost the file, nor the other listeners of the same transfer.
                self._listeners.remove(listener)
                _log.exception("a progress listener failed and is not called again; the download goes on")
