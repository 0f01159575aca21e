"""Surreal's sample answers as they stand in documents 000 to 003, with the rows that ``...`` stands for left out."""

from typing import Any

_OSS = "https://surreal.oss-cn-shenzhen.aliyuncs.com/"
_KEY = "&OSSAccessKeyId=LTAI4FhUZsa1YYumWbTWusLN&Signature="


def _success(data: Any) -> dict[str, Any]:
    return {"code": 0, "data": data, "message": "success"}


def _picture(path: str, signature: str) -> str:
    return f"{_OSS}tahoe_virtual_char%2F{path}%2Ftarget.png?Expires=1650862302{_KEY}{signature}"


AVATAR_OBJECT = _success(
    {
        "avatar_id": "<<YOUR_GENERATED_CG_AVATAR_ID>>",
        "gender": "male",
        "preview_url": "<<THE_PREVIE_IMAGE_URL_OF_YOUR_CG_AVATAR>>",
    }
)
AVATAR_RAW = _success(
    [
        {
            "avatar_id": "b4123d38-a6e3-40f3-a12c-2d58ac2e115c",
            "gender": "male",
            "preview_url": f"{_OSS}cghuman%2Favatar_preview%2F7455388b-a033-4f4b-8c96-2e3bf7aa0dbe.png"
            f"?Expires=1652006948{_KEY}BY9AA%2BuGnKymbGg5XDUQ3a%2BAFl4%3D",
            "avatar_url": f"{_OSS}cghuman%2Favatars%2F7455388b-a033-4f4b-8c96-2e3bf7aa0dbe.glb"
            f"?Expires=1652006948{_KEY}AG7LbYq1O5kmGUGa3WD34K6mtfc%3D",
        }
    ]
)
AVATAR_ARRAY = _success([AVATAR_OBJECT["data"]])
AVATAR_LIST = _success(
    [
        {
            "avatar_id": "<<YOUR_GENERATED_CG_AVATAR_ID_1>>",
            "gender": "female",
            "preview_url": "<<THE_PREVIE_IMAGE_URL_OF_YOUR_CG_AVATAR>>",
        },
        {
            "avatar_id": "<<YOUR_GENERATED_CG_AVATAR_ID_N>>",
            "gender": "male",
            "preview_url": "<<THE_PREVIE_IMAGE_URL_OF_YOUR_CG_AVATAR_N>>",
        },
    ]
)

_PETER_POSES = [
    {
        "pose_id": "kem_03",
        "name": "Peter 03",
        "preview_url": _picture("v3%2Fkem_03", "TIFjfaZsKNuYkA1lOWzwKlYap6A%3D"),
    },
    {
        "pose_id": "kem_03",
        "name": "Peter 01",
        "preview_url": _picture("v3%2Fkem_13", "Ob9yhXsQ5EOttfMLNPD5PMeKDC8%3D"),
    },
]


def _presenter(number: int, name: str, gender: str, picture: str) -> dict[str, Any]:
    pose = {"pose_id": f"{number:02}_{name}", "name": name.title(), "preview_url": picture}
    return {
        "id": number,
        "avatar_type": "cg_human",
        "name": name,
        "gender": gender,
        "display_name": name.title(),
        "preview_url": picture,
        "poses": [pose],
    }


# Neither of these two has a message (002).
PRESENTERS: dict[str, Any] = {
    "code": 0,
    "data": [
        _presenter(1, "jason", "male", _picture("cg%2Fv1%2F01_jason", "829%2F1AdADAmkCPinl0C5ch3KCIs%3D")),
        _presenter(2, "sooyon", "female", _picture("cg%2Fv1%2F02_sooyon", "P%2FVIGKQ0d0ky1QmepEif6Cbsuvc%3D")),
        {
            "id": 29,
            "avatar_type": "human",
            "name": "peter",
            "gender": "male",
            "display_name": "Peter",
            "preview_url": _picture("v3%2Fkem_13", "Ob9yhXsQ5EOttfMLNPD5PMeKDC8%3D"),
            "poses": _PETER_POSES,
        },
    ],
}
POSES: dict[str, Any] = {"code": 0, "data": _PETER_POSES}

CREATED = _success({"video_id": "<<VIDEO_ID>>", "status": "pending"})
IN_PROGRESS = _success({"video_id": "<<VIDEO_ID>>", "status": "in_progressing"})
FINISHED = _success({"video_id": "<<VIDEO_ID>>", "status": "finished", "video_url": "<<VIDEO_DOWNLOAD_URL>>"})
FINISHED_MASKED_CG = _success({**FINISHED["data"], "mask_video_url": "<<MASK_VIDEO_DOWNLOAD_URL>>"})
FINISHED_MASKED_A2V = _success({**FINISHED["data"], "mask_video_url": "<<MASK_VIDEO_URL>>"})
FAILED = _success({"video_id": "<<VIDEO_ID>>", "status": "error"})
VIDEO_LIST = _success([IN_PROGRESS["data"], FINISHED["data"], FAILED["data"]])
VIDEO_LIST_A2V = _success([IN_PROGRESS["data"], FINISHED_MASKED_CG["data"], FAILED["data"]])
VIDEO_LIST_001 = _success([FINISHED["data"], FINISHED["data"]])

# guide/tts and reference/tts.
VOICES = _success(
    [
        {
            "voice_name": "en-US-Jenny",
            "gender": "Female",
            "language": "English",
            "locale": "en-US",
            "preview_url": "https://example.com/jenny.mp3",
            "tags": "Young, Warm,,News",
        }
    ]
)
SPEECH = _success({"url": f"{_OSS}tts%2F0a1b.mp3?Expires=1652006948{_KEY}x"})

# guide/ratelimit.
TOO_MANY = {"code": 1009, "message": "Too Many Request", "data": None}
