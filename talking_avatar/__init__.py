"""Asyncio SDK and job watcher for talking-head renders on Surreal Engine and Akool."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talking_avatar.akool.client import Akool
    from talking_avatar.backoff import Backoff
    from talking_avatar.models.product import Product, Request
    from talking_avatar.models.refs import JobRef
    from talking_avatar.models.requests import (
        AudioElement,
        AudioToVideo,
        AvatarElement,
        AvatarUpload,
        CGAvatarVideo,
        ImageElement,
        SpeechRequest,
        TalkingAvatar,
        TalkingPhoto,
        VoiceClone,
    )
    from talking_avatar.models.results import Avatar, Pose, RenderStatus, Speech, Video, Voice
    from talking_avatar.surreal.client import Surreal
    from talking_avatar.watch.cadence import Fixed
    from talking_avatar.watch.job import Job
    from talking_avatar.watch.watcher import JobWatcher

__all__ = [
    "Akool",
    "AudioElement",
    "AudioToVideo",
    "Avatar",
    "AvatarElement",
    "AvatarUpload",
    "Backoff",
    "CGAvatarVideo",
    "Fixed",
    "ImageElement",
    "Job",
    "JobRef",
    "JobWatcher",
    "Pose",
    "Product",
    "RenderStatus",
    "Request",
    "Speech",
    "SpeechRequest",
    "Surreal",
    "TalkingAvatar",
    "TalkingPhoto",
    "Video",
    "Voice",
    "VoiceClone",
    "__version__",
]

__version__ = "0.1.0"

_REQUESTS = "models.requests"
_RESULTS = "models.results"
_HOMES = {
    "Akool": "akool.client",
    "AudioElement": _REQUESTS,
    "AudioToVideo": _REQUESTS,
    "Avatar": _RESULTS,
    "AvatarElement": _REQUESTS,
    "AvatarUpload": _REQUESTS,
    "Backoff": "backoff",
    "CGAvatarVideo": _REQUESTS,
    "Fixed": "watch.cadence",
    "ImageElement": _REQUESTS,
    "Job": "watch.job",
    "JobRef": "models.refs",
    "JobWatcher": "watch.watcher",
    "Pose": _RESULTS,
    "Product": "models.product",
    "RenderStatus": _RESULTS,
    "Request": "models.product",
    "Speech": _RESULTS,
    "SpeechRequest": _REQUESTS,
    "Surreal": "surreal.client",
    "TalkingAvatar": _REQUESTS,
    "TalkingPhoto": _REQUESTS,
    "Video": _RESULTS,
    "Voice": _RESULTS,
    "VoiceClone": _REQUESTS,
}


def __getattr__(name: str) -> Any:
    # Loaded at first use: a command line that prints its help, or a service that only builds requests, need not wait
    # for an HTTP stack.
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
