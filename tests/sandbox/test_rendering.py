"""What the studio renders, taken apart again."""

import contextlib
import functools
import io
import pickle
import struct
import wave
import zlib
from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering import composition, picture, sound
from talking_avatar.sandbox.rendering.contract import BadInput, Layer, Rendered, Renderer
from talking_avatar.sandbox.rendering.samples import instant_mp4, portrait_jpeg, speech_wav
from talking_avatar.sandbox.rendering.studio import Studio
from talking_avatar.sandbox.rendering.visemes import extract_visemes

FRAME = 1 / 25
RATE = 16_000
Frames = NDArray[np.uint8]


def wav_of(samples: NDArray[np.float64], rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, len(samples), "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def babble(seconds: float) -> NDArray[np.float64]:
    """A tone that swells four times a second, as syllables do."""
    clock = np.arange(round(seconds * RATE)) / RATE
    tone: NDArray[np.float64] = 0.5 * np.sin(2 * np.pi * 180 * clock) * np.sin(np.pi * 4 * clock) ** 2
    return tone


def burst_pause_burst() -> bytes:
    return wav_of(np.concatenate([babble(1.5), np.zeros(round(1.5 * RATE)), babble(1.0)]))


def mp3_of(samples: NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16p", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    return picture.encode_png(pixels)


@functools.lru_cache(maxsize=6)
def frames_of(mp4: bytes) -> Frames:
    with av.open(io.BytesIO(mp4), "r") as container:
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]).astype(np.uint8)


def streams_of(mp4: bytes) -> dict[str, float]:
    with av.open(io.BytesIO(mp4), "r") as container:
        return {
            stream.codec_context.name: float((stream.duration or 0) * (stream.time_base or 0))
            for stream in container.streams
        }


def motion(frames: Frames) -> NDArray[np.float64]:
    """How much each frame differs from the one before."""
    differences: NDArray[np.float64] = np.abs(np.diff(frames.astype(np.int16), axis=0)).mean(axis=(1, 2, 3))
    return differences


def away(pixel: Frames, colour: tuple[int, int, int]) -> int:
    """The largest difference in any channel (blue, green, red)."""
    return int(np.abs(pixel.astype(np.int16) - colour).max())


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="module")
def talking_photo(studio: Studio) -> Rendered:
    return studio.render_photo(portrait_jpeg(), burst_pause_burst())


@pytest.fixture(scope="module")
def presenter(studio: Studio) -> Rendered:
    return studio.render_presenter("liza_a0008", burst_pause_burst(), with_mask=True)


def test_a_studio_is_a_renderer_that_pickles(studio: Studio) -> None:
    renderer: Renderer = pickle.loads(pickle.dumps(studio))  # noqa: S301 - our own bytes
    assert renderer == studio


class TestVideo:
    def test_is_h264_and_aac_as_long_as_the_audio(self, talking_photo: Rendered) -> None:
        streams = streams_of(talking_photo.mp4)
        assert set(streams) == {"h264", "aac"}
        assert streams["h264"] == pytest.approx(4.0, abs=FRAME)
        assert streams["aac"] == pytest.approx(4.0, abs=FRAME)
        assert talking_photo.seconds == pytest.approx(4.0, abs=FRAME)

    def test_has_its_index_in_front(self, talking_photo: Rendered) -> None:
        assert talking_photo.mp4.index(b"moov") < talking_photo.mp4.index(b"mdat")

    def test_is_at_most_512_on_the_shorter_side(self, talking_photo: Rendered) -> None:
        assert frames_of(talking_photo.mp4).shape[1:3] == (600, 512)

    def test_is_the_same_every_time(self, studio: Studio) -> None:
        audio = wav_of(babble(0.6))
        assert studio.render_photo(portrait_jpeg(), audio) == studio.render_photo(portrait_jpeg(), audio)

    def test_covers_a_sound_shorter_than_a_frame(self, studio: Studio) -> None:
        assert studio.render_photo(portrait_jpeg(), wav_of(babble(0.01))).seconds == pytest.approx(FRAME)

    @pytest.mark.parametrize("size", [(400, 700), (701, 403)])
    def test_has_even_sides_whatever_the_photo_has(self, studio: Studio, size: tuple[int, int]) -> None:
        photo = cv2.imdecode(np.frombuffer(portrait_jpeg(), np.uint8), cv2.IMREAD_COLOR)
        assert photo is not None
        wide = cv2.copyMakeBorder(photo[80:400, 80:440], 60, 61, 90, 91, cv2.BORDER_REPLICATE).astype(np.uint8)
        frames = frames_of(studio.render_photo(png_of(wide[: size[1], : size[0]]), wav_of(babble(0.1))).mp4)
        assert not any(side % 2 for side in frames.shape[1:3])


