import asyncio
from typing import Any

import pytest

from talking_avatar.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

FAMILIES = ("cg_avatar", "a2v", "v2v")


async def request_for(caller: Any, family: str) -> dict[str, Any]:
    body: dict[str, Any] = {"audio_url": await caller.uploaded(b"SOUND:10")}
    if family == "a2v":
        return {**body, "pose_id": "liza_a0008"}
    photo = await caller.uploaded(b"FACE:300")
    if family == "v2v":
        return {**body, "image_url": photo}
    (avatar,) = await caller.data("/v1/cg_avatar/avatar.generate", {"image_url": photo})
    return {**body, "avatar_id": avatar["avatar_id"]}


async def created(caller: Any, family: str, **more: Any) -> str:
    body = {**await request_for(caller, family), **more}
    data = await caller.data(f"/v1/{family}/video.generate", body)
    assert data["status"] == "pending"
    await caller.sandbox.idle()
    return str(data["video_id"])


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_video_goes_through_the_documented_words_to_a_file(caller: Any, clock: Any, family: str) -> None:
    video_id = await created(caller, family)
    seen = []
    for seconds in (0, 10, 60):
        clock.advance(seconds)
        seen.append(await caller.data(f"/v1/{family}/video.get", video_id=video_id))
    assert [each["status"] for each in seen] == ["pending", "in_progressing", "finished"]
    assert [set(each) for each in seen[:2]] == [{"video_id", "status"}] * 2
    assert await caller.data(f"/v1/{family}/video.list") == [seen[-1]]
    status, content, _ = await caller.download(seen[-1]["video_url"])
    assert (status, content[4:8]) == (200, b"ftyp")


async def test_a_mask_is_made_for_characters_and_on_request(caller: Any, clock: Any) -> None:
    ids = {
        "cg_avatar": await created(caller, "cg_avatar"),
        "a2v": await created(caller, "a2v", with_mask=True),
        "v2v": await created(caller, "v2v"),
    }
    clock.advance(60)
    videos = {family: await caller.data(f"/v1/{family}/video.get", video_id=ids[family]) for family in FAMILIES}
    assert [family for family in FAMILIES if "mask_video_url" in videos[family]] == ["cg_avatar", "a2v"]
    assert (await caller.download(videos["a2v"]["mask_video_url"]))[1].endswith(b"ftypmask")


async def test_lists_are_oldest_first_and_keep_to_their_family(caller: Any) -> None:
    ids = [await created(caller, "v2v") for _ in range(3)]
    await created(caller, "a2v")
    assert [row["video_id"] for row in await caller.data("/v1/v2v/video.list")] == ids
    answer = await caller.get("/v1/a2v/video.get", video_id=ids[0])
    assert (answer.status, answer.body) == (404, {"code": "10001", "message": "Video Not Found", "data": None})


async def test_presenters_and_their_poses_are_listed_without_a_message(caller: Any) -> None:
    answer = await caller.get("/v1/a2v/avatar.list")
    assert set(answer.body) == {"code", "data"}
    liza = answer.body["data"][0]
    assert set(liza) == {"id", "avatar_type", "name", "gender", "display_name", "preview_url", "poses"}
    poses = await caller.get("/v1/a2v/avatar-pose.list", avatar_id=liza["id"])
    assert poses.body == {"code": 0, "data": liza["poses"]}
    assert (await caller.download(liza["poses"][1]["preview_url"]))[1] == b"\x89PNG liza_a0009"


async def test_an_avatar_is_drawn_inside_the_call_and_listed(caller: Any) -> None:
    photo = await caller.uploaded(b"FACE:40")
    (made,) = await caller.data("/v1/cg_avatar/avatar.generate", {"image_url": photo})
    assert set(made) == {"avatar_id", "gender", "preview_url"}
    assert await caller.data("/v1/cg_avatar/avatar.list") == [made]
    assert (await caller.download(made["preview_url"]))[1] == b"\x89PNG character"


async def test_speech_is_spoken_at_once(caller: Any) -> None:
    voices = await caller.data("/v1/tts/voice.list")
    assert (voices[0]["gender"], voices[0]["tags"]) == ("Female", "Young,Calm")
    spoken = await caller.data("/v1/tts/voice.generate", {"text": "x" * 500, "voice_name": "Ada"})
    assert (await caller.download(spoken["url"]))[1] == b"SOUND:50.0"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/tts/voice.generate", {"text": "x" * 501, "voice_name": "Ada"}),
        ("/v1/tts/voice.generate", {"text": "hi", "voice_name": "Nobody"}),
        ("/v1/tts/voice.generate", {"text": "hi"}),
        ("/v1/v2v/video.generate", {"image_url": "http://127.0.0.1/x"}),
        ("/v1/v2v/video.generate", {"image_url": "file:///etc/hosts", "audio_url": "http://127.0.0.1/x"}),
        ("/v1/a2v/video.generate", {"pose_id": "nobody", "audio_url": "http://127.0.0.1/x"}),
        ("/v1/a2v/video.generate", {"pose_id": "kem_03", "audio_url": "http://127.0.0.1/x", "with_mask": "maybe"}),
        ("/v1/cg_avatar/video.generate", {"avatar_id": "nobody", "audio_url": "http://127.0.0.1/x"}),
        ("/v1/cg_avatar/avatar.generate", {}),
        ("/v1/cg_avatar/avatar.generate", ["not", "an", "object"]),
    ],
)
async def test_what_breaks_a_rule_is_refused_in_the_envelope(caller: Any, path: str, body: Any) -> None:
    answer = await caller.post(path, body)
    assert (answer.status, answer.body["code"] != 0, answer.body["data"]) == (400, True, None)
    assert not caller.sandbox.creates


