"""Tests of code that waits for renders: a virtual clock, and a lab with both services on it.

Half an hour of rendering takes no time: the clock jumps to the next moment anybody waits for as soon as the event loop
has nothing else to do, while real sockets and threads go on in real time. Say your code is this::

    async def greet(watcher: JobWatcher, photo: str, speech: str) -> str:
        try:
            video = await watcher.render(TalkingPhoto(image_url=photo, audio_url=speech), deadline=1800)
        except RenderFailed:
            return "sorry.mp4"
        return video.video_url

Then its test, under anyio's pytest plugin or pytest-asyncio, needs no patching and no patience. Installing the package
brings the fixture ``avatar_lab``::

    async def test_greets_although_the_service_is_down_for_a_while(avatar_lab):
        async with avatar_lab(render_seconds=1200) as lab:
            lab.sandbox.faults.add(Fault.server_error(503), endpoint="video.get", times=5)
            assert (await greet(lab.watcher, lab.photo, lab.speech)).startswith("http")
            assert lab.clock.monotonic() < 1300

    async def test_says_sorry_when_the_render_fails(avatar_lab):
        async with avatar_lab() as lab:
            lab.sandbox.faults.add(Fault.failed_render(), endpoint="video.generate")
            assert await greet(lab.watcher, lab.photo, lab.speech) == "sorry.mp4"

`lab.sandbox.requests` tells what was sent and when, `lab.sandbox.creates` what would have been paid.
"""

from talking_avatar.testing.lab import Lab
from talking_avatar.testing.virtual import VirtualClock

__all__ = ["Lab", "VirtualClock"]
