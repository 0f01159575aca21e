from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from talking_avatar import (
    Akool,
    AudioElement,
    AvatarElement,
    AvatarUpload,
    ImageElement,
    JobRef,
    RenderStatus,
    SpeechRequest,
    TalkingAvatar,
    VoiceClone,
)
from tests.akool import payloads
from tests.akool.payloads import success
from tests.doubles import Recorder, canned

pytestmark = pytest.mark.anyio

KEY = "akool-api-key-of-thirty-two-chars"
IMAGE, AVATAR, AUDIO = payloads.CREATE["elements"]


def without_type(element: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in element.items() if key != "type"}


DOCUMENTED = TalkingAvatar(
    elements=(
        ImageElement(**without_type(IMAGE)),
        AvatarElement(**without_type(AVATAR)),
        AudioElement(**without_type(AUDIO)),
    )
)


@attrs.frozen
class Sample:
    call: Callable[[Akool], Awaitable[Any]]
    sent: tuple[str, str, dict[str, str], Any]
    answer: Any
    tells: dict[str, Any]


SAMPLES = {
    "talkingavatar/create": Sample(
        lambda akool: akool.talking_avatar.generate_video(DOCUMENTED),
        ("POST", "/api/open/v3/talkingavatar/create", {}, payloads.CREATE),
        success(payloads.CREATED),
        {
            "id": "67491cdb4d9d1664a9782292",
            "ref": JobRef("akool", "talking_avatar", "67491cdb4d9d1664a9782292"),
            "status": RenderStatus.PENDING,
            "raw_status": "1",
            "video_url": None,
        },
    ),
    "content/video/infobymodelid": Sample(
        lambda akool: akool.talking_avatar.get_video("64b126c4a680e8edea44f02b"),
        ("GET", "/api/open/v3/content/video/infobymodelid", {"video_model_id": "64b126c4a680e8edea44f02b"}, None),
        success(payloads.VIDEO),
        {
            "id": "64dd92c1f0b6684651e90e09",
            "status": RenderStatus.PROCESSING,
            "video_url": None,
            "credits": 10,
            "created_at": datetime(2023, 8, 17, 3, 23, 45, 334000, tzinfo=UTC),
            "expires_at": datetime(2023, 8, 24, 3, 23, 45, 334000, tzinfo=UTC),
            "extra": {"uid": 378337, "video_id": "0acfed62e24f4cfd8801c9e846347b1d"},
        },
    ),
    "avatar/detail": Sample(
        lambda akool: akool.avatars.get_avatar("66a1a02d591ad336275eda62"),
        ("GET", "/api/open/v3/avatar/detail", {"id": "66a1a02d591ad336275eda62"}, None),
        success([payloads.AVATAR_DETAIL_ROW], "ok"),
        {
            "id": "66a1a02d591ad336275eda62",
            "avatar_id": "",
            "name": "30870eb0",
            "origin": 3,
            "status": RenderStatus.FINISHED,
        },
    ),
    "avatar/create": Sample(
        lambda akool: akool.avatars.upload_avatar(AvatarUpload(**payloads.AVATAR_UPLOAD)),
        ("POST", "/api/open/v3/avatar/create", {}, payloads.AVATAR_UPLOAD),
        success([payloads.AVATAR_UPLOADED_ROW], "ok"),
        {
            "id": "655ffeada6976ea317087193",
            "avatar_id": "Yasmin_in_White_shirt_20231121",
            "status": RenderStatus.PENDING,
            "gender": "female",
        },
    ),
    "voice/tts": Sample(
        lambda akool: akool.voices.generate_speech(SpeechRequest(text="Hello", voice_id="v2")),
        ("POST", "/api/open/v4/voice/tts", {}, {"input_text": "Hello", "voice_id": "v2"}),
        success(payloads.SPOKEN),
        {"id": "s1", "url": None, "status": RenderStatus.PENDING},
    ),
    "voice/resource/detail": Sample(
        lambda akool: akool.voices.get_speech("s1"),
        ("GET", "/api/open/v4/voice/resource/detail/s1", {}, None),
        success({"result": payloads.SPEECH}),
        {"id": "s1", "url": "https://example.com/s1.mp3", "status": RenderStatus.FINISHED, "duration": 2.5},
    ),
    "voice/clone": Sample(
        lambda akool: akool.voices.clone_voice(VoiceClone(source_url="https://example.com/me.wav", name="Mine")),
        ("POST", "/api/open/v4/voice/clone", {}, {"source_voice_file": "https://example.com/me.wav", "name": "Mine"}),
        success(payloads.CLONING),
        {"id": "c1", "voice_id": None, "status": RenderStatus.PENDING, "name": "Mine"},
    ),
    "voice/detail": Sample(
        lambda akool: akool.voices.get_voice("c1"),
        ("GET", "/api/open/v4/voice/detail/c1", {}, None),
        success(payloads.CLONED),
        {"id": "c1", "voice_id": "v1", "status": RenderStatus.FINISHED, "gender": "male"},
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_documented_call_is_sent_as_documented_and_its_sample_answer_understood(name: str) -> None:
    sample = SAMPLES[name]
    async with Recorder(sample.answer) as server, Akool(KEY, base_url=server.url) as akool:
        result = await sample.call(akool)
    assert {field: getattr(result, field) for field in sample.tells} == sample.tells
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.query, seen.body) == sample.sent
    assert seen.headers["x-api-key"] == KEY
    assert "Authorization" not in seen.headers


async def test_the_balance_is_a_number_of_credits() -> None:
    async with Recorder(success({"credit": 12.5})) as server, Akool(KEY, base_url=server.url) as akool:
        assert await akool.account.credits() == 12.5
    assert (server.seen[0].method, server.seen[0].path) == ("GET", "/api/open/v3/faceswap/quota/info")


async def test_avatars_are_listed_by_the_documents_query() -> None:
    async with Recorder(success([payloads.AVATAR_LIST_ROW], "ok")) as server, Akool(KEY, base_url=server.url) as akool:
        (yasmin,) = await akool.avatars.list_avatars(origin=2)
    assert server.seen[0].path == "/api/open/v3/avatar/list"
    assert server.seen[0].query == {"from": "2", "page": "1", "size": "100"}
    assert yasmin.id == yasmin.avatar_id == "Yasmin_in_White_shirt_20231121"
    assert (yasmin.gender, yasmin.origin, yasmin.status) == ("female", 2, RenderStatus.FINISHED)
    assert yasmin.preview_url == payloads.AVATAR_LIST_ROW["thumbnailUrl"]
    assert yasmin.extra == {"url": payloads.AVATAR_LIST_ROW["url"]}


async def test_voices_are_listed_with_their_tags() -> None:
    async with Recorder(success(payloads.VOICE_LIST)) as server, Akool(KEY, base_url=server.url) as akool:
        (alice,) = await akool.voices.list_voices()
    assert server.seen[0].path == "/api/open/v4/voice/list"
    assert server.seen[0].query == {"type": "2", "page": "1", "size": "100"}
    assert (alice.voice_id, alice.name, alice.gender, alice.tags) == ("v2", "Alice", "female", ("Calm", "Warm"))


def pages_of(count: int) -> list[Any]:
    rows = [{**payloads.AVATAR_LIST_ROW, "avatar_id": f"a{number}"} for number in range(count)]
    return [success({"result": rows[at : at + 100]}) for at in range(0, count + 1, 100)]


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (99, 1), (100, 2), (250, 3)])
async def test_every_page_is_read_until_a_short_one(count: int, asked: int) -> None:
    akool = Akool(KEY)
    port = canned(akool, *pages_of(count))
    assert len(await akool.avatars.list_avatars()) == count
    assert [(call.query or {})["page"] for call, _ in port.sent] == [str(page + 1) for page in range(asked)]


