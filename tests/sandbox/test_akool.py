from typing import Any

import pytest

pytestmark = pytest.mark.anyio

PLACE = {"scale_x": 1, "scale_y": 1, "offset_x": 0, "offset_y": 0}
OPEN = "/api/open"


def composition(*, avatar: dict[str, Any] | None = None, audio: dict[str, Any] | None = None, **more: Any) -> Any:
    elements = [
        {"type": "image", "url": "#00ff0080", "width": 780, "height": 438, **PLACE},
        {"type": "avatar", **PLACE, **(avatar or {"avatar_id": "liza_a0008"})},
        {"type": "audio", **(audio or {"input_text": "Hello there", "voice_id": "6889b628662160e2caad5dbc"})},
    ]
    return {"width": 3840, "height": 2160, "avatar_from": 2, "elements": elements, **more}


async def created(caller: Any, body: Any) -> str:
    data = await caller.data(f"{OPEN}/v3/talkingavatar/create", body)
    await caller.sandbox.idle()
    return str(data["_id"])


async def video(caller: Any, video_id: str) -> Any:
    return await caller.data(f"{OPEN}/v3/content/video/infobymodelid", video_model_id=video_id)


async def test_a_video_goes_from_one_to_three_and_lasts_seven_days(caller: Any, clock: Any, renderer: Any) -> None:
    video_id = await created(caller, composition())
    seen = []
    for seconds in (0, 10, 60):
        clock.advance(seconds)
        seen.append(await video(caller, video_id))
    assert [each["video_status"] for each in seen] == [1, 2, 3]
    assert [each["progress"] for each in seen] == [0, 7, 100]
    assert seen[0]["video"] == ""
    clock.advance(7 * 86_400 - 20)
    url = (await video(caller, video_id))["video"]
    assert (await caller.download(url))[1][4:8] == b"ftyp"
    clock.advance(20)
    assert (await caller.download((await video(caller, video_id))["video"]))[0] == 403


async def test_what_is_rendered_is_what_was_asked_for(caller: Any, renderer: Any) -> None:
    photo, sound = await caller.uploaded(b"FACE:200"), await caller.uploaded(b"SOUND:90")
    avatar = {"url": photo, "width": 1080, "offset_x": 5}
    # Both are given, the URL wins (004).
    audio = {"url": sound, "input_text": "unheard", "voice_id": "unknown"}
    await created(caller, composition(avatar=avatar, audio=audio, avatar_from=3))
    (kind, layers, heard, width, height) = renderer.calls[-1]
    assert (kind, heard, width, height) == ("composition", b"SOUND:90", 3840, 2160)
    assert [layer.colour for layer in layers] == ["#00ff0080", None]
    assert (layers[1].picture, layers[1].talks, layers[1].offset_x, layers[1].width) == (b"FACE:200", True, 5, 1080)


async def test_text_is_spoken_by_the_voice_that_was_named(caller: Any, renderer: Any) -> None:
    voices = await caller.data(f"{OPEN}/v4/voice/list", type=2)
    audio = {"input_text": "Hej", "voice_id": voices["result"][1]["voice_id"]}
    await created(caller, composition(audio=audio))
    assert renderer.calls[0] == ("speak", "Hej", "Bo")
    assert renderer.calls[-1][1][1].presenter == "liza_a0008"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (1003, {"elements": []}),
        (1003, {"elements": None}),
        (1003, {"avatar_from": None}),
        (1003, {"avatar_from": []}),
        (1003, {"width": None}),
        (1003, {"width": 3841}),
        (1003, {"height": float("nan")}),
        (1003, {"elements": [{"type": "audio", "url": "http://127.0.0.1/x"}]}),
        (1003, {"elements": [{"type": "video"}]}),
        (1003, composition(avatar={"avatar_id": ""})),
        (1003, composition(avatar={"url": "http://127.0.0.1/x"})),
        (1003, composition(audio={"input_text": "hi"})),
        (1003, composition(audio={"voice_id": "Ada"})),
        (1003, composition(audio={"input_text": "x" * 5001, "voice_id": "Ada"})),
        (1014, composition(audio={"input_text": "hi", "voice_id": "nobody"})),
        (1014, composition(avatar={"avatar_id": "nobody"})),
    ],
)
async def test_what_breaks_a_rule_is_refused_before_it_costs(caller: Any, code: int, change: Any) -> None:
    answer = await caller.post(f"{OPEN}/v3/talkingavatar/create", {**composition(), **change})
    assert (answer.status, answer.body["code"]) == (200, code), answer.body
    assert caller.sandbox.credits == 10_000


