import warnings
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar import (
    Akool,
    AudioElement,
    AudioToVideo,
    AvatarElement,
    AvatarUpload,
    CGAvatarVideo,
    ImageElement,
    SpeechRequest,
    Surreal,
    TalkingAvatar,
    TalkingPhoto,
    VoiceClone,
)
from talking_avatar.errors import InvalidRequest
from talking_avatar.models.requests import SurrealSpeech
from tests.doubles import canned

URL = "https://example.com/file"
SPOKEN = (AvatarElement(avatar_id="Yasmin"), AudioElement(url=URL))

VALID: list[Any] = [
    CGAvatarVideo(avatar_id="a", audio_url=URL),
    AudioToVideo(pose_id="p", audio_url=URL, with_mask=True),
    TalkingPhoto(image_url=URL, audio_url=URL),
    TalkingAvatar(elements=(ImageElement(url="#fff", width=10), *SPOKEN), webhook_url=URL),
    AvatarUpload(url=URL, avatar_id="abc123", name="Me"),
    SpeechRequest(text="Hi", voice_id="v", voice_options={"speed": 1}),
    VoiceClone(source_url=URL, name="Mine"),
]

BROKEN: list[tuple[Any, dict[str, Any], str, str]] = [
    (CGAvatarVideo, {"avatar_id": "", "audio_url": URL}, "avatar_id", "non-empty"),
    (CGAvatarVideo, {"avatar_id": "a", "audio_url": "speech.wav"}, "audio_url", "http:// or https://"),
    (AudioToVideo, {"pose_id": None, "audio_url": URL}, "pose_id", "non-empty"),
    (AudioToVideo, {"pose_id": "p", "audio_url": URL, "with_mask": "yes"}, "with_mask", "True or False"),
    (TalkingPhoto, {"image_url": "ftp://x/y", "audio_url": URL}, "image_url", "http:// or https://"),
    (TalkingPhoto, {"image_url": "http://a b/", "audio_url": URL}, "image_url", "http:// or https://"),
    (TalkingPhoto, {"image_url": "http://[::1", "audio_url": URL}, "image_url", "http:// or https://"),
    (ImageElement, {"url": "#12345"}, "url", "colour"),
    (ImageElement, {"url": URL, "scale_x": "1"}, "scale_x", "number"),
    (ImageElement, {"url": URL, "offset_y": float("nan")}, "offset_y", "number"),
    (ImageElement, {"url": URL, "width": 0}, "width", "pixels"),
    (AvatarElement, {}, "avatar_id", "one of them"),
    (AvatarElement, {"url": "#ffffff"}, "url", "http:// or https://"),
    (AudioElement, {}, "url", "input_text with voice_id"),
    (AudioElement, {"input_text": "Hi"}, "voice_id", "both be present"),
    (AudioElement, {"voice_id": "v", "url": URL}, "input_text", "both be present"),
    (TalkingAvatar, {"elements": ()}, "elements", "one of each"),
    (TalkingAvatar, {"elements": SPOKEN[:1]}, "elements", "one of each"),
    (TalkingAvatar, {"elements": (*SPOKEN, {"type": "image"})}, "elements", "ImageElement"),
    (TalkingAvatar, {"elements": 7}, "elements", "ImageElement"),
    (TalkingAvatar, {"elements": SPOKEN, "avatar_from": 1}, "avatar_from", "2 or 3"),
    (TalkingAvatar, {"elements": SPOKEN, "width": "3840"}, "width", "pixels"),
    (
        TalkingAvatar,
        {"elements": (AvatarElement(url=URL), AudioElement(url=URL)), "avatar_from": 2},
        "avatar_from",
        "must be 3",
    ),
    (TalkingAvatar, {"elements": SPOKEN, "webhook_url": "hook"}, "webhook_url", "http:// or https://"),
    (AvatarUpload, {"url": URL, "avatar_id": "my_avatar"}, "avatar_id", "only letters and digits"),
    (AvatarUpload, {"url": URL, "avatar_id": "a", "name": 3}, "name", "string"),
    (AvatarUpload, {"url": URL, "avatar_id": "a", "type": True}, "type", "1 or 2"),
    (SpeechRequest, {"text": " ", "voice_id": "v"}, "text", "non-empty"),
    (SpeechRequest, {"text": "Hi", "voice_id": "v", "voice_options": [1]}, "voice_options", "object"),
    (VoiceClone, {"source_url": "file:///me.wav"}, "source_url", "http:// or https://"),
    (SurrealSpeech, {"text": "x" * 501, "voice_name": "v"}, "text", "at most 500 characters"),
    (SurrealSpeech, {"text": "x", "voice_name": ""}, "voice_name", "non-empty"),
]


