"""DESIGN §2 is a promise: its names, their parameters, and a docstring for each."""

import inspect
import subprocess
import sys
from typing import Any

import attrs
import pytest

import talking_avatar
from talking_avatar import Akool, JobWatcher, Surreal, errors
from talking_avatar.watch.job import Job

NAMES = """
Surreal Akool JobWatcher Job JobRef CGAvatarVideo AudioToVideo TalkingPhoto TalkingAvatar AvatarElement ImageElement
AudioElement AvatarUpload SpeechRequest VoiceClone Video RenderStatus Avatar Pose Voice Speech
""".split()  # noqa: SIM905 - the line of the design

FIELDS = {
    "Video": "id ref status raw_status video_url mask_video_url preview_url progress credits created_at expires_at "
    "error_code error_reason extra",
    "Avatar": "id avatar_id name gender kind status preview_url poses extra",
    "Pose": "pose_id name preview_url",
    "Voice": "id voice_id name gender language locale tags preview_url status",
    "Speech": "id url status duration",
    "JobRef": "service family id account",
}

METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "surreal.cg_avatar": {
        "generate_avatar": ("image_url",),
        "list_avatars": (),
        "generate_video": ("request",),
        "get_video": ("video_id",),
        "list_videos": (),
    },
    "surreal.a2v": {
        "list_avatars": (),
        "list_poses": ("avatar_id",),
        "generate_video": ("request",),
        "get_video": ("video_id",),
        "list_videos": (),
    },
    "surreal.v2v": {"generate_video": ("request",), "get_video": ("video_id",), "list_videos": ()},
    "surreal.tts": {"list_voices": (), "generate_speech": ("text", "voice_name")},
    "akool.talking_avatar": {"generate_video": ("request",), "get_video": ("video_id",)},
    "akool.avatars": {
        "list_avatars": ("origin", "kind"),
        "get_avatar": ("avatar_id",),
        "upload_avatar": ("request",),
    },
    "akool.voices": {
        "list_voices": ("kind",),
        "generate_speech": ("request",),
        "get_speech": ("speech_id",),
        "clone_voice": ("request",),
        "get_voice": ("voice_id",),
    },
    "akool.account": {"credits": ()},
}

ERRORS = """
TalkingAvatarError Unreachable ApiError AuthError QuotaError Throttled InvalidRequest NotFound ServerFault DecodeError
SubmissionUnknown RenderFailed JobTimeout JobStateUnknown ResultExpired
""".split()  # noqa: SIM905 - the line of the design


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return {name: each for name, each in inspect.signature(function).parameters.items() if name != "self"}


@pytest.mark.parametrize("name", NAMES)
def test_a_promised_name_is_importable_listed_and_described(name: str) -> None:
    value = getattr(talking_avatar, name)
    assert name in talking_avatar.__all__
    assert inspect.getdoc(value)


@pytest.mark.parametrize("name", talking_avatar.__all__)
def test_every_listed_name_is_there(name: str) -> None:
    assert getattr(talking_avatar, name) is not None


@pytest.mark.parametrize("name", ERRORS)
def test_a_promised_error_is_there(name: str) -> None:
    assert inspect.getdoc(getattr(errors, name))


@pytest.mark.parametrize("name", FIELDS)
def test_a_value_has_the_promised_fields(name: str) -> None:
    fields = {field.name for field in attrs.fields(getattr(talking_avatar, name))}
    assert set(FIELDS[name].split()) <= fields


@pytest.mark.parametrize(
    ("kind", "positional", "keywords"),
    [
        (Surreal, ["token"], {"base_url", "session", "account"}),
        (Akool, ["api_key"], {"client_id", "client_secret", "token", "base_url", "session", "account"}),
        (JobWatcher, ["clients"], {"journal", "deadline", "clock"}),
    ],
)
def test_a_constructor_takes_one_thing_by_place_and_the_rest_by_name(
    kind: Any, positional: list[str], keywords: set[str]
) -> None:
    taken = parameters(kind)
    by_name = {name for name, each in taken.items() if each.kind is each.KEYWORD_ONLY}
    assert [name for name in taken if name not in by_name] == positional
    assert keywords <= by_name


CLIENTS = {"surreal": Surreal("secret-token"), "akool": Akool("secret-key")}


@pytest.mark.parametrize("family", METHODS)
def test_a_family_has_the_promised_calls_with_their_parameters_and_a_docstring(family: str) -> None:
    service, _, name = family.partition(".")
    surface = getattr(CLIENTS[service], name)
    for method, names in METHODS[family].items():
        function = getattr(surface, method)
        assert inspect.iscoroutinefunction(function), method
        assert tuple(parameters(function)) == names, method
        assert inspect.getdoc(function), method


def test_whatever_follows_the_first_argument_is_named_at_the_call() -> None:
    for family, methods in METHODS.items():
        service, _, name = family.partition(".")
        for method in methods:
            rest = list(parameters(getattr(getattr(CLIENTS[service], name), method)).values())[1:]
            assert all(each.kind is each.KEYWORD_ONLY for each in rest), (family, method)


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        (JobWatcher, "start aclose submit render render_all attach as_completed resume events stats"),
        (Job, "ref request status video error done result wait download detach __await__ __aiter__"),
        (Surreal, "start aclose"),
        (Akool, "start aclose"),
    ],
)
def test_watcher_job_and_clients_have_what_is_promised(kind: Any, methods: str) -> None:
    members = {field.name for field in attrs.fields(kind)} if attrs.has(kind) else set[str]()
    assert [name for name in methods.split() if not hasattr(kind, name) and name not in members] == []


def test_importing_the_package_leaves_out_what_most_programs_never_use() -> None:
    code = "import sys, talking_avatar; print(*sys.modules)"
    asked = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    loaded = asked.stdout.split()
    unwanted = {"orjson", "cryptography", "numpy", "cv2", "av", "rich", "aiohttp.web"}
    assert not unwanted & set(loaded)
    assert not [name for name in loaded if name.startswith("talking_avatar.sandbox")]
