"""A program killed at any moment, and started again: each render there once, whole."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from talking_avatar import sandbox as sandbox_package
from talking_avatar.sandbox import Fault, Sandbox
from tests.owed.mortal_program import KEYS

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("mortal_program.py")
SAMPLE = Path(sandbox_package.__file__).parent / "rendering/samples/instant.mp4"
MOMENTS = [
    ("before the intent", 2),
    ("after the intent", 2),
    ("before the create", 2),
    ("after the answer", 2),
    ("after the id", 2),
    ("polling", 1),
    ("polling", 4),
    ("finished", 1),
    ("in a download", 1),
    ("downloaded", 2),
    *(("in a commit", nth) for nth in (1, 2, 4, 5, 6, 7, 8, 10)),
]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(renderer="instant", render_seconds=0.3, rate=0) as sandbox:
        yield sandbox


async def run(sandbox: Sandbox, folder: Path, moment: str = "never", nth: int = 0) -> tuple[int | None, Any]:
    arguments = [sandbox.url, sandbox.token, str(folder), moment, str(nth)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(PROGRAM), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode, json.loads(output or "null")


async def all_there_once(sandbox: Sandbox, folder: Path, *, resubmitted: int = 0) -> None:
    code, told = await run(sandbox, folder)
    assert code == 0
    assert told == {"resubmitted": resubmitted, "states": ["downloaded"] * 3}
    assert {path.name: path.read_bytes() for path in (folder / "videos").iterdir()} == {
        f"{key}.mp4": SAMPLE.read_bytes() for key in KEYS
    }


@pytest.mark.parametrize(("moment", "nth"), MOMENTS)
async def test_every_render_is_there_once(sandbox: Sandbox, tmp_path: Path, moment: str, nth: int) -> None:
    assert await run(sandbox, tmp_path, moment, nth) == (-signal.SIGKILL, None)
    # A create that was about to leave may have left, for all anybody knows: only its caller sends it again.
    lost = 1 if moment == "before the create" else 0
    await all_there_once(sandbox, tmp_path, resubmitted=lost)
    assert sandbox.creates == Counter({"surreal.v2v": 3})


async def test_every_render_is_there_once_when_killed_inside_the_create(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add(Fault.lost_reply(1.0), endpoint="video.generate", nth=2)
    assert await run(sandbox, tmp_path, "in the create", 2) == (-signal.SIGKILL, None)
    await all_there_once(sandbox, tmp_path)
    assert sandbox.creates == Counter({"surreal.v2v": 3})


async def test_a_program_that_is_killed_again_and_again_gets_there(sandbox: Sandbox, tmp_path: Path) -> None:
    for nth in range(3, 13, 3):
        await run(sandbox, tmp_path, "in a commit", nth)
    await all_there_once(sandbox, tmp_path)
    assert sandbox.creates == Counter({"surreal.v2v": 3})