@pytest.mark.parametrize(
    ("kind", "fields", "field", "rule"), BROKEN, ids=[f"{kind.__name__}.{field}" for kind, _, field, _ in BROKEN]
)
def test_a_broken_rule_is_told_with_its_field_before_anything_is_sent(
    kind: Any, fields: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        kind(**fields)
    error = caught.value
    assert error.field == f"{kind.__name__}.{field}"
    assert rule in error.rule
    assert error.field in str(error)
    assert error.rule in str(error)
    assert "Nothing was sent" in str(error)
    assert error.http_status is None


@pytest.mark.anyio
async def test_a_family_call_with_broken_inputs_sends_nothing() -> None:
    surreal, akool = Surreal("secret-token"), Akool("secret-key")
    ports = canned(surreal, {}), canned(akool, {})
    with pytest.raises(InvalidRequest, match="500 characters"):
        await surreal.tts.generate_speech("x" * 501, voice_name="v")
    with pytest.raises(InvalidRequest, match=r"AvatarPhoto\.image_url"):
        await surreal.cg_avatar.generate_avatar("photo.jpg")
    assert not any(port.sent for port in ports)


def test_the_query_of_a_signed_url_is_not_quoted_in_its_error() -> None:
    with pytest.raises(InvalidRequest) as caught:
        TalkingPhoto(image_url="s3://bucket/x.jpg?Signature=sentinel", audio_url=URL)
    assert "sentinel" not in str(caught.value)


@pytest.mark.parametrize("colour", ["#fff", "#ffff", "#FFFFFF", "#ffffff00"])
def test_a_picture_may_be_a_colour(colour: str) -> None:
    assert ImageElement(url=colour).url == colour


@given(text=st.text(max_size=12))
def test_a_chosen_id_is_letters_and_digits_or_refused(text: str) -> None:
    if text and all(character.isascii() and character.isalnum() for character in text):
        assert AvatarUpload(url=URL, avatar_id=text).avatar_id == text
    else:
        with pytest.raises(InvalidRequest):
            AvatarUpload(url=URL, avatar_id=text)


@given(value=st.one_of(st.text(max_size=20), st.integers(), st.none(), st.binary(max_size=4), st.lists(st.text())))
def test_whatever_is_passed_as_a_url_is_taken_or_refused(value: Any) -> None:
    try:
        TalkingPhoto(image_url=value, audio_url=URL)
    except InvalidRequest:
        return
    assert value.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize("request_", VALID, ids=lambda value: type(value).__name__)
def test_a_request_is_frozen_hashable_comparable_and_can_be_evolved(request_: Any) -> None:
    field = attrs.fields(type(request_))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(request_, field, "x")
    twin = attrs.evolve(request_)
    assert twin == request_
    assert hash(twin) == hash(request_)


@pytest.mark.parametrize("request_", VALID, ids=lambda value: type(value).__name__)
def test_no_url_of_a_request_is_in_its_repr(request_: Any) -> None:
    assert URL not in repr(request_)


def test_the_warning_of_an_undocumented_size_points_at_the_callers_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        small = TalkingAvatar(elements=SPOKEN, width=1920, height=1080)
        attrs.evolve(small, width=1280)
    assert [warning.filename for warning in caught] == [__file__, __file__]
    assert [warning.lineno for warning in caught] == sorted({warning.lineno for warning in caught})
    assert "3840x2160" in str(caught[0].message)
    assert small.width == 1920


def test_the_documented_size_does_not_warn() -> None:
    assert TalkingAvatar(elements=SPOKEN).derived_avatar_from == 2


def test_elements_may_come_in_any_row() -> None:
    assert TalkingAvatar(elements=list(SPOKEN)) == TalkingAvatar(elements=iter(SPOKEN))