class TestMouth:
    """The lips of the sample portrait are around 264, 276."""

    @staticmethod
    def mouth(rendered: Rendered) -> Frames:
        return frames_of(rendered.mp4)[:, 255:330, 215:315]

    def test_moves_with_sound_and_rests_without(self, talking_photo: Rendered) -> None:
        moved = motion(self.mouth(talking_photo))
        speaking, silent = moved[3:36].mean(), moved[45:72].mean()
        assert speaking > 4 * silent

    def test_opens_when_it_is_loud(self, talking_photo: Rendered) -> None:
        mouth = self.mouth(talking_photo).astype(np.int16)
        opened = np.abs(mouth - mouth[60]).mean(axis=(1, 2, 3))
        heard = np.abs(np.concatenate([babble(1.5), np.zeros(round(1.5 * RATE)), babble(1.0)]))
        loudness = heard.reshape(len(opened), -1).mean(axis=1)
        assert np.corrcoef(opened, loudness)[0, 1] > 0.7

    def test_leaves_the_corners_of_the_picture_alone(self, talking_photo: Rendered) -> None:
        assert motion(frames_of(talking_photo.mp4)[:, 520:, :60]).max() < 1

    def test_eyes_blink(self, talking_photo: Rendered) -> None:
        moved = motion(frames_of(talking_photo.mp4)[45:72, 170:200, 205:235])
        everything = motion(frames_of(talking_photo.mp4)[:, 170:200, 205:235])
        assert everything.max() > 3 * np.median(moved)


class TestMask:
    def test_is_black_and_white(self, presenter: Rendered) -> None:
        assert presenter.mask_mp4 is not None
        mask = frames_of(presenter.mask_mp4)
        assert ((mask < 12) | (mask > 243)).mean() > 0.97

    def test_covers_the_presenter(self, presenter: Rendered) -> None:
        assert presenter.mask_mp4 is not None
        mask, video = frames_of(presenter.mask_mp4), frames_of(presenter.mp4)
        assert mask.shape == video.shape
        white = mask.min(axis=(0, 3)) > 128
        assert white[300, 360]
        assert white[600, 360]
        assert not white[20, 20]
        assert 0.2 < white.mean() < 0.6
        # Whatever moves is the presenter.
        moving = np.abs(np.diff(video[::10].astype(np.int16), axis=0)).max(axis=(0, 3)) > 40
        assert (mask.max(axis=(0, 3)) > 128)[moving].mean() > 0.95

    def test_is_left_out_when_nobody_asked(self, studio: Studio) -> None:
        assert studio.render_presenter("kem_03", wav_of(babble(0.1)), with_mask=False).mask_mp4 is None


class TestCast:
    def test_stands_in_the_poses_of_the_vendor_samples(self, studio: Studio) -> None:
        poses = [pose.pose_id for presenter in studio.presenters() for pose in presenter.poses]
        assert {"01_jason", "02_sooyon", "kem_03", "liza_a0008"} <= set(poses)
        assert len(poses) == len(set(poses))
        assert all(len(presenter.poses) >= 2 for presenter in studio.presenters())

    def test_has_a_different_preview_for_each_pose(self, studio: Studio) -> None:
        poses = [pose.pose_id for presenter in studio.presenters() for pose in presenter.poses]
        previews = {studio.presenter_preview(pose_id) for pose_id in poses}
        assert len(previews) == len(poses)
        assert all(preview.startswith(b"\x89PNG") for preview in previews)

    def test_knows_nobody_else(self, studio: Studio) -> None:
        for use in (
            lambda: studio.presenter_preview("nobody"),
            lambda: studio.render_presenter("nobody", wav_of(babble(0.1)), with_mask=False),
        ):
            with pytest.raises(BadInput) as refused:
                use()
            assert refused.value.fault == "unknown_name"


