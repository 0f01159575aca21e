"""Akool's endpoints, under the addresses the documents give."""

from aiohttp import web

from talking_avatar.sandbox.akool.account import Account
from talking_avatar.sandbox.akool.avatars import Avatars
from talking_avatar.sandbox.akool.gate import gate
from talking_avatar.sandbox.akool.videos import TalkingAvatars
from talking_avatar.sandbox.akool.voices import Voices
from talking_avatar.sandbox.backstage import Backstage

__all__ = ["application"]


def application(backstage: Backstage) -> web.Application:
    """Everything below ``/api/open``."""
    app = web.Application(middlewares=[gate(backstage)])
    account, avatars, voices = Account(backstage), Avatars(backstage), Voices(backstage)
    videos = TalkingAvatars(backstage, avatars, voices)
    app.add_routes(
        [
            web.post("/v3/getToken", account.get_token),
            web.get("/v3/faceswap/quota/info", account.quota),
            web.get("/v3/avatar/list", avatars.list_avatars),
            web.post("/v3/avatar/create", avatars.upload),
            web.get("/v3/avatar/detail", avatars.detail),
            web.post("/v3/talkingavatar/create", videos.create),
            web.get("/v3/content/video/infobymodelid", videos.get_video),
            web.get("/v4/voice/list", voices.list_voices),
            web.post("/v4/voice/tts", voices.speak),
            web.get("/v4/voice/resource/detail/{id}", voices.get_speech),
            web.post("/v4/voice/clone", voices.clone),
            web.get("/v4/voice/detail/{id}", voices.get_voice),
        ]
    )
    return app
