"""Durations are learned for each second of speech where its length is known."""

import pytest

from talking_avatar import AudioElement, AvatarElement, RenderStatus, SpeechRequest, TalkingAvatar
from talking_avatar.testing import Lab

pytestmark = pytest.mark.anyio


async def test_what_a_text_takes_is_learned_by_its_length() -> None:
    async with Lab(render_seconds=30) as lab:
        voice = (await lab.akool.voices.list_voices())[0].voice_id or ""
        for words in (20, 20, 20):
            speech = await lab.watcher.render(SpeechRequest(text="word " * words, voice_id=voice))
            assert speech.status is RenderStatus.FINISHED
        (family,) = (one for one in lab.watcher._roster if one.product.family == "speech")
        assert family.paces.seen == 3
        assert family.durations.seen == 0


def test_only_a_text_tells_how_long_it_speaks() -> None:
    face = AvatarElement(avatar_id="a")
    text = TalkingAvatar(elements=[face, AudioElement(input_text="x" * 140, voice_id="v")])
    file = TalkingAvatar(elements=[face, AudioElement(url="https://files.example/a.mp3")])
    assert text.spoken_seconds == pytest.approx(10.0)
    assert file.spoken_seconds is None
