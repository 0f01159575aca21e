"""The samples of the vendors' documents, with host, credentials and placeholders replaced and nothing else.

Each row is one sample: the method and path it asks for, the headers it sends besides the credential, its body as it
is written, and what a correct answer to it is.
"""

import json
from typing import Any

import attrs
import pytest

pytestmark = pytest.mark.anyio

PHOTO, RECORDING = "<<IMAGE_URL>>", "<<AUDIO_URL>>"
JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VENDOR = "https://drz0f01yeq1cx.cloudfront.net"
PLACE = {"scale_x": 1, "scale_y": 1, "offset_x": 1920, "offset_y": 1080}
AUDIO_URL = f"{VENDOR}/1729666642023-bd6ad5f1-d558-40c7-b720-ad729688f814-6403.mp3"
SENTENCE = "A military parade is a formation of military personnels whose movement is restricted by drilling."

COMPOSITION: dict[str, Any] = {
    "width": 3840,
    "height": 2160,
    "avatar_from": 3,
    "elements": [
        {"type": "image", "url": f"{VENDOR}/1729480978805-talkingAvatarbg.png", "width": 780, "height": 438, **PLACE},
        {
            "type": "avatar",
            "url": f"{VENDOR}/1735009621724-7ce105c6-ed9a-4d13-9061-7e3df59d9798-7953.mp4",
            **PLACE,
            "width": 1080,
            "height": 1080,
        },
        {"type": "audio", "url": AUDIO_URL},
    ],
}
BOTH = {"type": "audio", "url": AUDIO_URL, "input_text": SENTENCE, "voice_id": "6889b628662160e2caad5dbc"}
WITH_BOTH = {**COMPOSITION, "elements": [*COMPOSITION["elements"][:2], BOTH]}
UPLOAD = {
    "url": f"{VENDOR}/1721197444322-leijun000.mp4",
    "avatar_id": "HHdEKhn7k7vVBlR5FSi0e",
    "name": "My Talking Avatar",
    "type": 1,
}


@attrs.frozen
class Sample:
    """One sample, and the code and the keys of data (None: whatever they are) that answer it."""

    name: str
    method: str
    path: str
    headers: dict[str, str] = attrs.field(factory=dict)
    body: str | None = None
    code: int | str = 0
    keys: set[str] | None = None
    status: int = 200


CREATED = {"video_id", "status"}
SPEECH = '{"text": "Hello, you are using Surreal Engine to generate your first audio content!", "voice_name": '

SURREAL = [
    # 000: the line with the token ends without a backslash, so the shell sends no content type and no body.
    Sample("cg avatar as printed", "POST", "/v1/cg_avatar/avatar.generate", code=1002, status=400),
    Sample("cg avatar", "POST", "/v1/cg_avatar/avatar.generate", JSON, f'{{"image_url": "{PHOTO}"}}'),
    Sample("cg avatars", "GET", "/v1/cg_avatar/avatar.list"),
    Sample(
        "cg video",
        "POST",
        "/v1/cg_avatar/video.generate",
        JSON,
        f'{{"audio_url": "{RECORDING}", "avatar_id": "YOUR_CG_AVATAR_ID"}}',
        keys=CREATED,
    ),
    Sample("cg video status", "GET", "/v1/cg_avatar/video.get?video_id=VIDEO_ID"),
    Sample("cg videos", "GET", "/v1/cg_avatar/video.list"),
    # 002
    Sample("presenters", "GET", "/v1/a2v/avatar.list"),
    Sample("poses", "GET", "/v1/a2v/avatar-pose.list?avatar_id=1"),
    Sample(
        "presenter video",
        "POST",
        "/v1/a2v/video.generate",
        JSON,
        f'{{"audio_url": "{RECORDING}", "pose_id": "liza_a0008"}}',
        keys=CREATED,
    ),
    Sample("presenter videos", "GET", "/v1/a2v/video.list"),
    Sample(
        "unknown video",
        "GET",
        "/v1/a2v/video.get?video_id=7895cd9a63564367b0c7b06e6837b5c6",
        code="10001",
        status=404,
    ),
    # 003
    Sample(
        "talking photo",
        "POST",
        "/v1/v2v/video.generate",
        JSON,
        f'{{"audio_url": "{RECORDING}", "image_url": "{PHOTO}"}}',
        keys=CREATED,
    ),
    Sample("talking photos", "GET", "/v1/v2v/video.list"),
    # guide/tts and reference/tts
    Sample("voices", "GET", "/v1/tts/voice.list"),
    Sample("speech", "POST", "/v1/tts/voice.generate", JSON, SPEECH + '"Fabineu Topshot"}', keys={"url"}),
    Sample("speech by form", "POST", "/v1/tts/voice.generate", FORM, SPEECH + '"en-US-Wavenet-A"}', keys={"url"}),
]

MADE = {"_id", "uid", "video_id", "task_id", "video_status", "video", "create_time"}
OPEN = "/api/open/v3"
DETAIL = f"{OPEN}/avatar/detail"

