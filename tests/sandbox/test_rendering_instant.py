"""The renderer that takes no time keeps to the contract of the one that does."""

import io
import subprocess
import sys
import wave

import av
import pytest

from talking_avatar.sandbox.rendering.contract import BadInput, Layer, Rendered, Renderer
from talking_avatar.sandbox.rendering.instant import InstantRenderer
from talking_avatar.sandbox.rendering.samples import portrait_jpeg, speech_wav
from talking_avatar.sandbox.rendering.studio import Studio

INSTANT: Renderer = InstantRenderer()
WAV = speech_wav(INSTANT)


@pytest.mark.parametrize(
    ("rendered", "masked"),
    [
        (INSTANT.render_photo(b"", b""), False),
        (INSTANT.render_character({}, WAV), True),
        (INSTANT.render_presenter("kem_03", WAV, with_mask=True), True),
        (INSTANT.render_presenter("kem_03", WAV, with_mask=False), False),
        (INSTANT.render_composition((Layer(colour="#fff"),), WAV, width=3840, height=2160), False),
    ],
)
def test_every_video_is_a_small_real_one(rendered: Rendered, masked: bool) -> None:
    assert len(rendered.mp4) < 5000
    with av.open(io.BytesIO(rendered.mp4), "r") as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert sum(1 for _ in container.decode(video=0)) == round(25 * rendered.seconds)
    assert (rendered.mask_mp4 is not None) is masked


def test_speech_is_as_long_as_its_text() -> None:
    short, long = (INSTANT.speak(text, "en-US-Ava") for text in ("Hello", "Hello " * 20))
    assert short.seconds < long.seconds
    with wave.open(io.BytesIO(long.wav)) as file:
        assert file.getnframes() / file.getframerate() == long.seconds
    assert INSTANT.measure_audio(long.wav, limit=60) == long.seconds


def test_bad_names_and_audio_are_refused_as_the_studio_does() -> None:
    for use, fault in (
        (lambda: INSTANT.speak("Hello", "nobody"), "unknown_name"),
        (lambda: INSTANT.presenter_preview("nobody"), "unknown_name"),
        (lambda: INSTANT.render_presenter("nobody", WAV, with_mask=False), "unknown_name"),
        (lambda: INSTANT.render_composition((Layer(presenter="nobody"),), WAV, width=2, height=2), "unknown_name"),
        (lambda: INSTANT.measure_audio(b"", limit=60), "not_audio"),
        (lambda: INSTANT.measure_audio(WAV, limit=1), "audio_too_long"),
    ):
        with pytest.raises(BadInput) as refused:
            use()
        assert refused.value.fault == fault


def test_previews_are_pictures_and_any_photo_has_a_face() -> None:
    face = INSTANT.find_face(b"whatever", minimum=300)
    assert min(face.width, face.height) >= 300
    for png in (INSTANT.presenter_preview("01_jason"), INSTANT.make_character(portrait_jpeg()).preview_png):
        with av.open(io.BytesIO(png), "r") as container:
            assert container.streams.video[0].width == 64


def test_it_has_the_names_of_the_studio() -> None:
    assert INSTANT.voices() == Studio().voices()
    assert INSTANT.presenters() == Studio().presenters()


def test_neither_renderer_loads_a_library_before_it_is_used() -> None:
    program = (
        "import sys\n"
        "from talking_avatar.sandbox.rendering.instant import InstantRenderer\n"
        "from talking_avatar.sandbox.rendering.studio import Studio\n"
        "renderer = InstantRenderer()\n"
        "renderer.speak('Hello', renderer.voices()[0].name)\n"
        "renderer.render_presenter('kem_03', b'', with_mask=True)\n"
        "Studio()\n"
        "print(sorted({'av', 'cv2', 'numpy', 'espeakng_loader'} & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603
    assert finished.stdout.strip() == "[]"