async def test_a_service_that_repeats_its_page_is_asked_twice_and_told_once() -> None:
    akool = Akool(KEY)
    port = canned(akool, pages_of(100)[0])
    assert len(await akool.avatars.list_avatars()) == 100
    assert len(port.sent) == 2


async def test_an_avatar_id_that_comes_under_two_names_is_kept_twice() -> None:
    akool = Akool(KEY)
    rows = [payloads.AVATAR_LIST_ROW, {**payloads.AVATAR_LIST_ROW, "name": "again"}]
    canned(akool, success({"list": rows}))
    assert [avatar.name for avatar in await akool.avatars.list_avatars()] == ["Yasmin in White shirt", "again"]


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: [row]], ids=["object", "array"])
@pytest.mark.parametrize("key", ["video_status", "status", "image_status", "faceswap_status"])
@pytest.mark.parametrize(
    ("word", "status"),
    [
        (1, RenderStatus.PENDING),
        ("2", RenderStatus.PROCESSING),
        (3.0, RenderStatus.FINISHED),
        (4, RenderStatus.FAILED),
        (9, RenderStatus.UNKNOWN),
        ("rendering", RenderStatus.UNKNOWN),
    ],
)
async def test_the_status_is_found_under_every_spelling_of_its_key(
    wrap: Callable[[Any], Any], key: str, word: Any, status: RenderStatus
) -> None:
    akool = Akool(KEY)
    canned(akool, success(wrap({"_id": "v", key: word})))
    seen = await akool.talking_avatar.get_video("v")
    assert (seen.status, seen.raw_status, seen.extra) == (status, str(word), {})