AKOOL = [
    # 004, "Get Talking Avatar List": cURL, JavaScript, PHP; Python sends an empty form.
    Sample("avatars", "GET", f"{OPEN}/avatar/list?from=2&page=1&size=100", code=1000, keys={"result"}),
    Sample("avatars, Python", "GET", f"{OPEN}/avatar/list?from=2&page=1&size=100", FORM, "", 1000, {"result"}),
    # "Create Talking Avatar": the body, cURL, JavaScript; Java, PHP, Python.
    Sample(
        "create, body",
        "POST",
        f"{OPEN}/talkingavatar/create",
        JSON,
        json.dumps({**WITH_BOTH, "webhookUrl": ""}),
        1000,
        MADE,
    ),
    Sample("create, cURL", "POST", f"{OPEN}/talkingavatar/create", JSON, json.dumps(WITH_BOTH, indent=4), 1000, MADE),
    Sample("create, Java", "POST", f"{OPEN}/talkingavatar/create", PLAIN, json.dumps(COMPOSITION), 1000, MADE),
    # "Get Video Info", whose literal id is nobody's.
    Sample("info", "GET", f"{OPEN}/content/video/infobymodelid?video_model_id=64b126c4a680e8edea44f02b", code=1008),
    # "Get Avatar Detail": cURL and the others, then PHP, which leaves the name out.
    Sample("detail", "GET", f"{DETAIL}?id=66a1a02d591ad336275eda62", code=1014),
    Sample("detail, PHP", "GET", f"{DETAIL}?66a1a02d591ad336275eda62", code=1014),
    # "Upload Talking Avatar": cURL, JavaScript without a content type, Java.
    Sample("upload, cURL", "POST", f"{OPEN}/avatar/create", JSON, json.dumps(UPLOAD), 1000),
    Sample("upload, JavaScript", "POST", f"{OPEN}/avatar/create", PLAIN, json.dumps(UPLOAD), 1000),
]


async def replaced(caller: Any, text: str) -> str:
    """The sample with its placeholders filled in."""
    known = {PHOTO: await caller.uploaded(b"FACE:200"), RECORDING: await caller.uploaded(b"SOUND:5")}
    if "YOUR_CG_AVATAR_ID" in text or "VIDEO_ID" in text:
        (avatar,) = await caller.data("/v1/cg_avatar/avatar.generate", {"image_url": known[PHOTO]})
        known["YOUR_CG_AVATAR_ID"] = avatar["avatar_id"]
    if text.endswith("video_id=VIDEO_ID"):
        body = {"avatar_id": known["YOUR_CG_AVATAR_ID"], "audio_url": known[RECORDING]}
        known["=VIDEO_ID"] = "=" + (await caller.data("/v1/cg_avatar/video.generate", body))["video_id"]
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text


async def answered(caller: Any, sample: Sample, credential: dict[str, str]) -> Any:
    path = await replaced(caller, sample.path)
    body = None if sample.body is None else await replaced(caller, sample.body)
    answer = await caller.call(sample.method, path, headers={**credential, **sample.headers}, data=body)
    assert (answer.status, answer.body["code"]) == (sample.status, sample.code), answer.body
    if sample.keys is not None:
        assert set(answer.body["data"]) == sample.keys
    return answer.body


@pytest.mark.parametrize("sample", SURREAL, ids=lambda sample: sample.name)
async def test_surreals_samples_are_answered(caller: Any, sample: Sample) -> None:
    await answered(caller, sample, {"Authorization": f"Bearer {caller.sandbox.token}"})


class TestAkool:
    """Its samples name files of the outside world, which nobody fetches here."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"fetch_inputs": False}

    @pytest.mark.parametrize("sample", AKOOL, ids=lambda sample: sample.name)
    @pytest.mark.parametrize("by_token", [False, True], ids=["x-api-key", "Authorization"])
    async def test_akools_samples_are_answered_with_either_credential(
        self, caller: Any, sample: Sample, *, by_token: bool
    ) -> None:
        credential = {"x-api-key": caller.sandbox.api_key}
        if by_token:
            body = {"clientId": caller.sandbox.client_id, "clientSecret": caller.sandbox.client_secret}
            token = (await caller.post(f"{OPEN}/getToken", body, {})).body["token"]
            credential = {"Authorization": f"Bearer {token}"}
        await answered(caller, sample, credential)

    async def test_akools_own_composition_is_finished_where_nothing_is_fetched(self, caller: Any, clock: Any) -> None:
        made = await answered(caller, AKOOL[2], {"x-api-key": caller.sandbox.api_key})
        clock.advance(60)
        seen = await caller.data(f"{OPEN}/content/video/infobymodelid", video_model_id=made["data"]["_id"])
        assert seen["video_status"] == 3
        assert (await caller.download(seen["video"]))[1][4:8] == b"ftyp"
