"""replicate: predictions, and `Prediction.async_wait`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("replicate",)
TOO_MANY = (429, {"title": "Request was throttled.", "status": 429})


def routes(service: Service) -> list[web.RouteDef]:
    def prediction(job_id: str) -> dict[str, object]:
        finished = service.finished(job_id)
        return {
            "id": job_id,
            "model": "acme/avatar",
            "version": "v1",
            "status": "succeeded" if finished else "processing",
            "input": {"image": "https://files.example/1.jpg"},
            "output": "https://files.example/1.mp4" if finished else None,
            "logs": "",
            "urls": {"get": f"{service.url}/v1/predictions/{job_id}"},
        }

    async def create(_request: web.Request) -> web.Response:
        return web.json_response(prediction(service.accept()), status=201)

    async def get(request: web.Request) -> web.Response:
        return web.json_response(prediction(request.match_info["id"]))

    return [web.post("/v1/predictions", create), web.get("/v1/predictions/{id}", get)]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    from replicate.client import Client  # noqa: PLC0415

    client = Client("token", base_url=url)

    async def render() -> str:
        prediction = await client.predictions.async_create(version="v1", input={"image": "https://files.example/1.jpg"})
        await prediction.async_wait()
        assert prediction.status == "succeeded"
        return prediction.id

    yield render
