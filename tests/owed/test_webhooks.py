"""Akool's callbacks from the service to the watcher: they save status calls, and can neither fake nor lose a result."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from aiohttp import web

from talking_avatar import AudioElement, AvatarElement, JobWatcher, TalkingAvatar
from talking_avatar.akool.webhook import WebhookReceiver
from talking_avatar.errors import SubmissionUnknown
from talking_avatar.integrations.aiohttp_webhook import webhook_route
from talking_avatar.models.results import RenderStatus
from talking_avatar.sandbox import Fault
from talking_avatar.sandbox.webhook import seal
from talking_avatar.testing import Lab

pytestmark = pytest.mark.anyio

CREATE = "/api/open/v3/talkingavatar/create"
STATUS = "infobymodelid"


@attrs.define
class Post:
    """A web server whose route leads to a watcher; closed, it takes nothing."""

    lab: Lab
    url: str
    watcher: JobWatcher
    receiver: WebhookReceiver

    def request(self) -> TalkingAvatar:
        return TalkingAvatar(elements=(AvatarElement(url=self.lab.photo), AudioElement(url=self.lab.speech)))

    def status_calls(self) -> int:
        return len(self.lab.sandbox.requests.matching(endpoint=STATUS))

    async def forged(self, job_id: str, status: int, *, secret: str = "", **changes: Any) -> int:
        sandbox, now = self.lab.sandbox, int(self.lab.clock.time() * 1000)
        message = {"_id": job_id, "status": status, "type": "video", "url": "https://evil.example/fake.mp4"}
        secret = secret or sandbox.client_secret
        sealed = seal(message, client_id=sandbox.client_id, client_secret=secret, timestamp=now, nonce="1")
        body = {**sealed, **changes}
        async with aiohttp.ClientSession() as session, session.post(self.url, json=body) as answer:
            return answer.status


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(Lab(render_seconds=900.0))
        watcher: list[JobWatcher] = []

        def wake(job_id: str, status: RenderStatus) -> object:
            return watcher[0].wake(job_id, status)

        def settle(token: str, job_id: str) -> None:
            watcher[0].settle(token, job_id)

        receiver = WebhookReceiver(
            client_id=lab.sandbox.client_id,
            client_secret=lab.sandbox.client_secret,
            wake=wake,
            settle=settle,
            clock=lab.clock,
        )
        app = web.Application()
        app.add_routes([webhook_route(receiver)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/akool"
        watcher.append(
            await stack.enter_async_context(
                JobWatcher(lab.akool, journal=tmp_path / "renders.db", clock=lab.clock, webhook_url=url, seed=1)
            )
        )
        yield Post(lab, url, watcher[0], receiver)


async def test_a_finished_job_costs_at_most_two_status_calls(post: Post) -> None:
    jobs = await asyncio.gather(*(post.watcher.submit(post.request(), key=str(i)) for i in range(10)))
    for job in jobs:
        assert (await job).status is RenderStatus.FINISHED
        assert job.accepted_at + 900 <= post.lab.clock.monotonic() <= job.accepted_at + 930
    assert post.status_calls() <= 2 * len(jobs)


async def test_copies_cost_nothing_more(post: Post) -> None:
    post.lab.sandbox.webhooks.copies = 5
    await (await post.watcher.submit(post.request()))
    await post.lab.clock.sleep(600)
    assert post.status_calls() <= 2


async def test_a_forged_result_is_only_a_reason_to_look(post: Post) -> None:
    job = await post.watcher.submit(post.request())
    assert await post.forged(job.ref.id, 3) == 200
    await post.lab.clock.sleep(10)
    assert not job.done()
    assert post.status_calls() >= 1
    assert str((await job).video_url).startswith(post.lab.sandbox.url)


async def test_one_without_the_secret_is_refused(post: Post) -> None:
    job = await post.watcher.submit(post.request())
    assert await post.forged(job.ref.id, 3, secret="x" * 32) == 400
    assert await post.forged(job.ref.id, 3, signature="0" * 40) == 400
    assert post.status_calls() == 0


async def test_one_for_a_job_nobody_knows_changes_nothing(post: Post) -> None:
    job = await post.watcher.submit(post.request())
    assert await post.forged("no-such-job", 4) == 200
    assert not job.done()
    await job


async def test_an_early_one_costs_no_look_and_hides_no_result(post: Post) -> None:
    job = await post.watcher.submit(post.request())
    post.lab.sandbox.send_webhook(job.ref.id, status=2)
    await post.lab.clock.sleep(30)
    assert post.status_calls() == 0
    await job
    assert post.status_calls() <= 2


async def test_a_call_before_the_result_can_be_read_is_not_the_last_look(post: Post) -> None:
    post.lab.sandbox.webhooks.attempts = 0
    job = await post.watcher.submit(post.request())
    await post.lab.clock.sleep(880)
    assert await post.forged(job.ref.id, 3) == 200
    await job
    assert post.lab.clock.monotonic() - job.accepted_at <= 960


async def test_a_forged_failure_ends_nothing(post: Post) -> None:
    job = await post.watcher.submit(post.request())
    await post.forged(job.ref.id, 4)
    await post.lab.clock.sleep(30)
    assert not job.done()
    await job


async def test_missing_ones_are_found_by_polling_and_then_no_longer_waited_for(post: Post) -> None:
    post.lab.sandbox.webhooks.attempts = 0
    first = await post.watcher.submit(post.request())
    await first
    assert post.lab.clock.monotonic() - first.accepted_at <= 3_900
    second = await post.watcher.submit(post.request())
    await second
    assert post.lab.clock.monotonic() - second.accepted_at <= 900 + 60


async def test_a_lost_create_is_settled_by_its_callback(post: Post) -> None:
    post.lab.sandbox.faults.add(Fault.reset_after(), path=CREATE)
    with pytest.raises(SubmissionUnknown):
        await post.watcher.submit(post.request(), key="a")
    await post.lab.clock.sleep(1_000)
    job = await post.watcher.submit(post.request(), key="a")
    assert (await job).status is RenderStatus.FINISHED
    assert post.lab.sandbox.creates == {"akool.talking_avatar": 1}


async def test_no_credential_is_in_the_journal(post: Post, tmp_path: Path) -> None:
    sandbox = post.lab.sandbox
    sandbox.faults.add(Fault.answer(401, f'{{"code": 1101, "msg": "bad key {sandbox.api_key}"}}'), path=CREATE)
    await asyncio.gather(post.watcher.submit(post.request(), key="a"), return_exceptions=True)
    await (await post.watcher.submit(post.request(), key="a"))
    await post.watcher.aclose()
    kept = whole(tmp_path)
    assert b"talking_avatar" in kept
    for secret in (sandbox.api_key, sandbox.client_id, sandbox.token):
        assert secret.encode() not in kept


def whole(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("renders.db*"))
