"""fal-client: the queue protocol, and `AsyncClient.subscribe`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("fal-client",)
TOO_MANY = (429, {"detail": "Too many requests"})


def routes(service: Service) -> list[web.RouteDef]:
    async def submit(_request: web.Request) -> web.Response:
        job_id = service.accept()
        own = f"{service.url}/fal-ai/avatar/requests/{job_id}"
        urls = {"response_url": own, "status_url": f"{own}/status", "cancel_url": f"{own}/cancel"}
        return web.json_response({"request_id": job_id, "queue_position": 0, **urls})

    async def status(request: web.Request) -> web.Response:
        if service.finished(request.match_info["id"]):
            return web.json_response({"status": "COMPLETED", "logs": None, "metrics": {}})
        return web.json_response({"status": "IN_PROGRESS", "logs": None}, status=202)

    async def result(request: web.Request) -> web.Response:
        return web.json_response({"video": {"url": "https://files.example/1.mp4"}, "id": request.match_info["id"]})

    base = "/fal-ai/avatar"
    return [
        web.post(base, submit),
        web.get(base + "/requests/{id}/status", status),
        web.get(base + "/requests/{id}", result),
    ]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    import fal_client.client  # noqa: PLC0415

    # The host can be chosen by environment, https cannot.
    fal_client.client.QUEUE_URL_FORMAT = f"{url}/"
    client = fal_client.AsyncClient(key="key")

    async def render() -> str:
        return (await client.subscribe("fal-ai/avatar", {"image_url": "https://files.example/1.jpg"}))["id"]

    yield render
