"""Akool's webhook as an ASGI application, to run alone or to mount in Starlette or FastAPI."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from talking_avatar.akool.webhook import WebhookAnswer, WebhookReceiver

__all__ = ["WebhookApp"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WebhookApp:
    """Takes POST at any path it is mounted under; a per-job token may be ``?job=`` or a path parameter ``job``."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})
            case unknown:
                raise NotImplementedError(f"an Akool webhook answers http, not {unknown}")

    async def _http(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, WebhookAnswer(405), (b"allow", b"POST"))
            return
        body = await _body(receive, self._receiver.max_body)
        if body is not None:
            await _answer(send, self._receiver.handle(_headers(scope), body, token=_token(scope)))


async def _body(receive: Receive, limit: int) -> bytes | None:
    received = bytearray()
    while len(received) <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        received += message.get("body", b"")
        if not message.get("more_body", False):
            break
    # One byte too many is enough for the receiver to refuse it.
    return bytes(received[: limit + 1])


async def _answer(send: Send, answer: WebhookAnswer, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": answer.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}


def _token(scope: MutableMapping[str, Any]) -> str | None:
    from_path = scope.get("path_params", {}).get("job")
    if isinstance(from_path, str):
        return from_path
    try:
        query = parse_qs(str(scope.get("query_string", b""), "latin-1"), max_num_fields=100)
    except ValueError:
        return None
    return query["job"][0] if "job" in query else None
