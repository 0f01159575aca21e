"""Akool's sample requests and answers: document 004, and Voice Lab where 004 links to it."""

from typing import Any

_CDN = "https://drz0f01yeq1cx.cloudfront.net/"
_YASMIN = "1700786304161-b574407f-f926-4b3e-bba7-dc77d1742e60-8169.png"


def success(data: Any, msg: str = "OK") -> dict[str, Any]:
    return {"code": 1000, "msg": msg, "data": data}


AVATAR_LIST_ROW: dict[str, Any] = {
    "name": "Yasmin in White shirt",
    "avatar_id": "Yasmin_in_White_shirt_20231121",
    "url": f"{_CDN}{_YASMIN}",
    "gender": "female",
    "thumbnailUrl": f"{_CDN}avatar/thumbnail/{_YASMIN}",
    "from": 2,
}
AVATAR_DETAIL_ROW: dict[str, Any] = {
    "_id": "66a1a02d591ad336275eda62",
    "uid": 100010,
    "type": 2,
    "from": 3,
    "status": 3,
    "name": "30870eb0",
    "url": f"{_CDN}1721868487350-6b4cc614038643eb9f842f4ddc3d5d56.mp4",
}
AVATAR_UPLOADED_ROW: dict[str, Any] = {
    "_id": "655ffeada6976ea317087193",
    "disabled": False,
    "uid": 1,
    "type": 1,
    "from": 2,
    "status": 1,
    "sort": 12,
    "create_time": 1700788730000,
    "name": "Yasmin in White shirt",
    "avatar_id": "Yasmin_in_White_shirt_20231121",
    "url": f"{_CDN}{_YASMIN}",
    "modify_url": f"{_CDN}{_YASMIN}",
    "gender": "female",
    "thumbnailUrl": f"{_CDN}avatar/thumbnail/{_YASMIN}",
    "crop_arr": [],
}
AVATAR_UPLOAD: dict[str, Any] = {
    "url": f"{_CDN}1721197444322-leijun000.mp4",
    "avatar_id": "HHdEKhn7k7vVBlR5FSi0e",
    "name": "My Talking Avatar",
    "type": 1,
}

_PARADE = (
    "A military parade is a formation of military personnels whose movement is restricted by close-order manoeuvering "
    "known as drilling or marching. Large military parades are today held on major holidays and military events around "
    "the world."
) * 3
_IMAGE = {
    "type": "image",
    "url": f"{_CDN}1729480978805-talkingAvatarbg.png",
    "width": 780,
    "height": 438,
    "scale_x": 1,
    "scale_y": 1,
    "offset_x": 1920,
    "offset_y": 1080,
}
_AVATAR = {
    "type": "avatar",
    "url": f"{_CDN}1735009621724-7ce105c6-ed9a-4d13-9061-7e3df59d9798-7953.mp4",
    "scale_x": 1,
    "scale_y": 1,
    "width": 1080,
    "height": 1080,
    "offset_x": 1920,
    "offset_y": 1080,
}
_AUDIO = {
    "type": "audio",
    "url": f"{_CDN}1729666642023-bd6ad5f1-d558-40c7-b720-ad729688f814-6403.mp3",
    "input_text": _PARADE,
    "voice_id": "6889b628662160e2caad5dbc",
}
CREATE: dict[str, Any] = {
    "width": 3840,
    "height": 2160,
    "avatar_from": 3,
    "elements": [_IMAGE, _AVATAR, _AUDIO],
}
CREATED: dict[str, Any] = {
    "_id": "67491cdb4d9d1664a9782292",
    "uid": 100002,
    "video_id": "f1a489f4-0cca-4723-843b-e42003dc9f32",
    "task_id": "67491cdb1acd9d0ce2cc8998",
    "video_status": 1,
    "video": "",
    "create_time": 1732844763774,
}
VIDEO: dict[str, Any] = {
    "_id": "64dd92c1f0b6684651e90e09",
    "create_time": 1692242625334,
    "uid": 378337,
    "video_id": "0acfed62e24f4cfd8801c9e846347b1d",
    "deduction_duration": 10,
    "video_status": 2,
    "video": "",
}

# Voice Lab v4.
SPOKEN: dict[str, Any] = {"_id": "s1", "status": 1, "preview": None, "duration": 0, "input_text": "Hello"}
SPEECH: dict[str, Any] = {"_id": "s1", "status": 3, "preview": "https://example.com/s1.mp3", "duration": 2500}
CLONING: dict[str, Any] = {"_id": "c1", "voice_id": None, "status": 1, "name": "Mine"}
CLONED: dict[str, Any] = {"_id": "c1", "voice_id": "v1", "status": 3, "name": "Mine", "gender": "Male"}
VOICE_LIST_ROW: dict[str, Any] = {
    "_id": "6889b628662160e2caad5dbc",
    "voice_id": "v2",
    "name": "Alice",
    "gender": "Female",
    "language": "English",
    "locale": "en-US",
    "preview": "https://example.com/alice.mp3",
    "style": ["Calm", "Warm"],
}
VOICE_LIST: dict[str, Any] = {"result": [VOICE_LIST_ROW], "count": 1, "page": 1, "size": 100}

# authentication/usage.
TOKEN: dict[str, Any] = {"code": 1000, "token": "fresh-token-of-akool"}
EXPIRED: dict[str, Any] = {"code": 1101, "msg": "Illegal token or the token has expired"}