class TestCharacter:
    def test_talks_after_its_traits_went_through_json(self, studio: Studio) -> None:
        character = studio.make_character(portrait_jpeg())
        assert character.preview_png.startswith(b"\x89PNG")
        rendered = studio.render_character(character.traits, wav_of(babble(1.0)))
        assert rendered.mask_mp4 is not None
        assert frames_of(rendered.mp4).shape == frames_of(rendered.mask_mp4).shape == (25, 512, 512, 3)
        assert motion(frames_of(rendered.mp4)[:, 250:330, 200:312]).max() > 1

    def test_wears_the_glasses_and_colours_of_the_photo(self, studio: Studio) -> None:
        traits = studio.make_character(portrait_jpeg()).traits
        assert traits["glasses"] is True
        red, green, blue = bytes.fromhex(str(traits["skin"])[1:])
        assert red > green > blue
        red, green, blue = bytes.fromhex(str(traits["background"])[1:])
        assert blue > red

    @pytest.mark.parametrize("traits", [{"skin": "blue"}, {"skin": 5}, {"hair_style": "mohawk"}, {"gender": None}])
    def test_refuses_traits_that_cannot_be_drawn(self, studio: Studio, traits: dict[str, object]) -> None:
        with pytest.raises(BadInput):
            studio.render_character(traits, wav_of(babble(0.1)))


class TestFace:
    def test_is_found(self, studio: Studio) -> None:
        face = studio.find_face(portrait_jpeg())
        assert 130 < face.x < 180
        assert 80 < face.y < 130
        assert 200 < face.width < 260

    @pytest.mark.parametrize(
        ("photo", "fault"),
        [
            (b"", "not_an_image"),
            (b"no picture at all", "not_an_image"),
            (portrait_jpeg()[:300], "not_an_image"),
            (png_of(np.full((300, 300, 3), 200, np.uint8)), "no_face"),
            (png_of(np.full((1, 30_000, 3), 200, np.uint8)), "no_face"),
        ],
        ids=["empty", "text", "cut short", "grey", "a line"],
    )
    def test_is_refused_by_name(self, studio: Studio, photo: bytes, fault: str) -> None:
        with pytest.raises(BadInput) as refused:
            studio.find_face(photo)
        assert refused.value.fault == fault

    def test_may_be_too_small(self, studio: Studio) -> None:
        photo = cv2.imdecode(np.frombuffer(portrait_jpeg(), np.uint8), cv2.IMREAD_COLOR)
        assert photo is not None
        with pytest.raises(BadInput) as refused:
            studio.find_face(png_of(cv2.resize(photo, None, fx=0.6, fy=0.6).astype(np.uint8)))
        assert refused.value.fault == "face_too_small"
        assert refused.value.fault == pickle.loads(pickle.dumps(refused.value)).fault  # noqa: S301 - our own bytes

    def test_is_not_looked_for_in_a_decompression_bomb(self, studio: Studio) -> None:
        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        with pytest.raises(BadInput, match="pixels"):
            studio.find_face(bomb)

    @pytest.mark.parametrize("extension", [".webp", ".png", ".jpg"])
    def test_is_found_in_every_format(self, studio: Studio, extension: str) -> None:
        photo = cv2.imdecode(np.frombuffer(portrait_jpeg(), np.uint8), cv2.IMREAD_COLOR)
        assert photo is not None
        assert studio.find_face(cv2.imencode(extension, photo)[1].tobytes()).width > 160


class TestAudio:
    def test_may_be_mp3(self, studio: Studio) -> None:
        recording = mp3_of(babble(1.0))
        assert studio.measure_audio(recording, limit=60) == pytest.approx(1.0, abs=0.1)
        assert streams_of(studio.render_photo(portrait_jpeg(), recording).mp4)["h264"] == pytest.approx(1.0, abs=0.1)

    def test_may_be_stereo(self, studio: Studio) -> None:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((2, 2, 44_100, 0, "NONE", ""))
            file.writeframes(bytes(4 * 44_100))
        assert studio.render_photo(portrait_jpeg(), buffer.getvalue()).seconds == pytest.approx(1.0, abs=FRAME)

    @pytest.mark.parametrize(
        "audio",
        [b"", b"RIFF", b"x" * 500, b"#EXTM3U\nfile:///etc/hosts\n", wav_of(np.zeros(0)), b"\xff\xfb" + b"\0" * 900],
        ids=["empty", "a start", "text", "a playlist", "no samples", "an MP3 of nothing"],
    )
    def test_that_is_none_is_refused(self, studio: Studio, audio: bytes) -> None:
        for use in (lambda: studio.measure_audio(audio, limit=60), lambda: studio.render_photo(portrait_jpeg(), audio)):
            with pytest.raises(BadInput) as refused:
                use()
            assert refused.value.fault == "not_audio"

    def test_is_at_most_as_long_as_the_limit(self, studio: Studio) -> None:
        recording = wav_of(babble(3.0))
        assert studio.measure_audio(recording, limit=3.0) == pytest.approx(3.0)
        with pytest.raises(BadInput) as refused:
            studio.measure_audio(recording, limit=2.5)
        assert refused.value.fault == "audio_too_long"

    def test_is_not_decoded_past_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        decoded = 0
        pieces: Callable[[bytes], Iterator[NDArray[np.int16]]] = sound._decoded

        def counted(audio: bytes) -> Iterator[NDArray[np.int16]]:
            nonlocal decoded
            for piece in pieces(audio):
                decoded += piece.shape[1]
                yield piece

        monkeypatch.setattr(sound, "_decoded", counted)
        with pytest.raises(BadInput):
            sound.measure_sound(wav_of(babble(60.0)), limit=1.0)
        assert decoded < 2 * sound.SAMPLE_RATE

    def test_of_a_few_samples_a_second_is_refused(self, studio: Studio) -> None:
        with pytest.raises(BadInput) as refused:
            studio.measure_audio(wav_of(babble(1.0), rate=1), limit=60)
        assert refused.value.fault == "not_audio"


