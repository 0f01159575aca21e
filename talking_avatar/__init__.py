"""Asyncio SDK and job watcher for talking-head renders on Surreal Engine and Akool."""

from talking_avatar.akool.client import Akool
from talking_avatar.backoff import Backoff
from talking_avatar.models.product import Product
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
