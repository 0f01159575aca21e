"""The plugin works under either async plugin, in a project that only knows what the documentation shows."""

import importlib.util
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

USERS_CODE = """
from talking_avatar import JobWatcher, TalkingPhoto
from talking_avatar.errors import RenderFailed


async def greet(watcher: JobWatcher, photo: str, speech: str) -> str:
    try:
        video = await watcher.render(TalkingPhoto(image_url=photo, audio_url=speech), deadline=1800)
    except RenderFailed:
        return "sorry.mp4"
    return video.video_url
"""

USERS_TESTS = """
import pytest
from greeting import greet
from talking_avatar.sandbox import Fault

MARK


async def test_greets_although_the_service_is_down_for_a_while(avatar_lab):
    async with avatar_lab(render_seconds=1200) as lab:
        lab.sandbox.faults.add(Fault.server_error(503), endpoint="video.get", times=5)
        assert (await greet(lab.watcher, lab.photo, lab.speech)).startswith("http")
        assert lab.clock.monotonic() < 1300


async def test_says_sorry_when_the_render_fails(avatar_lab):
    async with avatar_lab() as lab:
        lab.sandbox.faults.add(Fault.failed_render(), endpoint="video.generate")
        assert await greet(lab.watcher, lab.photo, lab.speech) == "sorry.mp4"
"""

ANYIO = """pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.parametrize(
    ("mark", "options"),
    [
        pytest.param(ANYIO, ["-p", "anyio", "-p", "no:asyncio"], id="anyio"),
        pytest.param(
            "pytestmark = pytest.mark.asyncio",
            ["-p", "pytest_asyncio", "-o", "asyncio_default_fixture_loop_scope=function"],
            id="pytest-asyncio",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("pytest_asyncio") is None, reason="pytest-asyncio is not installed"
            ),
        ),
    ],
)
def test_a_users_project_tests_its_own_code(tmp_path: Path, mark: str, options: list[str]) -> None:
    (tmp_path / "greeting.py").write_text(USERS_CODE)
    (tmp_path / "test_greeting.py").write_text(USERS_TESTS.replace("MARK", mark))
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\nfilterwarnings = error\n")
    # Installing the package registers it; a checkout that is only on the path has to name it.
    is_installed = any(point.name == "talking_avatar" for point in entry_points(group="pytest11"))
    plugin = [] if is_installed else ["-p", "talking_avatar.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *options]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