async def test_a_failed_render_keeps_the_services_code_and_reason() -> None:
    akool = Akool(KEY)
    row = {**payloads.VIDEO, "video_status": 4, "error_code": 1202, "error_reason": "too long", "progress": 130}
    canned(akool, success(row))
    seen = await akool.talking_avatar.get_video("v")
    assert (seen.error_code, seen.error_reason, seen.progress) == ("1202", "too long", 100)


async def test_a_video_without_its_time_has_no_expiry() -> None:
    akool = Akool(KEY)
    canned(akool, success({"_id": "v", "video_status": 3, "video": "https://x/v.mp4"}))
    seen = await akool.talking_avatar.get_video("v")
    assert (seen.created_at, seen.expires_at, seen.video_url) == (None, None, "https://x/v.mp4")


async def test_results_are_good_for_seven_days() -> None:
    akool = Akool(KEY)
    canned(akool, success(payloads.CREATED | {"video_status": 3}))
    seen = await akool.talking_avatar.get_video("v")
    assert seen.expires_at is not None
    assert seen.created_at is not None
    assert seen.expires_at - seen.created_at == timedelta(days=7)


@pytest.mark.parametrize(
    ("avatar", "chosen", "sent"),
    [
        ({"url": "https://x/a.mp4"}, None, 3),
        ({"avatar_id": "Yasmin"}, None, 2),
        ({"avatar_id": "Yasmin"}, 3, 3),
        ({"avatar_id": "mine", "url": "https://x/a.mp4"}, None, 3),
        ({"avatar_id": "Yasmin"}, 2, 2),
    ],
)
async def test_avatar_from_is_derived_unless_it_is_given(avatar: Any, chosen: Any, sent: int) -> None:
    akool = Akool(KEY)
    port = canned(akool, success(payloads.CREATED))
    elements = (AvatarElement(**avatar), AudioElement(url="https://x/a.mp3"))
    await akool.talking_avatar.generate_video(TalkingAvatar(elements=elements, avatar_from=chosen))
    body = port.sent[0][0].body
    assert body is not None
    assert body["avatar_from"] == sent


async def test_nothing_is_sent_as_null_and_what_was_not_set_not_at_all() -> None:
    akool = Akool(KEY)
    port = canned(akool, success({**payloads.CREATED, "status": 1}))
    elements = (
        ImageElement(url="#ffffff00"),
        AvatarElement(avatar_id="Y"),
        AudioElement(input_text="Hi", voice_id="v"),
    )
    await akool.talking_avatar.generate_video(TalkingAvatar(elements=elements))
    await akool.avatars.upload_avatar(AvatarUpload(url="https://x/a.mp4", avatar_id="mine"))
    await akool.voices.generate_speech(
        SpeechRequest(text="Hi", voice_id="v", voice_options={"speed": 1.1}, webhook_url="https://x/hook")
    )
    placed = {"scale_x": 1, "scale_y": 1, "offset_x": 0, "offset_y": 0}
    assert [call.body for call, _ in port.sent] == [
        {
            "width": 3840,
            "height": 2160,
            "avatar_from": 2,
            "elements": [
                {"type": "image", "url": "#ffffff00", **placed},
                {"type": "avatar", "avatar_id": "Y", **placed},
                {"type": "audio", "input_text": "Hi", "voice_id": "v"},
            ],
        },
        {"url": "https://x/a.mp4", "avatar_id": "mine", "type": 1},
        {"input_text": "Hi", "voice_id": "v", "voice_options": {"speed": 1.1}, "webhookUrl": "https://x/hook"},
    ]


@pytest.mark.parametrize("payload", [payloads.CLONED, {"result": payloads.CLONED}, [payloads.CLONED]])
async def test_a_cloned_voice_is_read_nested_or_not(payload: Any) -> None:
    akool = Akool(KEY)
    canned(akool, success(payload))
    assert (await akool.voices.get_voice("c1")).voice_id == "v1"


async def test_an_id_in_a_path_cannot_leave_its_place() -> None:
    async with Recorder(success({"result": payloads.SPEECH})) as server, Akool(KEY, base_url=server.url) as akool:
        await akool.voices.get_speech("../../x?y=1")
    assert server.seen[0].path == "/api/open/v4/voice/resource/detail/../../x?y=1"
    assert server.seen[0].query == {}
