from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from talking_avatar import JobWatcher
from talking_avatar.download import Downloader
from talking_avatar.journal import MemoryJournal
from talking_avatar.testing import VirtualClock
from tests.owed.model import Client, Life, Service


@pytest.fixture
async def clock() -> AsyncIterator[VirtualClock]:
    async with VirtualClock() as clock:
        yield clock


@pytest.fixture
def service(clock: VirtualClock) -> Service:
    return Service(clock)


@pytest.fixture
def journal(clock: VirtualClock) -> MemoryJournal:
    return MemoryJournal(clock=clock)


@pytest.fixture
async def start(clock: VirtualClock, service: Service, journal: MemoryJournal) -> AsyncIterator[Callable[..., Any]]:
    """Start a program: a watcher on the shared journal, closed when the test ends."""
    async with AsyncExitStack() as stack:

        async def started(**options: Any) -> JobWatcher:
            client = Client(service, Life(), clock)
            watcher = JobWatcher(client, **{"journal": journal, "clock": clock, "seed": 1, **options})
            watcher._desk.delivery._downloader = Downloader(client, clock=clock)
            stack.push_async_callback(watcher.aclose)
            return await watcher.start()

        yield started


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return tmp_path / "videos"
