"""One scripted fault: what goes wrong with a request."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.sandbox.engine import Failure
from talking_avatar.sandbox.exchange import Exchange

__all__ = ["Fault"]

_GATEWAY_PAGE = "<html><head><title>{status} Bad Gateway</title></head><body><center><h1>{status} Bad Gateway</h1>"


@attrs.frozen
class Fault:
    """One thing that goes wrong; *play* answers an `Exchange` in its own way."""

    name: str
    play: Callable[[Exchange], Awaitable[web.StreamResponse]] = attrs.field(repr=False, eq=False)

    @classmethod
    def answer(
        cls, status: int, body: str | bytes = "", *, content_type: str = "application/json", **headers: str
    ) -> "Fault":
        """Answer this instead of handling the request; ``Retry_After="2"`` sets the header Retry-After."""
        content = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def play(_exchange: Exchange) -> web.StreamResponse:
            return web.Response(status=status, body=content, content_type=content_type, headers=named)

        return cls(f"answer {status}", play)

    @classmethod
    def too_many(cls, *, retry_after: str | None = None, reset: str | None = None) -> "Fault":
        """Refuse as too frequent, in the words of the service: Surreal's HTTP 429, Akool's code 1005."""
        given = {"Retry-After": retry_after, "X-Ratelimit-Reset": reset}
        headers = {name: value for name, value in given.items() if value is not None}

        async def play(exchange: Exchange) -> web.StreamResponse:
            if exchange.service == "akool":
                return web.json_response({"code": 1005, "msg": "Operation is too frequent"}, headers=headers)
            body = {"code": 1009, "message": "Too Many Request", "data": None}
            return web.json_response(body, status=429, headers=headers)

        return cls("too many", play)

    @classmethod
    def server_error(cls, status: int = 503) -> "Fault":
        """Answer a 5xx with a JSON body that is no envelope."""
        body = json.dumps({"status": status, "error": "internal"})
        return attrs.evolve(cls.answer(status, body), name=f"server error {status}")

    @classmethod
    def html(cls, status: int = 502) -> "Fault":
        """Answer with a gateway's HTML page."""
        page = _GATEWAY_PAGE.format(status=status)
        return attrs.evolve(cls.answer(status, page, content_type="text/html"), name=f"html {status}")

    @classmethod
    def garbage(cls) -> "Fault":
        """Answer 200 with bytes that are no text, labelled as JSON."""
        return attrs.evolve(cls.answer(200, b"\x00\xff\xfe garbage \x80"), name="garbage")

    @classmethod
    def truncated_json(cls, share: float = 0.5) -> "Fault":
        """Handle the request and answer with the first part of the JSON only, as if it were complete."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            answer = await exchange.handle()
            if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                answer.body = answer.body[: int(len(answer.body) * share)]
            return answer

        return cls("truncated json", play)

    @classmethod
    def slow(cls, seconds: float) -> "Fault":
        """Wait *seconds* of the sandbox's clock, then handle the request."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            await exchange.silence(seconds)
            return await exchange.handle()

        return cls(f"slow {seconds:g} s", play)

    @classmethod
    def reset_before(cls) -> "Fault":
        """Reset the connection without handling the request: nothing is created."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            return exchange.reset()

        return cls("reset before", play)

    @classmethod
    def reset_after(cls) -> "Fault":
        """Handle the request and reset the connection: a create has happened, and its reply is lost."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            await exchange.handle()
            return exchange.reset()

        return cls("reset after", play)

    @classmethod
    def lost_reply(cls, seconds: float = 3600.0) -> "Fault":
        """Handle the request and say nothing for *seconds* until the connection closes."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            await exchange.handle()
            await exchange.silence(seconds)
            return exchange.reset()

        return cls("lost reply", play)

    @classmethod
    def edited(cls, edit: Callable[[Any], Any], *, name: str = "edited") -> "Fault":
        """Handle the request and answer with *edit* applied to the decoded JSON."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            return await exchange.edited(edit)

        return cls(name, play)

    @classmethod
    def unknown_status(cls, word: str | int = "warming_up") -> "Fault":
        """Put a status word into the answer that no document knows."""
        return cls.edited(lambda body: _with_status(body, word), name=f"unknown status {word}")

    @classmethod
    def stale_list(cls, missing: int = 1) -> "Fault":
        """Leave the newest *missing* rows out of a list."""
        return cls.edited(lambda body: _without_newest(body, missing), name=f"stale list -{missing}")

    @classmethod
    def truncated_file(cls, share: float = 0.5) -> "Fault":
        """Announce a whole file and hang up after *share* of it."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            return await exchange.cut(share)

        return cls("truncated file", play)

    @classmethod
    def wrong_length(cls, share: float = 0.5) -> "Fault":
        """Announce and send *share* of a file as if that were all of it."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            return await exchange.mislabelled(share)

        return cls("wrong length", play)

    @classmethod
    def failed_render(cls, reason: str = "render failed", *, code: int = 1201) -> "Fault":
        """Accept the create call and let its job fail at its planned time; reason and code are seen at Akool."""

        async def play(exchange: Exchange) -> web.StreamResponse:
            exchange.fail_job(Failure(reason=reason, code=code))
            return await exchange.handle()

        return cls("failed render", play)


def _with_status(value: Any, word: str | int) -> Any:
    if isinstance(value, list):
        return [_with_status(item, word) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: word if key in {"status", "video_status"} else _with_status(item, word) for key, item in value.items()}


def _without_newest(body: Any, missing: int) -> Any:
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, list) and missing:
        return {**body, "data": data[:-missing]}
    if isinstance(data, dict) and isinstance(data.get("result"), list) and missing:
        return {**body, "data": {**data, "result": data["result"][:-missing]}}
    return body
