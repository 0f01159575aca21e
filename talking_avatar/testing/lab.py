"""Both services, a client for each and a watcher, on one virtual clock."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Any, Self

from talking_avatar.akool.client import Akool
from talking_avatar.clock import Clock
from talking_avatar.sandbox import Sandbox
from talking_avatar.surreal.client import Surreal
from talking_avatar.testing.virtual import VirtualClock
from talking_avatar.watch.watcher import JobWatcher

__all__ = ["Lab"]


class Lab:
    """``async with Lab() as lab`` gives `clock`, `sandbox`, `surreal`, `akool` and `watcher`, ready to use.

    `photo` and `speech` are addresses to put into requests. Renders take *render_seconds* (a number, or a function of a
    `random.Random`) of virtual time and give a tiny valid file. The same *seed* gives the same durations and the same
    jitter. *sandbox* and *watcher* are further options of `Sandbox` and `JobWatcher`.
    """

    clock: Clock
    sandbox: Sandbox
    surreal: Surreal
    akool: Akool
    watcher: JobWatcher

    def __init__(
        self,
        *,
        render_seconds: float | Callable[[Random], float] = 600.0,
        seed: int = 0,
        rate: int = 30,
        clock: Clock | None = None,
        sandbox: dict[str, Any] | None = None,
        watcher: dict[str, Any] | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self._sandbox_options = {
            "renderer": "instant",
            "render_seconds": render_seconds,
            "seed": seed,
            "rate": rate,
            **(sandbox or {}),
        }
        self._watcher_options = {"seed": seed, **(watcher or {})}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_async_context
        try:
            if isinstance(self.clock, VirtualClock):
                await enter(self.clock)
            self.sandbox = await enter(Sandbox(clock=self.clock, **self._sandbox_options))
            self.surreal = await enter(Surreal(self.sandbox.token, base_url=self.sandbox.url, clock=self.clock))
            self.akool = await enter(Akool(self.sandbox.api_key, base_url=self.sandbox.url, clock=self.clock))
            self.watcher = await enter(JobWatcher(self.surreal, self.akool, clock=self.clock, **self._watcher_options))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def photo(self) -> str:
        """The address of a portrait."""
        return f"{self.sandbox.url}/samples/portrait.jpg"

    @property
    def speech(self) -> str:
        """The address of a recording."""
        return f"{self.sandbox.url}/samples/speech.wav"
