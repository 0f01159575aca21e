import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from talking_avatar import Akool, AudioElement, AvatarElement, TalkingAvatar
from talking_avatar.errors import ApiError, AuthError, ConfigurationError, Unreachable
from talking_avatar.sandbox import Fault, Sandbox
from talking_avatar.transport.retry import Retry
from tests.akool import payloads
from tests.akool.payloads import success
from tests.doubles import LeapingClock, Recorder, canned

pytestmark = pytest.mark.anyio

SECRET = "client-secret-of-32-characters!!"
REQUEST = TalkingAvatar(elements=(AvatarElement(avatar_id="Y"), AudioElement(url="https://x/a.mp3")))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AKOOL_API_KEY", "AKOOL_CLIENT_ID", "AKOOL_CLIENT_SECRET", "AKOOL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def renewing(**options: Any) -> Akool:
    return Akool(client_id="client", client_secret=SECRET, **options)


@pytest.mark.parametrize(
    ("environment", "make", "header"),
    [
        ({}, lambda: Akool("the-key-itself"), ("x-api-key", "the-key-itself")),
        ({"AKOOL_API_KEY": " the-key-itself "}, Akool, ("x-api-key", "the-key-itself")),
        ({"AKOOL_CLIENT_SECRET": "the-secret"}, Akool, ("x-api-key", "the-secret")),
        ({"AKOOL_API_KEY": "other"}, lambda: Akool(token="a-token"), ("Authorization", "Bearer a-token")),
        ({"AKOOL_API_KEY": "other"}, lambda: Akool("the-key-itself"), ("x-api-key", "the-key-itself")),
    ],
)
async def test_one_credential_goes_in_one_header(
    environment: dict[str, str],
    make: Callable[[], Akool],
    header: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    akool = make()
    port = canned(akool, success({"credit": 1}))
    await akool.account.credits()
    assert port.sent[0][1] == dict([header])


def test_a_client_without_any_credential_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="AKOOL_API_KEY"):
        Akool()


async def test_a_token_is_fetched_as_documented_before_the_first_call() -> None:
    def respond(request: web.Request) -> web.Response:
        fetching = request.path.endswith("getToken")
        return web.json_response(payloads.TOKEN if fetching else success({"credit": 1}))

    async with Recorder(respond=respond) as server, renewing(base_url=server.url) as akool:
        await akool.account.credits()
    fetched, asked = server.seen
    assert (fetched.method, fetched.path) == ("POST", "/api/open/v3/getToken")
    assert fetched.body == {"clientId": "client", "clientSecret": SECRET}
    assert not {"Authorization", "x-api-key"} & set(fetched.headers)
    assert asked.headers["Authorization"] == "Bearer fresh-token-of-akool"
    assert "x-api-key" not in asked.headers


async def test_a_token_inside_data_is_found_as_well() -> None:
    akool = renewing()
    port = canned(akool, success({"token": "nested-token"}), success({"credit": 1}))
    await akool.account.credits()
    assert port.sent[1][1] == {"Authorization": "Bearer nested-token"}


async def test_many_calls_that_meet_an_expired_token_together_renew_it_once() -> None:
    async with Sandbox(renderer="instant", rate=0) as sandbox:
        options: Any = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        async with Akool(base_url=sandbox.url, **options) as akool:
            await akool.account.credits()
            sandbox.expire_tokens()
            sandbox.requests.clear()
            await asyncio.gather(*(akool.account.credits() for _ in range(20)))
        assert len(sandbox.requests.matching(endpoint="getToken")) == 1


async def test_a_create_that_met_an_expired_token_is_sent_again_exactly_once() -> None:
    akool = renewing(token="old-token-of-akool")
    port = canned(akool, payloads.EXPIRED, payloads.TOKEN, success(payloads.CREATED))
    await akool.talking_avatar.generate_video(REQUEST)
    assert port.paths == ["create", "getToken", "create"]
    assert [headers.get("Authorization") for _, headers in port.sent] == [
        "Bearer old-token-of-akool",
        None,
        "Bearer fresh-token-of-akool",
    ]


async def test_a_fresh_token_that_is_refused_too_is_not_renewed_for_ever() -> None:
    akool = renewing(token="old-token-of-akool")
    port = canned(akool, payloads.EXPIRED, payloads.TOKEN, payloads.EXPIRED)
    with pytest.raises(AuthError) as caught:
        await akool.talking_avatar.generate_video(REQUEST)
    assert port.paths == ["create", "getToken", "create"]
    assert caught.value.code == 1101


async def test_an_expired_key_that_nothing_can_renew_is_told_at_once() -> None:
    akool = Akool("the-key-itself")
    port = canned(akool, payloads.EXPIRED)
    with pytest.raises(AuthError, match="fetch another"):
        await akool.account.credits()
    assert len(port.sent) == 1


async def test_a_refused_secret_is_asked_about_once_however_many_calls_wait_for_a_token() -> None:
    async with Sandbox(renderer="instant", rate=0) as sandbox:
        async with Akool(base_url=sandbox.url, client_id=sandbox.client_id, client_secret="wrong-secret") as akool:
            outcomes = await asyncio.gather(*(akool.account.credits() for _ in range(10)), return_exceptions=True)
        assert all(isinstance(outcome, AuthError) for outcome in outcomes), outcomes
        assert len(sandbox.requests.matching(endpoint="getToken")) == 1


async def test_a_waiting_call_renews_when_the_one_ahead_of_it_was_cancelled() -> None:
    async with Sandbox(renderer="instant", rate=0) as sandbox:
        sandbox.faults.add(Fault.slow(3600), endpoint="getToken")
        options: Any = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        async with Akool(base_url=sandbox.url, **options) as akool:
            first = asyncio.create_task(akool.account.credits())
            second = asyncio.create_task(akool.account.credits())
            while not any(rule.hits for rule in sandbox.faults):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
            first.cancel()
            assert await second > 0


@pytest.mark.parametrize("failure", [Unreachable("nobody", sent=True), {"status": 503, "error": "x"}, b"<html>"])
async def test_a_create_whose_token_could_not_be_fetched_has_provably_not_left(failure: Any) -> None:
    akool = renewing(clock=LeapingClock(), retry=Retry(attempts=1))
    port = canned(akool, failure)
    with pytest.raises((ApiError, Unreachable)) as caught:
        await akool.talking_avatar.generate_video(REQUEST)
    assert port.paths == ["getToken"]
    assert not getattr(caught.value, "sent", False)
    assert getattr(caught.value, "refused", True)
