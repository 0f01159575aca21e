"""What every Surreal call goes through: the limit, the token, the envelope."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from talking_avatar.sandbox.addresses import is_url
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.studio_pool import RendererDied

__all__ = ["ARGUMENT", "NOT_FOUND", "Refusal", "gate", "read_body", "required_text", "required_url", "success"]

# Only 1009 and "10001" (guide/basic: "File Not Found", a string) are published; the other codes are the sandbox's own.
NOT_FOUND: int | str = "10001"
TOKEN = 1001
ARGUMENT = 1002
NO_ENDPOINT = 1003
INTERNAL = 1004
TOO_MANY = 1009


class Refusal(Exception):
    """A call that Surreal refuses."""

    def __init__(self, message: str = "", *, code: int | str = ARGUMENT, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def response(self) -> web.Response:
        """The refusal as an answer."""
        return web.json_response({"code": self.code, "message": str(self), "data": None}, status=self.status)


def success(data: Any, *, message: bool = True) -> web.Response:
    """The envelope of a success; the lists of `002` carry no *message*."""
    return web.json_response({"code": 0, "data": data} | ({"message": "success"} if message else {}))


def gate(backstage: Backstage) -> Middleware:
    """The middleware of the service."""

    @web.middleware
    async def pass_through(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        verdict = backstage.surreal_limit.take(backstage.clock.time())
        try:
            if not verdict.allowed:
                raise Refusal("Too Many Request", code=TOO_MANY, status=429)
            if not backstage.credentials.knows_surreal(request.headers):
                raise Refusal("Unauthorized", code=TOKEN, status=401)
            answer = await handler(request)
        except Refusal as refusal:
            answer = refusal.response()
        except web.HTTPException as error:
            answer = Refusal(error.reason, code=NO_ENDPOINT, status=error.status).response()
        except RendererDied as error:
            answer = Refusal(str(error), code=INTERNAL, status=500).response()
        answer.headers.update(verdict.headers())
        return answer

    return pass_through


async def read_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body, whatever its content type says: the first sample of `000` sends none."""
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal("the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal("the body is not a JSON object")
    return body


def required_text(body: dict[str, Any], name: str) -> str:
    """A field that must hold text."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(f"{name} is required")
    return value


def required_url(body: dict[str, Any], name: str) -> str:
    """A field that must hold a web address."""
    value = required_text(body, name)
    if not is_url(value):
        raise Refusal(f"{name} is not a downloadable url")
    return value
