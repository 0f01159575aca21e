"""This SDK where the service lists: Surreal's talking photos, and `JobWatcher.render`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("talking-avatar", "aiohttp")
TOO_MANY = (429, {"code": 1009, "message": "Too Many Request", "data": None})


def routes(service: Service) -> list[web.RouteDef]:
    def row(job_id: str) -> dict[str, str]:
        if not service.finished(job_id):
            return {"video_id": job_id, "status": "in_progressing"}
        return {"video_id": job_id, "status": "finished", "video_url": "https://files.example/1.mp4"}

    async def create(_request: web.Request) -> web.Response:
        return web.json_response({"code": 0, "data": {"video_id": service.accept(), "status": "pending"}})

    async def get(request: web.Request) -> web.Response:
        return web.json_response({"code": 0, "data": row(request.query["video_id"])})

    async def listing(_request: web.Request) -> web.Response:
        return web.json_response({"code": 0, "data": [row(job_id) for job_id in service.ends]})

    base = "/v1/v2v/video."
    return [web.post(base + "generate", create), web.get(base + "get", get), web.get(base + "list", listing)]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    from talking_avatar import JobWatcher, Surreal, TalkingPhoto  # noqa: PLC0415

    request = TalkingPhoto(image_url="https://files.example/1.jpg", audio_url="https://files.example/1.wav")
    async with Surreal("token", base_url=url) as surreal, JobWatcher(surreal) as watcher:

        async def render() -> str:
            return (await watcher.render(request)).id

        yield render
