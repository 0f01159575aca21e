"""Every Python block of README runs, in order and in one namespace, against the sandbox and in no time."""

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from talking_avatar import Akool, JobWatcher
from talking_avatar.clock import SystemClock
from talking_avatar.sandbox import Sandbox
from talking_avatar.testing import VirtualClock

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    async with VirtualClock() as clock:
        for name in ("monotonic", "time", "sleep", "busy"):
            monkeypatch.setattr(SystemClock, name, lambda _self, *given, name=name: getattr(clock, name)(*given))
        yield clock


async def test_readme_blocks_run_as_they_stand(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Sandbox(renderer="instant", clock=clock, render_seconds=60, api_key="k" * 32, rate=60) as sandbox:
        for name, value in {
            "SURREAL_BASE_URL": sandbox.url,
            "SURREAL_TOKEN": sandbox.token,
            "AKOOL_BASE_URL": sandbox.url,
            "AKOOL_API_KEY": sandbox.api_key,
        }.items():
            monkeypatch.setenv(name, value)
        photo, speech = f"{sandbox.url}/samples/portrait.jpg", f"{sandbox.url}/samples/speech.wav"
        (tmp_path / "lines.csv").write_text(f"id,photo,audio\n1,{photo},{speech}\n2,{photo},{speech}\n")
        akool = Akool()
        watcher = JobWatcher(akool)
        namespace: dict[str, Any] = {
            "photo": photo,
            "speech": speech,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.api_key,
            "watcher": watcher,
            "app": web.Application(),
        }
        for block in BLOCKS:
            await _run(block, namespace)
        await watcher.aclose()
        await akool.aclose()
    assert sorted(path.name for path in (tmp_path / "videos").iterdir() if path.name in {"1.mp4", "2.mp4"}) == [
        "1.mp4",
        "2.mp4",
    ]


async def _run(block: str, namespace: dict[str, Any]) -> None:
    code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    outcome = eval(code, namespace)  # noqa: S307 - our own text
    if inspect.isawaitable(outcome):
        await asyncio.ensure_future(outcome)


def test_ci_runs_the_test_command_of_readme() -> None:
    commands = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert "talking-avatar demo" in commands[0]
    assert "pytest" in commands[1]