async def test_credits_are_spent_until_there_are_none(caller: Any) -> None:
    caller.sandbox.credits = 15
    await created(caller, composition())
    assert await caller.data(f"{OPEN}/v3/faceswap/quota/info") == {"credit": 5}
    answer = await caller.post(f"{OPEN}/v3/talkingavatar/create", composition())
    assert answer.body["code"] == 1006
    assert caller.sandbox.creates["akool.talking_avatar"] == 1


async def test_an_input_that_cannot_be_had_ends_in_four_with_a_reason(caller: Any) -> None:
    audio = {"url": f"{caller.sandbox.url}/uploads/nothing"}
    seen = await video(caller, await created(caller, composition(audio=audio)))
    assert (seen["video_status"], seen["error_code"], seen["error_reason"]) == (4, 1014, "answered with HTTP 404")


async def test_an_unknown_video_does_not_exist(caller: Any) -> None:
    for query in ({"video_model_id": "64b126c4a680e8edea44f02b"}, {}):
        answer = await caller.get(f"{OPEN}/v3/content/video/infobymodelid", **query)
        assert (answer.status, answer.body["code"]) == (200, 1008)


async def test_pages_of_avatars_go_on_until_one_is_empty(caller: Any) -> None:
    pages = [await caller.data(f"{OPEN}/v3/avatar/list", page=page, size=3) for page in (1, 2, 3)]
    assert [len(page["result"]) for page in pages] == [3, 1, 0]
    rows = [row for page in pages for row in page["result"]]
    assert len({row["avatar_id"] for row in rows}) < len(rows)
    assert {row["from"] for row in rows} == {2}
    talking = await caller.data(f"{OPEN}/v3/avatar/list", **{"from": 2, "type": 1})
    assert len(talking["result"]) == 3
    assert (await caller.get(f"{OPEN}/v3/avatar/list", page="x")).body["code"] == 1003


async def test_an_uploaded_avatar_is_usable_when_it_is_ready(caller: Any, clock: Any, renderer: Any) -> None:
    body = {"url": await caller.uploaded(b"FACE:80"), "avatar_id": "HHdEKhn7k7", "name": "Mine", "type": 1}
    made = await caller.data(f"{OPEN}/v3/avatar/create", body)
    await caller.sandbox.idle()
    assert (made["status"], made["avatar_id"], made["from"]) == (1, "HHdEKhn7k7", 3)
    own = composition(avatar={"avatar_id": "HHdEKhn7k7"}, avatar_from=3)
    clock.advance(10)
    assert (await caller.data(f"{OPEN}/v3/avatar/detail", id=made["_id"]))["status"] == 2
    assert (await caller.post(f"{OPEN}/v3/talkingavatar/create", own)).body["code"] == 1105
    clock.advance(60)
    # The vendor's PHP sample leaves the name of the parameter out (004).
    assert (await caller.data(f"{OPEN}/v3/avatar/detail?{made['_id']}"))["status"] == 3
    listed = await caller.data(f"{OPEN}/v3/avatar/list", **{"from": 3})
    assert [row["name"] for row in listed["result"]] == ["Mine"]
    await created(caller, own)
    assert renderer.calls[-1][1][1].picture == b"FACE:80"


@pytest.mark.parametrize(
    "change", [{"url": ""}, {"url": None}, {"avatar_id": "has_underscore"}, {"avatar_id": ""}, {"type": 3}]
)
async def test_an_upload_that_breaks_a_rule_is_refused(caller: Any, change: Any) -> None:
    body = {"url": "http://127.0.0.1/x.mp4", "avatar_id": "abc", "type": "1", **change}
    assert (await caller.post(f"{OPEN}/v3/avatar/create", body)).body["code"] == 1003


async def test_an_avatar_id_is_taken_once(caller: Any) -> None:
    body = {"url": "http://127.0.0.1:9/x.mp4", "avatar_id": "abc"}
    await caller.data(f"{OPEN}/v3/avatar/create", body)
    assert (await caller.post(f"{OPEN}/v3/avatar/create", body)).body["code"] == 1222


