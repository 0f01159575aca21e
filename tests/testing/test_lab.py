"""Hours of rendering take no time, and the same seed tells the same story."""

import asyncio
import time
from typing import Any

import pytest

from talking_avatar import AudioElement, AvatarElement, TalkingAvatar, TalkingPhoto
from talking_avatar.sandbox import Fault, Lognormal
from talking_avatar.testing import Lab

pytestmark = pytest.mark.anyio


def photo(lab: Lab) -> TalkingPhoto:
    return TalkingPhoto(image_url=lab.photo, audio_url=lab.speech)


def avatar(lab: Lab) -> TalkingAvatar:
    return TalkingAvatar(elements=[AvatarElement(url=lab.photo), AudioElement(url=lab.speech)])


async def test_a_thousand_renders_of_ten_minutes_take_less_than_five_seconds() -> None:
    began = time.perf_counter()
    async with Lab(render_seconds=600) as lab:
        batch = lab.watcher.render_all([photo(lab)] * 1000, max_in_flight=1000)
        assert sum([job.error is None async for job in batch]) == 1000
        assert lab.clock.monotonic() > 1000 * 2
        assert not [seen for seen in lab.sandbox.requests if seen.status == 429]
    assert time.perf_counter() - began < 5


def test_two_runs_of_one_seed_send_the_same_requests_at_the_same_times() -> None:
    assert story(7) == story(7)
    assert story(7) != story(8)


def story(seed: int) -> list[tuple[float, str, str, int]]:
    async def run() -> list[tuple[float, str, str, int]]:
        async with Lab(render_seconds=Lognormal(300, 0.5), seed=seed) as lab:
            faults: Any = lab.sandbox.faults
            faults.add(Fault.server_error(503), probability=0.1, times=None, method="GET")
            faults.add(Fault.html(), endpoint="video.list", nth=5, times=3)
            async for _ in lab.watcher.render_all([photo(lab), avatar(lab)] * 10):
                pass
            return [(round(seen.at, 6), seen.method, seen.path, seen.status) for seen in lab.sandbox.requests]

    return asyncio.run(run())


async def test_a_lab_gives_both_services(avatar_lab: Any) -> None:
    async with avatar_lab(render_seconds=1800) as lab:
        videos = await asyncio.gather(lab.watcher.render(photo(lab)), lab.watcher.render(avatar(lab)))
        assert [video.ref.product for video in videos] == ["surreal.v2v", "akool.talking_avatar"]
        assert 1800 < lab.clock.monotonic() < 2000
        assert lab.sandbox.creates == {"surreal.v2v": 1, "akool.talking_avatar": 1}


async def test_an_error_in_a_lab_comes_out_at_once_even_where_leaving_waits(avatar_lab: Any) -> None:
    with pytest.raises(LookupError):  # noqa: PT012 - the block is what is tested
        async with avatar_lab(render_seconds=1800, watcher={"on_exit": "wait"}) as lab:
            await lab.watcher.submit(photo(lab))
            raise LookupError
    assert lab.clock.monotonic() < 10


async def test_a_lab_that_cannot_be_entered_leaves_the_loop_as_it_was(avatar_lab: Any) -> None:
    loop: Any = asyncio.get_running_loop()
    selector, run = loop._selector, loop.run_in_executor
    with pytest.raises(TypeError):
        async with avatar_lab(watcher={"no such option": 1}):
            pass
    assert loop._selector is selector
    assert loop.run_in_executor == run
