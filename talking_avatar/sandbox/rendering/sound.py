"""Recordings decoded to samples, bounded in time."""

import contextlib
import io
import math
from collections.abc import Iterator

import attrs
import av
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.contract import BadInput

__all__ = ["FRAME_RATE", "LONGEST", "SAMPLE_RATE", "Sound", "decode_sound", "measure_sound"]

FRAME_RATE = 25
SAMPLE_RATE = 48_000
LONGEST = 900.0
_SAMPLES_A_FRAME = SAMPLE_RATE // FRAME_RATE
# MP3 encoders pad the ends, so a recording of exactly the limit decodes to a little more.
_PADDING = 0.06
_LOWEST_RATE = 4000


@attrs.frozen(kw_only=True, eq=False)
class Sound:
    """16-bit samples at 48 kHz, one row a channel."""

    samples: NDArray[np.int16] = attrs.field(repr=False)

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)

    @property
    def frames(self) -> int:
        """Video frames needed to cover the sound."""
        return math.ceil(self.seconds * FRAME_RATE)

    @property
    def mono(self) -> NDArray[np.float32]:
        """One channel in -1…1, padded to whole video frames, one row a frame."""
        padded = np.zeros(self.frames * _SAMPLES_A_FRAME, np.float32)
        padded[: self.samples.shape[1]] = self.samples.mean(axis=0, dtype=np.float32) / 32768
        return padded.reshape(self.frames, _SAMPLES_A_FRAME)

    def by_frame(self) -> Iterator[NDArray[np.int16]]:
        """The samples that sound during each video frame."""
        for start in range(0, self.samples.shape[1], _SAMPLES_A_FRAME):
            yield np.ascontiguousarray(self.samples[:, start : start + _SAMPLES_A_FRAME])


def decode_sound(audio: bytes, *, limit: float = LONGEST) -> Sound:
    """Decode a WAV or MP3 of at most *limit* seconds; nothing past the limit is decoded."""
    pieces = list(_pieces(audio, limit))
    if not pieces:
        raise BadInput("the file holds no sound", fault="not_audio")
    return Sound(samples=np.concatenate(pieces, axis=1))


def measure_sound(audio: bytes, *, limit: float) -> float:
    """Seconds of sound, counted without keeping the samples."""
    seconds = sum(piece.shape[1] for piece in _pieces(audio, limit)) / SAMPLE_RATE
    if not seconds:
        raise BadInput("the file holds no sound", fault="not_audio")
    return float(seconds)


def _pieces(audio: bytes, limit: float) -> Iterator[NDArray[np.int16]]:
    seen = 0
    for piece in _decoded(audio):
        seen += piece.shape[1]
        if seen > (limit + _PADDING) * SAMPLE_RATE:
            raise BadInput(f"the recording is longer than {limit:g} s", fault="audio_too_long")
        yield piece


def _decoded(audio: bytes) -> Iterator[NDArray[np.int16]]:
    try:
        container = av.open(io.BytesIO(audio), "r", format=_container_format(audio))
    except (av.FFmpegError, ValueError) as error:
        raise BadInput("the file is neither WAV nor MP3", fault="not_audio") from error
    with container:
        if not container.streams.audio:
            return
        stream = container.streams.audio[0]
        # FFmpeg may not know the codec.
        if stream.codec_context is None:
            return
        # At a few samples a second, one packet lasts for hours.
        if stream.codec_context.sample_rate < _LOWEST_RATE:
            return
        layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=SAMPLE_RATE)
        # A damaged tail ends the recording; what came before it is good sound.
        with contextlib.suppress(av.FFmpegError):
            for frame in container.decode(stream):
                for resampled in resampler.resample(frame):
                    yield resampled.to_ndarray().astype(np.int16, copy=False)
        # The resampler was never told a format if not even the first frame was whole.
        with contextlib.suppress(av.FFmpegError):
            for resampled in resampler.resample(None):
                yield resampled.to_ndarray().astype(np.int16, copy=False)


def _container_format(audio: bytes) -> str:
    """Named from the first bytes: left to guess, FFmpeg also takes playlists, which name further files to open."""
    if audio[:4] == b"RIFF" and audio[8:12] == b"WAVE":
        return "wav"
    if audio[:3] == b"ID3" or (audio[:1] == b"\xff" and audio[1:2] >= b"\xe0"):
        return "mp3"
    raise BadInput("the file is neither WAV nor MP3", fault="not_audio")
