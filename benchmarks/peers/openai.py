"""openai: videos, and `AsyncOpenAI.videos.create_and_poll`."""

import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("openai",)
TOO_MANY = (429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}})


def routes(service: Service) -> list[web.RouteDef]:
    def video(job_id: str) -> web.Response:
        return web.json_response(
            {
                "id": job_id,
                "object": "video",
                "model": "sora-2",
                "status": "completed" if service.finished(job_id) else "in_progress",
                "progress": 50,
                "created_at": int(time.time()),
                "seconds": "4",
                "size": "720x1280",
            }
        )

    async def create(_request: web.Request) -> web.Response:
        return video(service.accept())

    async def get(request: web.Request) -> web.Response:
        return video(request.match_info["id"])

    return [web.post("/v1/videos", create), web.get("/v1/videos/{id}", get)]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    import openai  # noqa: PLC0415

    warnings.simplefilter("ignore", DeprecationWarning)
    async with openai.AsyncOpenAI(api_key="key", base_url=f"{url}/v1") as client:

        async def render() -> str:
            video = await client.videos.create_and_poll(prompt="a face that speaks", model="sora-2")
            assert video.status == "completed"
            return video.id

        yield render
