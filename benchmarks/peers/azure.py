"""azure-core: a long-running operation (Operation-Location), and `AsyncLROPoller`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from benchmarks.peers.service import Service

# Libraries are imported where they are used, so that a fake runs without any.
LIBRARIES = ("azure-core",)
TOO_MANY = (429, {"error": {"code": "TooManyRequests", "message": "slow down"}})


def routes(service: Service) -> list[web.RouteDef]:
    async def create(_request: web.Request) -> web.Response:
        job_id = service.accept()
        where = {"Operation-Location": f"{service.url}/operations/{job_id}"}
        return web.json_response({"id": job_id, "status": "Running"}, status=202, headers=where)

    async def get(request: web.Request) -> web.Response:
        job_id = request.match_info["id"]
        return web.json_response({"id": job_id, "status": "Succeeded" if service.finished(job_id) else "Running"})

    return [web.post("/renders", create), web.get("/operations/{id}", get)]


@asynccontextmanager
async def renderer(url: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    from azure.core import AsyncPipelineClient  # noqa: PLC0415
    from azure.core.polling import AsyncLROPoller  # noqa: PLC0415
    from azure.core.polling.async_base_polling import AsyncLROBasePolling  # noqa: PLC0415
    from azure.core.rest import HttpRequest  # noqa: PLC0415

    def job_id_of(answer: Any) -> str:
        return answer.http_response.json()["id"]

    async with AsyncPipelineClient(url) as client:

        async def render() -> str:
            request = HttpRequest("POST", f"{url}/renders", json={"image": "https://files.example/1.jpg"})
            # What generated clients do in their begin_ methods.
            answer = await client.send_request(request, _return_pipeline_response=True)
            answer.http_response.raise_for_status()
            await answer.http_response.read()
            return await AsyncLROPoller(client, answer, job_id_of, AsyncLROBasePolling())

        yield render
