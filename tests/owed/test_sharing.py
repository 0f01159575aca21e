"""Two programs beside each other on one journal."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from talking_avatar.sandbox import Sandbox

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("sharing_program.py")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(renderer="instant", render_seconds=2.0, rate=3_000) as sandbox:
        yield sandbox


async def begin(
    sandbox: Sandbox, folder: Path, *, keys: int, seconds: float, where: str = "here"
) -> asyncio.subprocess.Process:
    arguments = [sandbox.url, sandbox.token, str(folder), str(keys), str(seconds), where]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(PROGRAM), *arguments, stdout=asyncio.subprocess.PIPE
    )


async def told(program: asyncio.subprocess.Process) -> dict[str, str]:
    assert program.stdout is not None
    line = await asyncio.wait_for(program.stdout.readline(), 20)
    return dict(pair.split("=") for pair in line.decode().split())


async def end(program: asyncio.subprocess.Process) -> int:
    await asyncio.wait_for(program.communicate(), 20)
    assert program.returncode is not None
    return program.returncode


async def test_keys_submitted_by_both_are_created_once(sandbox: Sandbox, tmp_path: Path) -> None:
    both = [await begin(sandbox, tmp_path, keys=60, seconds=3.0) for _ in range(2)]
    first, second = await asyncio.gather(*map(told, both))
    assert first == second
    assert await asyncio.gather(*map(end, both)) == [0, 0]
    assert sandbox.creates == Counter({"surreal.v2v": 60})
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == 60


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_what_a_killed_program_watched_is_taken_over(sandbox: Sandbox, tmp_path: Path, where: str) -> None:
    doomed = await begin(sandbox, tmp_path, keys=20, seconds=60, where=where)
    await told(doomed)
    heir = await begin(sandbox, tmp_path, keys=0, seconds=5.0, where=where)
    await told(heir)
    doomed.kill()
    await doomed.wait()
    assert await end(heir) == 0
    assert sandbox.creates == Counter({"surreal.v2v": 20})
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == 20


async def test_while_both_live_each_job_is_watched_by_one(sandbox: Sandbox, tmp_path: Path) -> None:
    first = await begin(sandbox, tmp_path, keys=5, seconds=3.5)
    await told(first)
    second = await begin(sandbox, tmp_path, keys=0, seconds=3.0)
    before = len(sandbox.requests)
    await told(second)
    files = [seen for seen in sandbox.requests if seen.path.startswith("/files")]
    assert [await end(program) for program in (first, second)] == [0, 0]
    fetched = [seen for seen in sandbox.requests if seen.path.startswith("/files")]
    assert len(fetched) - len(files) <= 5
    assert before <= len(sandbox.requests)
