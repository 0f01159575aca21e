import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attrs
import pytest

from talking_avatar.journal import Intent, Journal, MemoryJournal, SqliteJournal


@attrs.define
class HandSetClock:
    """Stands still until a test moves it, and counts who called it busy."""

    now: float = 1_000.0
    times_busy: int = 0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def busy(self) -> AbstractContextManager[object]:
        self.times_busy += 1
        return nullcontext()


@pytest.fixture
def clock() -> HandSetClock:
    return HandSetClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "renders.db"


@pytest.fixture
def intent() -> Callable[..., Intent]:
    def make(key: str | None = None, *, fingerprint: str = "one photo", **fields: str) -> Intent:
        known = {"service": "surreal", "family": "v2v", "payload": '{"image_url": "https://files.example/a.png"}'}
        return Intent(key=key, fingerprint=fingerprint, **{**known, **fields})

    return make


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, path: Path, clock: HandSetClock) -> AsyncIterator[Journal]:
    made: Journal = MemoryJournal(clock=clock) if request.param == "memory" else SqliteJournal(path, clock=clock)
    await made.open()
    yield made
    await made.aclose()


@pytest.fixture
def run() -> Callable[[str, Path], "subprocess.CompletedProcess[str]"]:
    """Run a script as a program of its own; warnings are errors there too."""

    def program(script: str, path: Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-W", "error", "-X", "dev", "-c", script, str(path)]
        return subprocess.run(command, timeout=30, capture_output=True, text=True, check=False)  # noqa: S603 - ours

    return program
