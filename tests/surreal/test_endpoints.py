from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from talking_avatar import (
    AudioToVideo,
    Avatar,
    CGAvatarVideo,
    JobRef,
    Pose,
    RenderStatus,
    Speech,
    Surreal,
    TalkingPhoto,
    Video,
    Voice,
)
from tests.doubles import Recorder, canned
from tests.surreal import payloads

pytestmark = pytest.mark.anyio

PHOTO, SOUND = "https://example.com/head_portrait", "https://example.com/audio"
ID = "<<VIDEO_ID>>"


@attrs.frozen
class Sample:
    """One documented call: what is sent, and what the documents answer."""

    call: Callable[[Surreal], Awaitable[Any]]
    sent: tuple[str, str, dict[str, str], Any]
    answer: dict[str, Any]
    result: Any


def video(family: str, status: RenderStatus, word: str, **more: Any) -> Video:
    return Video(id=ID, ref=JobRef("surreal", family, ID), status=status, raw_status=word, **more)


def family_samples(family: str) -> dict[str, Sample]:
    body: dict[str, Any] = {
        "cg_avatar": {"avatar_id": "a1", "audio_url": SOUND},
        "a2v": {"pose_id": "liza_a0008", "audio_url": SOUND},
        "v2v": {"image_url": PHOTO, "audio_url": SOUND},
    }[family]
    kind: Any = {"cg_avatar": CGAvatarVideo, "a2v": AudioToVideo, "v2v": TalkingPhoto}[family]
    get = ("GET", f"/v1/{family}/video.get", {"video_id": ID}, None)
    read = lambda surreal: getattr(surreal, family).get_video(ID)  # noqa: E731
    rendering = video(family, RenderStatus.PROCESSING, "in_progressing")
    finished = video(family, RenderStatus.FINISHED, "finished", video_url="<<VIDEO_DOWNLOAD_URL>>")
    failed = video(family, RenderStatus.FAILED, "error")
    return {
        f"{family} video.generate": Sample(
            lambda surreal: getattr(surreal, family).generate_video(kind(**body)),
            ("POST", f"/v1/{family}/video.generate", {}, body),
            payloads.CREATED,
            video(family, RenderStatus.PENDING, "pending"),
        ),
        f"{family} video.get in progress": Sample(read, get, payloads.IN_PROGRESS, rendering),
        f"{family} video.get finished": Sample(read, get, payloads.FINISHED, finished),
        f"{family} video.get error": Sample(read, get, payloads.FAILED, failed),
        f"{family} video.list": Sample(
            lambda surreal: getattr(surreal, family).list_videos(),
            ("GET", f"/v1/{family}/video.list", {}, None),
            payloads.VIDEO_LIST,
            [rendering, finished, failed],
        ),
    }


def heads(*rows: dict[str, str]) -> list[Avatar]:
    return [
        Avatar(
            id=row["avatar_id"],
            avatar_id=row["avatar_id"],
            gender=row["gender"],
            kind="cg_avatar",
            preview_url=row["preview_url"],
            extra={key: value for key, value in row.items() if key == "avatar_url"},
        )
        for row in rows
    ]


def generated(name: str, answer: dict[str, Any], row: dict[str, str]) -> dict[str, Sample]:
    sample = Sample(
        lambda surreal: surreal.cg_avatar.generate_avatar(PHOTO),
        ("POST", "/v1/cg_avatar/avatar.generate", {}, {"image_url": PHOTO}),
        answer,
        heads(row)[0],
    )
    return {f"cg_avatar avatar.generate {name}": sample}


