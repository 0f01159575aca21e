"""What every Akool call goes through: the credentials, the throttle, the envelope and its codes."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.studio_pool import RendererDied

__all__ = ["Refusal", "count", "fresh_id", "gate", "number", "present", "read_body", "success", "text"]

OPEN_PATHS = ("/v3/getToken",)


class Refusal(Exception):
    """A call that Akool refuses; its business errors travel on HTTP 200."""

    def __init__(self, message: str = "", *, code: int = 1003, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def response(self) -> web.Response:
        """The refusal as an answer."""
        return web.json_response({"code": self.code, "msg": str(self)}, status=self.status)


def success(data: Any) -> web.Response:
    """The envelope of a success."""
    return web.json_response({"code": 1000, "msg": "OK", "data": data})


def gate(backstage: Backstage) -> Middleware:
    """The middleware of the service."""

    @web.middleware
    async def pass_through(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            if not request.path.endswith(OPEN_PATHS):
                _check_credentials(backstage, request)
            if not backstage.akool_limit.take(backstage.clock.time()).allowed:
                raise Refusal("Operation is too frequent", code=1005)
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except RendererDied as error:
            return Refusal(str(error), code=1201, status=500).response()
        except web.HTTPException as error:
            return web.json_response({"status": error.status, "msg": error.reason}, status=error.status)

    return pass_through


def _check_credentials(backstage: Backstage, request: web.Request) -> None:
    verdict = backstage.credentials.judge_akool(request.headers)
    if verdict == "missing":
        raise Refusal("Authorization cannot be empty", code=1102)
    if verdict == "illegal":
        raise Refusal("Illegal token or the token has expired", code=1101)


async def read_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body, whatever its content type says: the Java samples send text/plain."""
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal("Parameter error: the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal("Parameter error: the body is not a JSON object")
    return body


def fresh_id(now: float) -> str:
    """24 hexadecimal digits that open with the time, as Akool's database makes them."""
    return f"{int(now) & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"


def present(body: Mapping[str, Any], name: str) -> bool:
    """Whether a field says anything; null and the samples' ``"webhookUrl": ""`` do not."""
    return body.get(name) not in (None, "")


def text(body: Mapping[str, Any], name: str) -> str:
    """A field that must hold text."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(f"Parameter error: {name} can not be empty")
    return value


def number(body: Mapping[str, Any], name: str, *, default: float | None = None) -> float:
    """A field that must hold a number; without a *default* it must be there."""
    value = default if body.get(name) is None else body[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e6:
        raise Refusal(f"Parameter error: {name} must be a number")
    return float(value)


def count(request: web.Request, name: str, default: int) -> int:
    """A query parameter that must hold a whole number."""
    value = request.query.get(name) or str(default)
    if not value.isascii() or not value.isdecimal() or len(value) > 9:
        raise Refusal(f"Parameter error: {name}")
    return int(value)
