"""runwayml: tasks, and `wait_for_task_output`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("runwayml",)
TOO_MANY = (429, {"error": "Too many requests"})


def routes(service: Service) -> list[web.RouteDef]:
    async def create(_request: web.Request) -> web.Response:
        return web.json_response({"id": service.accept(), "estimatedCost": {"credits": 1}})

    async def get(request: web.Request) -> web.Response:
        job_id = request.match_info["id"]
        row = {"id": job_id, "createdAt": "2030-01-01T00:00:00Z"}
        if service.finished(job_id):
            done = {"status": "SUCCEEDED", "output": ["https://files.example/1.mp4"], "cost": {"credits": 1}}
            return web.json_response(row | done)
        return web.json_response(row | {"status": "RUNNING", "progress": 0.5, "estimatedCost": {"credits": 1}})

    return [web.post("/v1/image_to_video", create), web.get("/v1/tasks/{id}", get)]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    from runwayml import AsyncRunwayML  # noqa: PLC0415

    async with AsyncRunwayML(api_key="key", base_url=url) as client:

        async def render() -> str:
            task = await client.image_to_video.create(
                model="gen4_turbo", prompt_image="https://files.example/1.jpg", ratio="1280:720", duration=5
            )
            return (await task.wait_for_task_output()).id

        yield render