class TestDamagedFiles:
    FILES = (
        *(
            cv2.imencode(extension, cv2.resize(picture.decode_picture(portrait_jpeg()), (96, 112)))[1].tobytes()
            for extension in (".jpg", ".png", ".webp")
        ),
        instant_mp4(),
        wav_of(babble(0.1)),
        mp3_of(babble(0.2)),
    )

    @settings(deadline=None)
    @given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6), st.integers(0))
    def test_are_decoded_or_refused(self, file: bytes, changes: list[tuple[int, int]], cut: int) -> None:
        damaged = bytearray(file)
        for position, value in changes:
            damaged[position % len(damaged)] = value
        whole = bytes(damaged[: len(file) - cut % len(file)])
        with contextlib.suppress(BadInput):
            picture.decode_picture(whole)
        with contextlib.suppress(BadInput):
            sound.measure_sound(whole, limit=60)


class TestSpeech:
    def test_has_voices_of_both_genders_and_several_languages(self, studio: Studio) -> None:
        voices = studio.voices()
        assert len(voices) >= 8
        assert {voice.gender for voice in voices} == {"male", "female"}
        assert {"en-US", "en-GB", "de-DE", "fr-FR", "es-ES"} <= {voice.locale for voice in voices}

    def test_is_heard_in_every_voice(self, studio: Studio) -> None:
        spoken = {studio.speak("Good morning", voice.name).wav for voice in studio.voices()}
        assert len(spoken) == len(studio.voices())

    def test_is_read_by_other_players(self, studio: Studio) -> None:
        speech = speech_wav(studio)
        with wave.open(io.BytesIO(speech)) as file:
            seconds = file.getnframes() / file.getframerate()
        assert 3 < seconds < 8
        assert studio.measure_audio(speech, limit=60) == pytest.approx(seconds, abs=0.01)
        assert len(extract_visemes(speech)) > 20

    @pytest.mark.parametrize("text", ["", "   \n", "\0", "\ud800", "…", "\U0001f600", "你好", "x" * 600, "<b>&"])
    def test_takes_any_text(self, studio: Studio, text: str) -> None:
        spoken = studio.speak(text, "en-GB-Oliver")
        assert spoken.seconds >= 0.4
        assert studio.measure_audio(spoken.wav, limit=120) == pytest.approx(spoken.seconds, abs=0.01)

    def test_needs_a_voice_that_exists(self, studio: Studio) -> None:
        with pytest.raises(BadInput) as refused:
            studio.speak("Hello", "en-US-Nobody")
        assert refused.value.fault == "unknown_name"


