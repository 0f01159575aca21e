import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from talking_avatar.sandbox import Fault
from talking_avatar.sandbox.webhook import seal, sign

pytestmark = pytest.mark.anyio

VECTOR_CLIENT_ID = "ZHVtbXktY2xpZW50LWlkIQ=="
VECTOR_MESSAGE = {
    "_id": "67491cdb4d9d1664a9782292",
    "status": 3,
    "type": "avatar",
    "url": "https://example.com/out.mp4",
    "deduction_credit": 10,
}
VECTORS = {
    "dummy-secret-24-chars-xx": (
        "db9b185483d38bf29ade6836db6382642205460d",
        (
            "Zj8Wb93EdoTPsv6qKdF7E92yHsh8avg0bes3yjwRNqtxy7c1FklR1LLHfEAm8+qWidmr8DSaUhm/mVuYHLeeWW/2uLQMF1MxhMywH5xfFvnt"
            "UKtXz03BAWX59xZ81AdnEpl9sJHxsEsmqJpCSCXezovp+wxLx5jj5k1Jyo3CzUA="
        ),
    ),
    "dummy-secret-with-32-characters!": (
        "2852e4ab83fd49a678937988e2e7f20eb5dc0ec6",
        (
            "LoeqzKKdRHyIF7sBpedhTPpEUOH045YtWho/IhBWJcsUjySv3NHIO8AqL8VdNgqScbjU6Nk5QqE2BBu7NH5GgxB1ON2Buqrcte0/bj0qQBN1"
            "U7zNGN1ufNsiwbfzvxOvZd+dyfJs283ESMAP94YBx5slXu2HBSH/ljm3ipcy4fc="
        ),
    ),
}

BODY = {
    "width": 3840,
    "height": 2160,
    "avatar_from": 2,
    "elements": [
        {"type": "avatar", "avatar_id": "kem_03", "scale_x": 1, "scale_y": 1, "offset_x": 0, "offset_y": 0},
        {"type": "audio", "input_text": "Hello", "voice_id": "Ada"},
    ],
}


@attrs.define
class Receiver:
    """Somebody's webhook address, with the answers it is to give."""

    url: str = ""
    answers: list[int] = attrs.field(factory=list)
    bodies: list[Any] = attrs.field(factory=list)
    arrived: asyncio.Queue[Any] = attrs.field(factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        self.arrived.put_nowait(await request.json())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/hook", receiver.receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


def opened(body: Any, sandbox: Any) -> Any:
    mode = modes.CBC(sandbox.client_id.encode()[:16])
    cipher = Cipher(algorithms.AES(sandbox.client_secret.encode()), mode).decryptor()
    plain = cipher.update(base64.b64decode(body["dataEncrypt"])) + cipher.finalize()
    return json.loads(plain[: -plain[-1]])


async def create(caller: Any, receiver: Receiver) -> str:
    data = await caller.data("/api/open/v3/talkingavatar/create", {**BODY, "webhookUrl": receiver.url})
    await caller.sandbox.idle()
    return str(data["_id"])


async def delivered(sandbox: Any, count: int = 1) -> None:
    while len(sandbox.webhooks.deliveries) < count:  # noqa: ASYNC110 - what it waits for is the public log
        await asyncio.sleep(0)


@pytest.mark.parametrize("secret", VECTORS)
def test_the_message_is_sealed_as_two_crypto_libraries_agree(secret: str) -> None:
    signature, sealed = VECTORS[secret]
    body = seal(VECTOR_MESSAGE, client_id=VECTOR_CLIENT_ID, client_secret=secret, timestamp=1710757981609, nonce="1529")
    expected = {"signature": signature, "dataEncrypt": sealed, "timestamp": 1710757981609, "nonce": "1529"}
    assert body == expected


async def test_a_finished_job_is_announced_at_its_planned_end(caller: Any, clock: Any, receiver: Receiver) -> None:
    video_id = await create(caller, receiver)
    await clock.until_asleep()
    assert receiver.arrived.empty()
    clock.advance(60)
    body = await receiver.arrived.get()
    message = opened(body, caller.sandbox)
    assert (message["_id"], message["status"], message["type"]) == (video_id, 3, "avatar")
    assert (await caller.download(message["url"]))[0] == 200
    client_id = caller.sandbox.client_id
    assert body["signature"] == sign(client_id, body["timestamp"], body["nonce"], body["dataEncrypt"])


async def test_a_failed_job_is_announced_without_a_reason(caller: Any, clock: Any, receiver: Receiver) -> None:
    caller.sandbox.faults.add(Fault.failed_render("because"), endpoint="create")
    await create(caller, receiver)
    await clock.until_asleep()
    clock.advance(60)
    message = opened(await receiver.arrived.get(), caller.sandbox)
    assert (message["status"], message["url"], "because" in str(message)) == (4, "", False)


async def test_it_is_posted_again_until_the_answer_is_200(caller: Any, clock: Any, receiver: Receiver) -> None:
    receiver.answers = [500, 404, 302]
    await create(caller, receiver)
    for _ in range(4):
        await clock.until_asleep()
        clock.advance(61)
        await receiver.arrived.get()
    assert [each.status for each in caller.sandbox.webhooks.deliveries][:3] == [500, 404, 302]


async def test_it_gives_up_after_a_bounded_number_of_attempts(caller: Any, clock: Any, receiver: Receiver) -> None:
    receiver.answers = [500] * 100
    await create(caller, receiver)
    for _ in range(5):
        await clock.until_asleep()
        clock.advance(61)
        await receiver.arrived.get()
    await delivered(caller.sandbox, 5)
    await asyncio.sleep(0)
    assert not clock.sleepers


async def test_copies_and_repeats_can_be_scripted(caller: Any, clock: Any, receiver: Receiver) -> None:
    caller.sandbox.webhooks.copies = 2
    video_id = await create(caller, receiver)
    await clock.until_asleep()
    clock.advance(60)
    arrived = [opened(await receiver.arrived.get(), caller.sandbox) for _ in range(2)]
    caller.sandbox.webhooks.copies = 1
    caller.sandbox.send_webhook(video_id, status=2)
    arrived.append(opened(await receiver.arrived.get(), caller.sandbox))
    assert [each["status"] for each in arrived] == [3, 3, 2]


async def test_a_receiver_that_is_not_there_harms_nobody(caller: Any, clock: Any) -> None:
    await create(caller, Receiver(url="http://127.0.0.1:9/hook"))
    await clock.until_asleep()
    clock.advance(60)
    await delivered(caller.sandbox)
    assert "ClientConnectorError" in str(caller.sandbox.webhooks.deliveries[0].error)


class TestUnusableKey:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"api_key": "short"}

    async def test_a_key_that_is_no_aes_key_is_reported_where_one_looks(
        self, caller: Any, clock: Any, receiver: Receiver
    ) -> None:
        await create(caller, receiver)
        await clock.until_asleep()
        clock.advance(60)
        await delivered(caller.sandbox)
        assert "16, 24 or 32" in str(caller.sandbox.webhooks.deliveries[0].error)


def test_the_order_of_the_signed_values_does_not_matter() -> None:
    assert sign("client", 1, "2", "sealed") == sign("sealed", 1, "2", "client")
