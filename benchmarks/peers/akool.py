"""This SDK where the service does not list: Akool's talking avatars, and `JobWatcher.render`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("talking-avatar", "aiohttp")
# Akool refuses with HTTP 200 and a code of its own.
TOO_MANY = (200, {"code": 1005, "msg": "Operation is too frequent"})
# No document of Akool's names a limit or a header for it.
STATES_LIMIT = False


def routes(service: Service) -> list[web.RouteDef]:
    async def create(_request: web.Request) -> web.Response:
        return web.json_response({"code": 1000, "msg": "OK", "data": {"_id": service.accept(), "video_status": 1}})

    async def get(request: web.Request) -> web.Response:
        job_id = request.query["video_model_id"]
        # The document shows no progress, so the watcher gets none here.
        data = {"_id": job_id, "video_status": 3 if service.finished(job_id) else 2, "video": ""}
        return web.json_response({"code": 1000, "msg": "OK", "data": data})

    return [
        web.post("/api/open/v3/talkingavatar/create", create),
        web.get("/api/open/v3/content/video/infobymodelid", get),
    ]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    from talking_avatar import Akool, AudioElement, AvatarElement, JobWatcher, TalkingAvatar  # noqa: PLC0415

    avatar = AvatarElement(avatar_id="Alinna_emotionsblue_0830_TML4")
    request = TalkingAvatar(elements=[avatar, AudioElement(url="https://files.example/1.wav")])
    async with Akool("key", base_url=url) as akool, JobWatcher(akool) as watcher:

        async def render() -> str:
            return (await watcher.render(request)).id

        yield render
