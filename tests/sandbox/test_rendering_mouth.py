"""Mouth shapes: pure functions, and the chunk that carries them."""

import io
import wave

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.mouth import follow_loudness, follow_visemes, loudness
from talking_avatar.sandbox.rendering.visemes import Viseme, embed_visemes, extract_visemes, viseme_of

visemes = st.builds(
    Viseme,
    start=st.floats(0, 3600),
    openness=st.floats(0, 1),
    width=st.floats(-1, 1),
)
heard = st.lists(st.floats(0, 1), max_size=80).map(lambda levels: np.array(levels, np.float64))


def silent_wav(frames: int = 100) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, frames, "NONE", ""))
        file.writeframes(bytes(2 * frames))
    return buffer.getvalue()


@given(st.lists(visemes, max_size=30))
def test_visemes_survive_the_wav_file(shapes: list[Viseme]) -> None:
    carried = extract_visemes(embed_visemes(silent_wav(), shapes))
    assert len(carried) == len(shapes)
    for before, after in zip(sorted(shapes, key=lambda shape: shape.start), carried, strict=True):
        assert abs(before.start - after.start) <= 0.001
    assert {round(shape.openness * 255) for shape in shapes} == {round(shape.openness * 255) for shape in carried}


@given(st.lists(visemes, max_size=5))
def test_a_wav_file_with_visemes_is_still_a_wav_file(shapes: list[Viseme]) -> None:
    with wave.open(io.BytesIO(embed_visemes(silent_wav(77), shapes))) as file:
        assert file.getnframes() == 77
        assert file.readframes(77) == bytes(154)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_other_files_have_no_visemes_and_never_fail(noise: bytes, tail: bytes) -> None:
    assert extract_visemes(noise) == ()
    extract_visemes(b"RIFF\0\0\0\0WAVE" + noise)
    extract_visemes(b"RIFF\0\0\0\0WAVEvism\xff\xff\xff\xff" + tail)


@given(st.text(max_size=8), st.floats(0, 100))
def test_every_phoneme_has_a_shape(phoneme: str, start: float) -> None:
    shape = viseme_of(phoneme, start)
    assert 0 <= shape.openness <= 1
    assert -1 <= shape.width <= 1


def test_lips_meet_for_m_and_part_for_a() -> None:
    assert viseme_of("m", 0).openness == viseme_of("_:", 0).openness == viseme_of("", 0).openness == 0
    assert viseme_of("a", 0).openness > viseme_of("i:", 0).openness > viseme_of("f", 0).openness
    assert viseme_of("u:", 0).width < 0 < viseme_of("i:", 0).width


@given(heard, st.lists(visemes, min_size=1, max_size=20).map(lambda shapes: sorted(shapes, key=lambda s: s.start)))
def test_a_track_stays_within_bounds_and_shut_in_silence(levels: NDArray[np.float64], shapes: list[Viseme]) -> None:
    for track in (follow_loudness(levels, np.zeros_like(levels)), follow_visemes(shapes, levels)):
        assert track.shape == (len(levels), 2)
        assert ((track[:, 0] >= 0) & (track[:, 0] <= 1)).all()
        assert (np.abs(track[:, 1]) <= 1).all()
    assert not follow_visemes(shapes, levels)[levels == 0, 0].any()


@given(st.integers(1, 60), st.floats(0.001, 1))
def test_loudness_does_not_depend_on_the_volume(frames: int, volume: float) -> None:
    clock = np.linspace(0, 1, 160, dtype=np.float32)
    swell = np.sin(np.arange(frames, dtype=np.float32) / 3)[:, None] ** 2
    tone = (0.9 * np.sin(60 * clock)[None, :] * swell).astype(np.float32)
    level = loudness(tone * np.float32(volume))
    assert level.shape == (frames,)
    assert ((level >= 0) & (level <= 1)).all()


def test_a_long_silence_closes_a_mouth_that_was_open() -> None:
    track = follow_loudness(np.array([1.0] * 10 + [0.0] * 10), np.zeros(20))
    assert track[9, 0] > 0.9
    assert track[13:, 0].max() == 0
