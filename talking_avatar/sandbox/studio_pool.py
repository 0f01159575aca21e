"""Where a renderer runs: on the spot, in a thread, or in processes that leave the event loop alone."""

import asyncio
import contextlib
import os
import pickle
import sys
from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

import attrs

from talking_avatar.clock import Clock
from talking_avatar.sandbox.pipe import HEADER, frame
from talking_avatar.sandbox.rendering.contract import Renderer

__all__ = ["Crew", "InlineCrew", "Lane", "RendererDied", "StudioPool", "ThreadCrew"]

Lane = Literal["quick", "render"]


class RendererDied(RuntimeError):
    """A rendering process ended in the middle of a call."""


class Crew(Protocol):
    """Runs a renderer's methods; *lane* keeps a check from waiting behind renders."""

    async def open(self) -> None:
        """Prepare, without waiting until everything is ready."""
        ...

    async def call(self, method: str, *arguments: Any, lane: Lane = "quick", **options: Any) -> Any:
        """The answer of that method of the renderer."""
        ...

    async def close(self) -> None:
        """Stop at once; calls under way are given up."""
        ...


@attrs.frozen
class InlineCrew:
    """Calls a renderer that takes no time."""

    renderer: Renderer

    async def open(self) -> None: ...

    async def call(self, method: str, *arguments: Any, lane: Lane = "quick", **options: Any) -> Any:  # noqa: ARG002
        return getattr(self.renderer, method)(*arguments, **options)

    async def close(self) -> None: ...


@attrs.frozen
class ThreadCrew:
    """Calls a renderer of the caller's own in threads."""

    renderer: Renderer
    clock: Clock

    async def open(self) -> None: ...

    async def call(self, method: str, *arguments: Any, lane: Lane = "quick", **options: Any) -> Any:  # noqa: ARG002
        with self.clock.busy():
            return await asyncio.to_thread(getattr(self.renderer, method), *arguments, **options)

    async def close(self) -> None: ...


@attrs.define(eq=False)
class _Worker:
    """One process, started by its first call and again after it died."""

    niceness: int
    renderer: str
    _process: asyncio.subprocess.Process | None = None

    async def call(self, message: bytes) -> tuple[bool, Any]:
        process = self._process or await self.start()
        answered = False
        try:
            answer = await self._exchange(process, message)
            answered = True
        except (OSError, asyncio.IncompleteReadError) as error:
            raise RendererDied("the rendering process ended; the sandbox starts another for the next job") from error
        finally:
            # A call given up half-way leaves its answer in the pipe, so the process goes with it.
            if not answered:
                await self.stop()
        return answer

    async def _exchange(self, process: asyncio.subprocess.Process, message: bytes) -> tuple[bool, Any]:
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError("the rendering process has no pipes")
        process.stdin.write(message)
        await process.stdin.drain()
        (length,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
        body = await process.stdout.readexactly(length)
        ok, value = pickle.loads(body)  # noqa: S301 - our own child wrote it
        return bool(ok), value

    async def start(self) -> asyncio.subprocess.Process:
        # The child finds the package where this process found it, installed or not.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "talking_avatar.sandbox.studio_worker", str(self.niceness), self.renderer),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=2**20,
            # Ctrl-C belongs to the sandbox, which then stops its workers.
            start_new_session=True,
        )
        return self._process

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.communicate())


@attrs.define(eq=False)
class StudioPool:
    """Runs a renderer in processes of lower priority, and once more for checks and speech."""

    clock: Clock
    renderer: str = "talking_avatar.sandbox.rendering.studio:Studio"
    renderers: int = 2
    _lanes: dict[Lane, asyncio.LifoQueue[_Worker]] = attrs.field(factory=dict, init=False, repr=False)
    _workers: list[_Worker] = attrs.field(factory=list, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._add("render", count=self.renderers, niceness=10)
        self._add("quick", count=1, niceness=5)

    async def open(self) -> None:
        for worker in self._workers:
            await worker.start()

    def _add(self, lane: Lane, *, count: int, niceness: int) -> None:
        self._lanes[lane] = asyncio.LifoQueue()
        for _ in range(count):
            worker = _Worker(niceness, self.renderer)
            self._workers.append(worker)
            self._lanes[lane].put_nowait(worker)

    @contextlib.asynccontextmanager
    async def _borrowed(self, lane: Lane) -> AsyncIterator[_Worker]:
        worker = await self._lanes[lane].get()
        try:
            yield worker
        finally:
            self._lanes[lane].put_nowait(worker)

    async def call(self, method: str, *arguments: Any, lane: Lane = "quick", **options: Any) -> Any:
        with self.clock.busy():
            async with self._borrowed(lane) as worker:
                ok, value = await worker.call(frame((method, arguments, options)))
        if not ok:
            raise value
        return value

    async def close(self) -> None:
        for worker in self._workers:
            await worker.stop()
