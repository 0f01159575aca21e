import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from talking_avatar.sandbox.rendering.contract import BadInput
from talking_avatar.sandbox.studio_pool import RendererDied, StudioPool

pytestmark = pytest.mark.anyio

RENDERER = """
import os, sys, time
from talking_avatar.sandbox.rendering.contract import BadInput

class Stubborn(Exception):
    def __init__(self, *, needed):
        super().__init__("cannot be unpickled")

class Chalk:
    def voices(self):
        print("a library that prints")
        return os.getpid()
    def render_photo(self, photo, audio):
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass
        return photo + audio
    def find_face(self, photo, *, minimum=160):
        raise BadInput("too small", fault="face_too_small")
    def speak(self, text, voice):
        raise Stubborn(needed=1)
    def presenters(self):
        os._exit(1)
    def niceness(self):
        return os.nice(0)
"""


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Any) -> AsyncIterator[StudioPool]:
    (tmp_path / "chalk_renderer.py").write_text(RENDERER)
    monkeypatch.syspath_prepend(tmp_path)
    pool = StudioPool(clock, "chalk_renderer:Chalk")
    yield pool
    await pool.close()


async def test_calls_are_answered_by_a_process_that_stays(pool: StudioPool) -> None:
    assert await pool.call("voices") == await pool.call("voices")
    assert await pool.call("render_photo", b"a" * 5_000_000, audio=b"b", lane="render") == b"a" * 5_000_000 + b"b"


async def test_renders_leave_way_to_the_sandbox(pool: StudioPool) -> None:
    quick, render = await pool.call("niceness"), await pool.call("niceness", lane="render")
    assert render > quick > 0


async def test_a_fault_of_the_caller_comes_back_as_it_was_raised(pool: StudioPool) -> None:
    with pytest.raises(BadInput, match="too small") as caught:
        await pool.call("find_face", b"", minimum=1)
    assert caught.value.fault == "face_too_small"
    with pytest.raises(RuntimeError, match="Stubborn: cannot be unpickled"):
        await pool.call("speak", "a", "b")


async def test_a_process_that_dies_is_replaced(pool: StudioPool) -> None:
    before = await pool.call("voices")
    with pytest.raises(RendererDied):
        await pool.call("presenters")
    assert await pool.call("voices") != before


async def test_a_call_that_is_given_up_leaves_no_answer_behind(pool: StudioPool) -> None:
    await pool.call("voices", lane="render")
    call = asyncio.ensure_future(pool.call("render_photo", b"old", b"", lane="render"))
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await pool.call("render_photo", b"new", b"", lane="render") == b"new"


async def test_the_event_loop_goes_on_while_four_renders_run(pool: StudioPool) -> None:
    await asyncio.gather(*(pool.call("voices", lane="render") for _ in range(2)))
    renders = [asyncio.ensure_future(pool.call("render_photo", b"a", b"b", lane="render")) for _ in range(4)]
    turns = 0
    while not all(render.done() for render in renders):
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
