import asyncio
from typing import Any

import pytest
from aiohttp import ClientError, ClientPayloadError

from talking_avatar.sandbox import Fault, Faults

pytestmark = pytest.mark.anyio

BODY = {"pose_id": "kem_03", "audio_url": "http://127.0.0.1:9/a.wav"}
GENERATE = "/v1/a2v/video.generate"


async def raw(caller: Any, path: str = "/v1/a2v/video.list") -> tuple[int, bytes, str]:
    async with caller.session.get(caller.sandbox.url + path, headers=caller.surreal) as response:
        return response.status, await response.read(), response.content_type


async def test_answers_that_are_not_the_services_own(caller: Any) -> None:
    for fault in (Fault.server_error(), Fault.html(504), Fault.garbage(), Fault.answer(418, "tea", Retry_After="7")):
        caller.sandbox.faults.add(fault)
    seen = [await raw(caller) for _ in range(5)]
    assert [each[0] for each in seen] == [503, 504, 200, 418, 200]
    assert [each[2] for each in seen[:2]] == ["application/json", "text/html"]
    assert b"<html>" in seen[1][1]


async def test_too_many_speaks_the_language_of_the_service(caller: Any) -> None:
    caller.sandbox.faults.add(Fault.too_many(retry_after="2"), times=2)
    surreal = await caller.get("/v1/a2v/video.list")
    akool = await caller.get("/api/open/v3/avatar/list")
    assert (surreal.status, surreal.body["code"], surreal.headers["Retry-After"]) == (429, 1009, "2")
    assert (akool.status, akool.body["code"]) == (200, 1005)


async def test_a_reset_before_handling_creates_nothing(caller: Any) -> None:
    caller.sandbox.faults.add(Fault.reset_before(), endpoint="video.generate")
    with pytest.raises((ClientError, ConnectionError)):
        await caller.post(GENERATE, BODY)
    assert not caller.sandbox.creates
    assert caller.sandbox.requests[-1].status == 0


async def test_a_reset_after_handling_has_created_and_loses_the_reply(caller: Any) -> None:
    caller.sandbox.faults.add(Fault.reset_after(), path=GENERATE, times=1)
    with pytest.raises((ClientError, ConnectionError)):
        await caller.post(GENERATE, BODY)
    assert caller.sandbox.creates["surreal.a2v"] == 1
    assert len(await caller.data("/v1/a2v/video.list")) == 1


async def test_a_lost_reply_keeps_the_caller_waiting(caller: Any, clock: Any) -> None:
    caller.sandbox.faults.add(Fault.lost_reply(300), path=GENERATE)
    call = asyncio.ensure_future(caller.post(GENERATE, BODY))
    await clock.until_asleep()
    assert (caller.sandbox.creates["surreal.a2v"], call.done()) == (1, False)
    clock.advance(300)
    with pytest.raises((ClientError, ConnectionError)):
        await call


async def test_closing_the_sandbox_does_not_wait_for_a_lost_reply(caller: Any, clock: Any) -> None:
    caller.sandbox.faults.add(Fault.lost_reply(), path=GENERATE)
    call = asyncio.ensure_future(caller.post(GENERATE, BODY))
    await clock.until_asleep()
    await caller.sandbox.aclose()
    with pytest.raises((ClientError, ConnectionError)):
        await call


async def test_slow_is_slow_by_the_sandbox_clock(caller: Any, clock: Any) -> None:
    caller.sandbox.faults.add(Fault.slow(5))
    call = asyncio.ensure_future(caller.get("/v1/a2v/video.list"))
    await clock.until_asleep()
    clock.advance(5)
    assert (await call).status == 200
    assert caller.sandbox.requests[-1].seconds == 5


async def test_answers_can_be_edited(caller: Any) -> None:
    made = [(await caller.data(GENERATE, BODY))["video_id"] for _ in range(3)]
    faults = caller.sandbox.faults
    for fault in (Fault.unknown_status("dreaming"), Fault.stale_list(2), Fault.edited(lambda body: [body])):
        faults.add(fault, endpoint="video.list")
    assert {row["status"] for row in await caller.data("/v1/a2v/video.list")} == {"dreaming"}
    assert [row["video_id"] for row in await caller.data("/v1/a2v/video.list")] == made[:1]
    assert isinstance((await caller.get("/v1/a2v/video.list")).body, list)
    faults.add(Fault.truncated_json(0.5), endpoint="video.list")
    status, body, _ = await raw(caller)
    assert (status, body[:1], body[-1:] == b"}") == (200, b"{", False)


async def test_akool_lists_can_be_stale_and_statuses_unknown_too(caller: Any) -> None:
    rows = (await caller.data("/api/open/v3/avatar/list"))["result"]
    caller.sandbox.faults.add(Fault.stale_list(1), service="akool")
    assert (await caller.data("/api/open/v3/avatar/list"))["result"] == rows[:-1]


async def test_files_break_off_or_lie_about_their_length(caller: Any) -> None:
    url = await caller.uploaded(b"\x00\x00\x00\x18ftyp" + b"x" * 992)
    caller.sandbox.faults.add(Fault.truncated_file(), service="files")
    with pytest.raises(ClientPayloadError):
        await caller.download(url)
    caller.sandbox.faults.add(Fault.wrong_length(0.25), service="files")
    status, content, headers = await caller.download(url)
    assert (status, len(content), headers["Content-Length"]) == (200, 250, "250")
    assert len((await caller.download(url))[1]) == 1000


async def test_conditions_all_have_to_hold(caller: Any) -> None:
    rule = caller.sandbox.faults.add(
        Fault.html(), service="surreal", method="get", path="/v1/*/video.list", nth=2, times=2
    )
    await caller.post(GENERATE, BODY)
    await caller.get("/api/open/v3/avatar/list")
    statuses = [(await raw(caller))[0] for _ in range(5)]
    assert statuses == [200, 502, 502, 200, 200]
    assert (rule.seen, rule.hits) == (5, 2)


async def test_chance_repeats_with_its_seed(caller: Any) -> None:
    runs = []
    for _ in range(2):
        faults = caller.sandbox._faults = Faults(seed=5)
        rule = faults.add(Fault.html(), probability=0.5, times=None)
        runs.append([rule.probability > faults._rng.random() for _ in range(50)])
    assert runs[0] == runs[1]
    assert 10 < sum(runs[0]) < 40


async def test_the_log_says_which_fault_was_played(caller: Any) -> None:
    caller.sandbox.faults.add(Fault.html())
    await raw(caller)
    await raw(caller)
    log = caller.sandbox.requests
    assert [(seen.endpoint, seen.status, seen.fault) for seen in log.matching(service="surreal")] == [
        ("video.list", 502, "html 502"),
        ("video.list", 200, None),
    ]
