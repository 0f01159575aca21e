"""Surreal's endpoints, under the addresses the documents give."""

from aiohttp import web

from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.surreal.a2v import PresenterVideos
from talking_avatar.sandbox.surreal.cg_avatar import CharacterVideos
from talking_avatar.sandbox.surreal.gate import gate
from talking_avatar.sandbox.surreal.tts import Speeches
from talking_avatar.sandbox.surreal.v2v import TalkingPhotos

__all__ = ["application"]


def application(backstage: Backstage) -> web.Application:
    """Everything below ``/v1``."""
    app = web.Application(middlewares=[gate(backstage)])
    characters = CharacterVideos(backstage, "cg_avatar")
    presenters = PresenterVideos(backstage, "a2v")
    photos = TalkingPhotos(backstage, "v2v")
    speeches = Speeches(backstage)
    app.add_routes(
        [
            web.post("/cg_avatar/avatar.generate", characters.generate_avatar),
            web.get("/cg_avatar/avatar.list", characters.list_avatars),
            web.get("/a2v/avatar.list", presenters.list_avatars),
            web.get("/a2v/avatar-pose.list", presenters.list_poses),
            web.get("/tts/voice.list", speeches.list_voices),
            web.post("/tts/voice.generate", speeches.generate_speech),
        ]
    )
    for videos in (characters, presenters, photos):
        app.add_routes(
            [
                web.post(f"/{videos.family}/video.generate", videos.generate_video),
                web.get(f"/{videos.family}/video.get", videos.get_video),
                web.get(f"/{videos.family}/video.list", videos.list_videos),
            ]
        )
    return app
