import asyncio
import io
import time
from collections.abc import AsyncIterator
from typing import Any

import av
import pytest
from aiohttp import ClientSession

from talking_avatar.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
async def studio() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=0) as sandbox:
        yield sandbox


async def test_a_photo_talks_and_status_calls_stay_quick_meanwhile(studio: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {studio.token}"}
    async with ClientSession(studio.url, headers=headers) as session:

        async def call(method: str, path: str, **options: Any) -> Any:
            async with session.request(method, path, **options) as response:
                return (await response.json())["data"]

        body = {"text": "Hello there.", "voice_name": "Fabineu Topshot"}
        recording = (await call("POST", "/v1/tts/voice.generate", json=body))["url"]
        body = {"image_url": f"{studio.url}/samples/portrait.jpg", "audio_url": recording}
        ids = [(await call("POST", "/v1/v2v/video.generate", json=body))["video_id"] for _ in range(4)]
        waits = []
        rendering = asyncio.ensure_future(studio.idle())
        while not rendering.done():
            began = time.perf_counter()
            await call("GET", "/v1/v2v/video.get", params={"video_id": ids[-1]})
            waits.append(time.perf_counter() - began)
        assert sorted(waits)[int(len(waits) * 0.99)] < 0.05
        video = await call("GET", "/v1/v2v/video.get", params={"video_id": ids[0]})
        assert video["status"] == "finished"
        async with session.get(video["video_url"]) as response:
            mp4 = await response.read()
    with av.open(io.BytesIO(mp4)) as file:
        assert {stream.codec_context.name for stream in file.streams} >= {"h264", "aac"}