async def test_an_upload_without_a_face_fails(caller: Any) -> None:
    body = {"url": await caller.uploaded(b"FACE:0"), "avatar_id": "abc"}
    made = await caller.data(f"{OPEN}/v3/avatar/create", body)
    await caller.sandbox.idle()
    assert (await caller.data(f"{OPEN}/v3/avatar/detail", id=made["_id"]))["status"] == 4


async def test_speech_is_a_job_whose_result_is_nested_once_more(caller: Any, clock: Any) -> None:
    made = await caller.data(f"{OPEN}/v4/voice/tts", {"input_text": "x" * 30, "voice_id": "Ada"})
    await caller.sandbox.idle()
    assert (made["status"], made["preview"]) == (1, None)
    clock.advance(60)
    speech = (await caller.data(f"{OPEN}/v4/voice/resource/detail/{made['_id']}"))["result"]
    assert (speech["status"], speech["duration"]) == (3, 3000)
    assert (await caller.download(speech["preview"]))[1] == b"SOUND:3.0"


async def test_a_cloned_voice_can_speak_when_it_is_ready(caller: Any, clock: Any) -> None:
    body = {"source_voice_file": await caller.uploaded(b"SOUND:20"), "name": "Me"}
    made = await caller.data(f"{OPEN}/v4/voice/clone", body)
    await caller.sandbox.idle()
    assert (made["status"], made["voice_id"]) == (1, None)
    clock.advance(60)
    clone = await caller.data(f"{OPEN}/v4/voice/detail/{made['_id']}")
    assert (clone["status"], clone["name"]) == (3, "Me")
    listed = await caller.data(f"{OPEN}/v4/voice/list", type=1)
    assert (listed["result"], listed["count"]) == ([clone], 1)
    await caller.data(f"{OPEN}/v4/voice/tts", {"input_text": "hi", "voice_id": clone["voice_id"]})


async def test_unknown_speech_and_voices_do_not_exist(caller: Any) -> None:
    for path in ("resource/detail", "detail"):
        assert (await caller.get(f"{OPEN}/v4/voice/{path}/66a1a02d591ad336275eda62")).body["code"] == 1014


async def test_a_token_is_issued_beside_the_code_and_expires_by_script(caller: Any) -> None:
    sandbox = caller.sandbox
    body = {"clientId": sandbox.client_id, "clientSecret": sandbox.client_secret}
    answer = await caller.post(f"{OPEN}/v3/getToken", body, {})
    assert set(answer.body) == {"code", "token"}
    # Authorization wins over x-api-key (004).
    headers = {"Authorization": f"Bearer {answer.body['token']}", "x-api-key": "wrong"}
    assert (await caller.get(f"{OPEN}/v3/faceswap/quota/info", headers)).body["code"] == 1000
    assert sandbox.expire_tokens() == 1
    assert (await caller.get(f"{OPEN}/v3/faceswap/quota/info", headers)).body["code"] == 1101
    wrong = await caller.post(f"{OPEN}/v3/getToken", {**body, "clientSecret": "wrong"}, {})
    assert wrong.body["code"] == 1101


async def test_missing_and_wrong_keys_have_codes_of_their_own(caller: Any) -> None:
    codes = [
        (await caller.get(f"{OPEN}/v3/avatar/list", headers)).body["code"] for headers in ({}, {"x-api-key": "wrong"})
    ]
    assert codes == [1102, 1101]


class TestThrottle:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"akool_rate": 1}

    async def test_too_frequent_is_1005_on_http_200(self, caller: Any) -> None:
        answers = [await caller.get(f"{OPEN}/v3/faceswap/quota/info") for _ in range(2)]
        assert [(answer.status, answer.body["code"]) for answer in answers] == [(200, 1000), (200, 1005)]


class TestDocumentedShapes:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"shapes": "documented"}

    async def test_avatars_come_in_arrays(self, caller: Any) -> None:
        listed = await caller.data(f"{OPEN}/v3/avatar/list")
        assert isinstance(listed, list)
        assert await caller.data(f"{OPEN}/v3/avatar/detail", id=listed[0]["_id"]) == [listed[0]]
        (made,) = await caller.data(f"{OPEN}/v3/avatar/create", {"url": "http://127.0.0.1:9/x", "avatar_id": "abc"})
        assert made["status"] == 1

    async def test_a_video_has_the_documented_fields_only(self, caller: Any) -> None:
        seen = await video(caller, await created(caller, composition()))
        fields = {"_id", "create_time", "uid", "video_id", "deduction_duration", "video_status", "video"}
        assert set(seen) == fields