class TestComposition:
    SHORT = wav_of(babble(0.3))

    def first_frame(self, studio: Studio, *layers: Layer, width: int = 640, height: int = 360) -> Frames:
        frame: Frames = frames_of(studio.render_composition(layers, self.SHORT, width=width, height=height).mp4)[0]
        return frame

    def test_puts_layers_where_they_belong(self, studio: Studio) -> None:
        red = png_of(np.full((10, 20, 3), (0, 0, 255), np.uint8))
        frame = self.first_frame(
            studio,
            Layer(colour="#0000ff"),
            Layer(picture=red, offset_x=100, offset_y=50, scale_x=5, scale_y=5),
            Layer(colour="#00ff00", offset_x=600, offset_y=300, width=500, height=500),
        )
        assert frame.shape == (360, 640, 3)
        assert away(frame[10, 10], (255, 0, 0)) <= 12
        assert away(frame[75, 150], (0, 0, 255)) <= 12
        assert away(frame[75, 96], (255, 0, 0)) <= 30
        assert away(frame[104, 150], (255, 0, 0)) <= 30
        assert away(frame[340, 620], (0, 255, 0)) <= 12

    def test_mixes_what_is_half_transparent(self, studio: Studio) -> None:
        glass = np.zeros((40, 40, 4), np.uint8)
        glass[..., 2:] = 255
        glass[:, 20:, 3] = 0
        frame = self.first_frame(
            studio,
            Layer(colour="#fff"),
            Layer(colour="#00000080", width=300),
            Layer(picture=png_of(glass), offset_x=400, width=200, height=200),
        )
        assert away(frame[180, 150], (127, 127, 127)) <= 6
        assert away(frame[100, 440], (0, 0, 255)) <= 12
        assert away(frame[100, 570], (255, 255, 255)) <= 6

    def test_clips_what_hangs_over_the_edges(self, studio: Studio) -> None:
        layers = (
            Layer(colour="#ff0000", offset_x=-1e6, offset_y=-1e6, width=2e6, height=2e6),
            Layer(picture=portrait_jpeg(), talks=True, offset_x=-200, offset_y=-100),
            Layer(presenter="mira_standing", talks=True, offset_x=500, offset_y=200, width=400, height=400),
            Layer(presenter="mira_standing", talks=True, offset_x=5000),
            Layer(colour="#fff", width=0),
        )
        assert away(self.first_frame(studio, *layers)[350, 400], (0, 0, 255)) <= 12

    def test_animates_the_talking_layers_only(self, studio: Studio) -> None:
        layers = (
            Layer(colour="#334455"),
            Layer(picture=portrait_jpeg(), width=256, height=300),
            Layer(picture=portrait_jpeg(), width=256, height=300, offset_x=256, talks=True),
            Layer(presenter="theo_standing", width=256, height=256, offset_x=512, offset_y=44, talks=True),
            Layer(colour="#ffffff", offset_x=300, offset_y=180, width=40, height=10),
        )
        rendered = studio.render_composition(layers, wav_of(babble(1.0)), width=768, height=300)
        moved = np.abs(np.diff(frames_of(rendered.mp4).astype(np.int16), axis=0)).mean(axis=(0, 3))
        assert moved[:, :240].max() < 6
        assert moved[125:165, 365:415].mean() > 1.5
        assert moved[140:190, 610:670].mean() > 0.5
        # What lies above a talking layer stays above it.
        assert away(frames_of(rendered.mp4)[12, 185, 320], (255, 255, 255)) <= 12

    def test_takes_the_first_frame_of_a_video(self, studio: Studio, talking_photo: Rendered) -> None:
        frame = self.first_frame(studio, Layer(picture=talking_photo.mp4, talks=True), width=512, height=600)
        assert np.abs(frame.astype(int) - frames_of(talking_photo.mp4)[0]).mean() < 8

    def test_needs_a_face_in_a_talking_picture(self, studio: Studio) -> None:
        grey = png_of(np.full((300, 300, 3), 128, np.uint8))
        with pytest.raises(BadInput) as refused:
            self.first_frame(studio, Layer(picture=grey, talks=True))
        assert refused.value.fault == "no_face"

    @pytest.mark.parametrize(
        ("layer", "fault"),
        [
            (Layer(picture=b"nothing"), "not_an_image"),
            (Layer(picture=b"\0\0\0\x18ftypmp42"), "not_an_image"),
            (Layer(colour="#12345"), "not_an_image"),
            (Layer(presenter="nobody"), "unknown_name"),
        ],
    )
    def test_refuses_a_layer_that_it_cannot_draw(self, studio: Studio, layer: Layer, fault: str) -> None:
        with pytest.raises(BadInput) as refused:
            self.first_frame(studio, layer)
        assert refused.value.fault == fault

    def test_is_even_and_within_bounds(self, studio: Studio) -> None:
        assert self.first_frame(studio, width=101, height=75).shape == (74, 100, 3)
        with pytest.raises(ValueError, match="cannot compose"):
            composition.compose((), 100_000, 100)

    def test_of_the_vendor_sample_is_4k(self, studio: Studio) -> None:
        layers = (
            Layer(picture=portrait_jpeg(), width=780, height=438, offset_x=1920, offset_y=1080),
            Layer(presenter="liza_a0008", talks=True, width=1080, height=1080, offset_x=1920, offset_y=1080),
        )
        frame = self.first_frame(studio, *layers, width=3840, height=2160)
        assert frame.shape == (2160, 3840, 3)
        assert frame[1000, 1000].max() < 6
        assert frame[1090, 1930].max() > 10