SAMPLES = {
    **family_samples("cg_avatar"),
    **family_samples("a2v"),
    **family_samples("v2v"),
    **generated("object", payloads.AVATAR_OBJECT, payloads.AVATAR_OBJECT["data"]),
    **generated("raw", payloads.AVATAR_RAW, payloads.AVATAR_RAW["data"][0]),
    **generated("array", payloads.AVATAR_ARRAY, payloads.AVATAR_ARRAY["data"][0]),
    "cg_avatar avatar.list": Sample(
        lambda surreal: surreal.cg_avatar.list_avatars(),
        ("GET", "/v1/cg_avatar/avatar.list", {}, None),
        payloads.AVATAR_LIST,
        heads(*payloads.AVATAR_LIST["data"]),
    ),
    "tts voice.list": Sample(
        lambda surreal: surreal.tts.list_voices(),
        ("GET", "/v1/tts/voice.list", {}, None),
        payloads.VOICES,
        [
            Voice(
                id="en-US-Jenny",
                voice_id="en-US-Jenny",
                name="en-US-Jenny",
                gender="female",
                language="English",
                locale="en-US",
                tags=("Young", "Warm", "News"),
                preview_url="https://example.com/jenny.mp3",
            )
        ],
    ),
    "tts voice.generate": Sample(
        lambda surreal: surreal.tts.generate_speech("Hello", voice_name="en-US-Jenny"),
        ("POST", "/v1/tts/voice.generate", {}, {"text": "Hello", "voice_name": "en-US-Jenny"}),
        payloads.SPEECH,
        Speech(id="tts%2F0a1b.mp3", url=payloads.SPEECH["data"]["url"]),
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_documented_call_is_sent_as_documented_and_its_sample_answer_understood(name: str) -> None:
    sample = SAMPLES[name]
    async with Recorder(sample.answer) as server, Surreal("secret-token", base_url=server.url) as surreal:
        assert await sample.call(surreal) == sample.result
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.query, seen.body) == sample.sent
    assert seen.headers["Authorization"] == "Bearer secret-token"
    assert "x-api-key" not in seen.headers
    if seen.body is not None:
        assert seen.headers["Content-Type"] == "application/json"


async def test_a2v_avatars_keep_their_number_their_names_and_every_pose_of_a_repeated_id() -> None:
    surreal = Surreal("secret-token")
    canned(surreal, payloads.PRESENTERS)
    jason, _, peter = await surreal.a2v.list_avatars()
    assert (jason.id, jason.name, jason.extra, jason.kind) == ("1", "Jason", {"name": "jason"}, "cg_human")
    assert [(pose.pose_id, pose.name) for pose in peter.poses] == [("kem_03", "Peter 03"), ("kem_03", "Peter 01")]


async def test_a2v_poses_are_asked_for_by_avatar_and_a_repeated_id_is_kept_twice() -> None:
    async with Recorder(payloads.POSES) as server, Surreal("secret-token", base_url=server.url) as surreal:
        found = await surreal.a2v.list_poses("29")
    assert server.seen[0].query == {"avatar_id": "29"}
    urls = [row["preview_url"] for row in payloads.POSES["data"]]
    names = ("Peter 03", "Peter 01")
    assert found == [Pose(pose_id="kem_03", name=n, preview_url=u) for n, u in zip(names, urls, strict=True)]


async def test_with_mask_is_sent_when_it_is_asked_for_and_not_otherwise() -> None:
    surreal = Surreal("secret-token")
    port = canned(surreal, payloads.CREATED)
    for mask in (True, False):
        await surreal.a2v.generate_video(AudioToVideo(pose_id="p", audio_url=SOUND, with_mask=mask))
    assert [call.body for call, _ in port.sent] == [
        {"pose_id": "p", "audio_url": SOUND, "with_mask": True},
        {"pose_id": "p", "audio_url": SOUND},
    ]


@pytest.mark.parametrize(
    ("family", "payload", "mask"),
    [
        ("cg_avatar", payloads.FINISHED_MASKED_CG, "<<MASK_VIDEO_DOWNLOAD_URL>>"),
        ("a2v", payloads.FINISHED_MASKED_A2V, "<<MASK_VIDEO_URL>>"),
    ],
)
async def test_the_mask_video_of_a_finished_render_is_told(family: str, payload: Any, mask: str) -> None:
    surreal = Surreal("secret-token")
    canned(surreal, payload)
    assert (await getattr(surreal, family).get_video(ID)).mask_video_url == mask


async def test_a_list_may_tell_one_video_twice() -> None:
    surreal = Surreal("secret-token")
    canned(surreal, payloads.VIDEO_LIST_001)
    assert len(await surreal.cg_avatar.list_videos()) == 2


async def test_a_mask_in_a_list_is_told() -> None:
    surreal = Surreal("secret-token")
    canned(surreal, payloads.VIDEO_LIST_A2V)
    assert (await surreal.a2v.list_videos())[1].mask_video_url == "<<MASK_VIDEO_DOWNLOAD_URL>>"


async def test_generating_an_avatar_may_take_100_seconds_and_everything_else_is_short() -> None:
    surreal = Surreal("secret-token")
    port = canned(surreal, payloads.AVATAR_RAW, payloads.FINISHED)
    await surreal.cg_avatar.generate_avatar(PHOTO)
    await surreal.cg_avatar.get_video(ID)
    assert [call.timeout >= 100 for call, _ in port.sent] == [True, False]


async def test_ids_that_need_quoting_arrive_as_they_are() -> None:
    async with Recorder(payloads.FINISHED) as server, Surreal("secret-token", base_url=server.url) as surreal:
        await surreal.v2v.get_video("a b&c=d/é%2F+")
    assert server.seen[0].query == {"video_id": "a b&c=d/é%2F+"}


async def test_an_unknown_status_keeps_its_word_and_is_not_final() -> None:
    surreal = Surreal("secret-token")
    canned(surreal, {"code": "0", "data": {"video_id": 7, "status": "warming_up", "eta": 3}})
    seen = await surreal.v2v.get_video("7")
    assert (seen.id, seen.status, seen.raw_status, seen.extra) == ("7", RenderStatus.UNKNOWN, "warming_up", {"eta": 3})
    assert not seen.status.is_final


async def test_the_expiry_of_a_signed_link_is_read_from_it() -> None:
    surreal = Surreal("secret-token")
    url = "https://x/y.mp4?OSSAccessKeyId=k&Expires=1652006948&Signature=s"
    canned(surreal, {"code": 0, "data": {"video_id": "v", "status": "finished", "video_url": url}})
    expires = (await surreal.v2v.get_video("v")).expires_at
    assert expires is not None
    assert expires.timestamp() == 1652006948


async def test_a_listing_is_scanned_by_id_and_word_and_decodes_what_is_asked_for() -> None:
    surreal = Surreal("secret-token")
    rows = [{"video_id": "a", "status": "pending"}, "junk", {"status": "x"}, {"video_id": 5}, {"video_id": [1]}]
    canned(surreal, {"code": 0, "data": rows})
    product = surreal.v2v.product
    assert product.listing is not None
    listing = await product.listing()
    assert dict(listing.words) == {"a": "pending", "5": ""}
    assert listing.decode("5").status is RenderStatus.UNKNOWN
