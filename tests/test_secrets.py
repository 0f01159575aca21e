"""A credential goes to its service in a header, and nowhere else."""

import asyncio
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from talking_avatar import Akool, Surreal, TalkingPhoto
from talking_avatar.akool.auth import token_call
from talking_avatar.errors import ConfigurationError, TalkingAvatarError, Unreachable
from talking_avatar.secret import Secret
from talking_avatar.transport.aiohttp import AiohttpFiles
from talking_avatar.transport.retry import Retry
from tests.doubles import LeapingClock, Recorder, canned

SENTINEL = "SENTINEL-credential-0123456789-ab"
PHOTO = TalkingPhoto(image_url="https://x/a.jpg", audio_url="https://x/a.mp3")
ONCE: dict[str, Any] = {"retry": Retry(attempts=1)}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


# What a test itself holds in its own frames is not what the SDK shows.
OWN = (__file__, "doubles.py")


def shown(error: BaseException) -> str:
    """Everything that a logger with locals, a debugger or a crash reporter would print of an error."""
    texts = []
    for each in chain(error):
        texts += [str(each), repr(each), repr(vars(each)), repr(each.args)]
        for frame in traceback.TracebackException.from_exception(each, capture_locals=True).stack:
            if not frame.filename.endswith(OWN):
                texts += (frame.locals or {}).values()
    return "\n".join(texts)


def clients(base_url: str) -> list[Any]:
    return [
        Surreal(SENTINEL, base_url=base_url, **ONCE),
        Akool(SENTINEL, base_url=base_url, **ONCE),
        Akool(token=SENTINEL, base_url=base_url, **ONCE),
        Akool(client_id="id", client_secret=SENTINEL, base_url=base_url, **ONCE),
        Akool(client_id="id", client_secret=SENTINEL, token=SENTINEL, base_url=base_url, **ONCE),
    ]


def ask(client: Any) -> Awaitable[Any]:
    return client.v2v.get_video("v") if isinstance(client, Surreal) else client.account.credits()


async def failure_of(client: Any) -> TalkingAvatarError:
    async with client:
        with pytest.raises(TalkingAvatarError) as caught:
            await ask(client)
    return caught.value


def echo(request: web.Request) -> web.Response:
    sent = f"{request.headers.get('Authorization')} {request.headers.get('x-api-key')}"
    return web.json_response({"code": 1101, "msg": f"illegal: {sent}", "message": sent, "data": {"token": sent}})


ANSWERS: dict[str, Recorder] = {
    "refusal": Recorder({"code": 1101, "msg": "illegal token"}, status=401),
    "html": Recorder(b"<html>", status=502),
    "garbage": Recorder(b"\x00\xff"),
    "another shape": Recorder({"code": 1000, "data": [1, 2]}),
    "redirect": Recorder(b"", status=302, headers={"Location": "https://elsewhere.example/"}),
    "what was sent": Recorder(respond=echo),
}


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_error_about_an_answer_shows_the_credential(answer: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    template = ANSWERS[answer]
    recorder = Recorder(template.content, template.status, template.headers, template.respond)
    asyncio.get_running_loop().set_debug(True)
    async with recorder as server:
        for client in clients(server.url):
            error = await failure_of(client)
            assert SENTINEL not in shown(error), (client, answer)
            assert SENTINEL not in str(pickle.dumps(error))
    assert SENTINEL not in caplog.text
    assert not [record for record in caplog.records if SENTINEL in repr(vars(record))]


@pytest.mark.anyio
async def test_no_error_about_a_lost_connection_shows_the_credential(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for client in clients(f"http://127.0.0.1:{port}"):
        assert SENTINEL not in shown(await failure_of(client))
    server.close()
    for client in clients(f"http://127.0.0.1:{port}"):
        error = await failure_of(client)
        assert isinstance(error, Unreachable)
        assert SENTINEL not in shown(error)
    assert SENTINEL not in caplog.text


def test_no_repr_shows_the_credential() -> None:
    for client in clients("http://127.0.0.1:1"):
        parts = [client, client._channel, client._channel.credential, client._channel.gate, client.products]
        assert SENTINEL not in "".join(map(repr, parts))
        assert SENTINEL not in repr(vars(client))
    call = token_call("id", Secret(SENTINEL))
    assert SENTINEL not in repr(call) + repr(dict(call.body or {}))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Surreal(SENTINEL, base_url="ftp://x"),
        lambda: Surreal(SENTINEL, account="a b"),
        lambda: Akool(SENTINEL, base_url="ftp://x"),
        lambda: Akool(client_id="i", client_secret=SENTINEL, token=SENTINEL, base_url="ftp://x"),
    ],
)
def test_a_client_that_cannot_be_made_does_not_show_the_credential(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert SENTINEL not in shown(caught.value)


@pytest.mark.anyio
async def test_a_create_that_fails_does_not_show_the_credential() -> None:
    surreal = Surreal(SENTINEL, clock=LeapingClock())
    canned(surreal, {"code": 10001, "message": f"no such token {SENTINEL}"})
    with pytest.raises(TalkingAvatarError) as caught:
        await surreal.v2v.generate_video(PHOTO)
    assert SENTINEL not in shown(caught.value)


@pytest.mark.anyio
async def test_files_are_fetched_without_any_credential() -> None:
    files = AiohttpFiles()
    async with Recorder(b"film") as server:
        async with Surreal(SENTINEL, base_url=server.url), files.open(f"{server.url}/film", {}):
            pass
        await files.aclose()
    assert not {"Authorization", "x-api-key"} & set(server.seen[0].headers)


@pytest.mark.anyio
async def test_a_passed_in_session_learns_no_credential() -> None:
    async with Recorder({"code": 0, "data": {"video_id": "v"}}) as server, aiohttp.ClientSession() as session:
        surreal = Surreal(SENTINEL, base_url=server.url, session=session)
        await surreal.v2v.get_video("v")
        async with session.get(server.url):
            pass
    assert "Authorization" in server.seen[0].headers
    assert "Authorization" not in server.seen[1].headers


def test_a_secret_is_a_string_that_only_formatting_shows() -> None:
    secret = Secret(SENTINEL)
    assert f"Bearer {secret}" == f"Bearer {SENTINEL}"
    assert SENTINEL not in f"{secret!r} {[secret]} { ({'k': secret}) }"
    assert secret == SENTINEL
