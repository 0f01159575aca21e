"""Akool's webhook as a route of an aiohttp application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from talking_avatar.akool.webhook import WebhookReceiver

__all__ = ["serving", "webhook_route"]


def webhook_route(receiver: WebhookReceiver, path: str = "/akool") -> web.RouteDef:
    """The route to add to an application; a per-job token may be ``?job=`` in the query or ``{job}`` in *path*."""

    async def deliver(request: web.Request) -> web.Response:
        body = await _body(request, receiver.max_body)
        token = request.match_info.get("job") or request.query.get("job")
        answer = receiver.handle(request.headers, body, token=token)
        return web.Response(status=answer.status, body=answer.body)

    return web.post(path, deliver)


async def _body(request: web.Request, limit: int) -> bytes:
    received = bytearray()
    async for chunk in request.content.iter_any():
        received += chunk
        if len(received) > limit:
            # One byte too many is enough for the receiver to refuse it.
            break
    return bytes(received[: limit + 1])


@asynccontextmanager
async def serving(receiver: WebhookReceiver, *, host: str, port: int, path: str = "/akool") -> AsyncIterator[None]:
    """A server of its own for *receiver* while the block runs."""
    app = web.Application()
    app.add_routes([webhook_route(receiver, path)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