@pytest.mark.parametrize("photo", [b"FACE:159", b"FACE:0", b"hello"])
async def test_a_photo_without_a_large_enough_face_is_http_400(caller: Any, photo: bytes) -> None:
    body = {"image_url": await caller.uploaded(photo), "audio_url": await caller.uploaded(b"SOUND:10")}
    assert (await caller.post("/v1/v2v/video.generate", body)).status == 400


async def test_audio_of_more_than_a_minute_is_refused(caller: Any) -> None:
    body = {"pose_id": "kem_03", "audio_url": await caller.uploaded(b"SOUND:60.5")}
    answer = await caller.post("/v1/a2v/video.generate", body)
    assert (answer.status, answer.body["message"]) == (400, "the audio is longer than 1 minute")


async def test_a_recording_that_cannot_be_had_or_is_none_fails_the_job(caller: Any) -> None:
    ids = [
        await created(caller, "a2v", audio_url=url)
        for url in (f"{caller.sandbox.url}/uploads/nothing", await caller.uploaded(b"hello"))
    ]
    for video_id in ids:
        seen = await caller.data("/v1/a2v/video.get", video_id=video_id)
        assert seen == {"video_id": video_id, "status": "error"}


async def test_a_wrong_token_is_refused(caller: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "surreal-token"}):
        answer = await caller.get("/v1/v2v/video.list", headers)
        assert (answer.status, answer.body["code"], answer.body["data"]) == (401, 1001, None)


async def test_an_unknown_endpoint_answers_in_the_envelope(caller: Any) -> None:
    for method, path in (("GET", "/v1/v2v/nothing"), ("POST", "/v1/v2v/video.list")):
        answer = await caller.call(method, path)
        assert answer.status in {404, 405}
        assert set(answer.body) == {"code", "message", "data"}


async def test_result_addresses_last_an_hour_and_each_look_renews_them(caller: Any, clock: Any) -> None:
    video_id = await created(caller, "v2v")
    clock.advance(60)
    first = (await caller.data("/v1/v2v/video.get", video_id=video_id))["video_url"]
    clock.advance(3599)
    assert (await caller.download(first))[0] == 200
    clock.advance(2)
    status, body, _ = await caller.download(first)
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)
    renewed = (await caller.data("/v1/v2v/video.list"))[0]["video_url"]
    assert (await caller.download(renewed))[0] == 200


async def test_a_scripted_failure_ends_in_error_at_its_time(caller: Any, clock: Any) -> None:
    caller.sandbox.faults.add(Fault.failed_render(), endpoint="video.generate")
    video_id = await created(caller, "v2v")
    clock.advance(59)
    assert (await caller.data("/v1/v2v/video.get", video_id=video_id))["status"] == "in_progressing"
    clock.advance(1)
    assert (await caller.data("/v1/v2v/video.get", video_id=video_id))["status"] == "error"


class TestRate:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"rate": 3}

    async def test_every_answer_carries_the_limit_and_the_fourth_is_429(self, caller: Any, clock: Any) -> None:
        answers = [await caller.get("/v1/v2v/video.list"), await caller.get("/v1/tts/voice.list")]
        answers += [await caller.get("/v1/nothing"), await caller.get("/v1/v2v/video.list")]
        assert [answer.headers["X-Ratelimit-Left"] for answer in answers] == ["2", "1", "0", "0"]
        assert {answer.headers["X-Ratelimit-Reset"] for answer in answers} == {str(int(clock.time()) + 60)}
        assert answers[-1].status == 429
        assert answers[-1].body == {"code": 1009, "message": "Too Many Request", "data": None}
        assert "Retry-After" not in answers[-1].headers
        clock.advance(60)
        assert (await caller.get("/v1/v2v/video.list")).status == 200


class TestDocumentedShapes:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"shapes": "documented", "avatar_seconds": 50}

    async def test_a_drawn_avatar_is_an_object_after_fifty_seconds(
        self, caller: Any, clock: Any, sandbox: Sandbox
    ) -> None:
        photo = await caller.uploaded(b"FACE:200")
        call = asyncio.ensure_future(caller.data("/v1/cg_avatar/avatar.generate", {"image_url": photo}))
        await clock.until_asleep()
        assert not sandbox.creates
        clock.advance(50)
        assert (await call)["gender"] == "male"
