import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from talking_avatar.akool.webhook import WebhookReceiver
from talking_avatar.integrations.aiohttp_webhook import webhook_route
from talking_avatar.integrations.asgi_webhook import WebhookApp
from talking_avatar.models.results import RenderStatus

pytestmark = pytest.mark.anyio

JOB = "67491cdb4d9d1664a9782292"
DELIVERY = json.dumps(
    {
        "signature": "db9b185483d38bf29ade6836db6382642205460d",
        "dataEncrypt": (
            "Zj8Wb93EdoTPsv6qKdF7E92yHsh8avg0bes3yjwRNqtxy7c1FklR1LLHfEAm8+qWidmr8DSaUhm/mVuYHLeeWW/2uLQMF1MxhMywH5xf"
            "FvntUKtXz03BAWX59xZ81AdnEpl9sJHxsEsmqJpCSCXezovp+wxLx5jj5k1Jyo3CzUA="
        ),
        "timestamp": 1710757981609,
        "nonce": "1529",
    }
).encode()


@pytest.fixture
def heard() -> list[tuple[str, ...]]:
    return []


@pytest.fixture
def receiver(heard: list[tuple[str, ...]]) -> WebhookReceiver:
    def wake(job: str, status: RenderStatus) -> None:
        heard.append((job, status))

    def settle(token: str, job: str) -> None:
        heard.append((token, job))

    return WebhookReceiver(
        client_id="ZHVtbXktY2xpZW50LWlkIQ==",
        client_secret="dummy-secret-24-chars-xx",
        wake=wake,
        settle=settle,
        max_age=None,
        max_body=4_096,
    )


class TestAiohttp:
    @pytest.fixture
    async def url(self, receiver: WebhookReceiver) -> AsyncIterator[str]:
        app = web.Application()
        app.add_routes([webhook_route(receiver), webhook_route(receiver, "/jobs/{job}")])
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/akool", [(JOB, "finished")]),
            ("/akool?job=t1", [("t1", JOB), (JOB, "finished")]),
            ("/jobs/t2", [("t2", JOB), (JOB, "finished")]),
        ],
    )
    async def test_a_delivery_is_answered_200_and_passed_on(
        self, url: str, heard: list[tuple[str, ...]], path: str, expected: list[tuple[str, ...]]
    ) -> None:
        async with aiohttp.ClientSession() as session, session.post(url + path, data=DELIVERY) as response:
            assert response.status == 200
        assert heard == expected

    @pytest.mark.parametrize(("body", "status"), [(b"junk", 400), (b"x" * 4_097, 413), (b"x" * 1_000_000, 413)])
    async def test_junk_is_refused(self, url: str, heard: list[tuple[str, ...]], body: bytes, status: int) -> None:
        async with aiohttp.ClientSession() as session, session.post(f"{url}/akool", data=body) as response:
            assert (response.status, await response.read()) == (status, b"")
        assert heard == []

    async def test_only_post_is_taken(self, url: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/akool") as response:
            assert response.status == 405


class TestAsgi:
    @staticmethod
    async def call(
        receiver: WebhookReceiver, scope: MutableMapping[str, Any], *messages: MutableMapping[str, Any]
    ) -> list[MutableMapping[str, Any]]:
        sent: list[MutableMapping[str, Any]] = []
        waiting = iter(messages)

        async def receive() -> MutableMapping[str, Any]:
            return next(waiting)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await WebhookApp(receiver)(scope, receive, send)
        return sent

    @staticmethod
    def post(**changes: Any) -> dict[str, Any]:
        return {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []} | changes

    @pytest.mark.parametrize(
        ("changes", "token"),
        [({}, None), ({"query_string": b"a=b&job=t1"}, "t1"), ({"path_params": {"job": "t2"}}, "t2")],
    )
    async def test_a_delivery_in_pieces_is_answered_200_and_passed_on(
        self, receiver: WebhookReceiver, heard: list[tuple[str, ...]], changes: dict[str, Any], token: str | None
    ) -> None:
        pieces: list[dict[str, Any]] = [
            {"type": "http.request", "body": DELIVERY[:100], "more_body": True},
            {"type": "http.request", "body": DELIVERY[100:]},
        ]
        start, body = await self.call(receiver, self.post(**changes), *pieces)
        assert (start["type"], start["status"], body["body"]) == ("http.response.start", 200, b"")
        assert heard == ([(token, JOB)] if token else []) + [(JOB, "finished")]

    @pytest.mark.parametrize(
        ("changes", "body", "status"),
        [
            ({}, b"junk", 400),
            ({}, b"x" * 4_097, 413),
            ({"headers": [(b"content-encoding", b"gzip")]}, DELIVERY, 415),
            ({"query_string": b"&".join([b"a=b"] * 200)}, DELIVERY, 200),
        ],
    )
    async def test_each_body_has_its_answer(
        self, receiver: WebhookReceiver, changes: dict[str, Any], body: bytes, status: int
    ) -> None:
        start, _ = await self.call(receiver, self.post(**changes), {"type": "http.request", "body": body})
        assert start["status"] == status

    async def test_an_endless_body_is_not_read_to_its_end(self, receiver: WebhookReceiver) -> None:
        piece = {"type": "http.request", "body": b"x" * 1_000, "more_body": True}
        start, _ = await self.call(receiver, self.post(), *[piece] * 5)
        assert start["status"] == 413

    async def test_only_post_is_taken(self, receiver: WebhookReceiver) -> None:
        start, _ = await self.call(receiver, self.post(method="GET"))
        assert start["status"] == 405
        assert (b"allow", b"POST") in start["headers"]

    async def test_a_sender_that_leaves_gets_no_answer(self, receiver: WebhookReceiver) -> None:
        assert await self.call(receiver, self.post(), {"type": "http.disconnect"}) == []

    async def test_lifespan_is_followed_and_other_scopes_declined(self, receiver: WebhookReceiver) -> None:
        life = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent = await self.call(receiver, {"type": "lifespan"}, *life)
        assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert (await self.call(receiver, {"type": "websocket"}))[0]["type"] == "websocket.close"
        with pytest.raises(NotImplementedError):
            await self.call(receiver, {"type": "tcp"})
