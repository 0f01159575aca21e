"""From sound to a mouth: how open and how wide it is in each frame of the video."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.sound import FRAME_RATE, SAMPLE_RATE, Sound
from talking_avatar.sandbox.rendering.visemes import Viseme

__all__ = ["Track", "follow_loudness", "follow_visemes", "loudness", "mouth_track"]

Track = NDArray[np.float64]
"""One row a video frame: openness (0–1), width (-1 pursed … 1 spread)."""

_SILENT_DB = -52.0
_ATTACK, _RELEASE = 0.75, 0.45
_REST = 0.05


def mouth_track(sound: Sound, visemes: Sequence[Viseme] = ()) -> Track:
    """True mouth shapes where the recording brought *visemes*, else the shapes that its loudness suggests."""
    mono = sound.mono
    heard = loudness(mono)
    if visemes:
        return follow_visemes(visemes, heard)
    return follow_loudness(heard, _brightness(mono))


def loudness(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """0 at the noise floor of the recording to 1 at its loud passages, by frame."""
    if not frames.size:
        return np.zeros(0)
    level = 20 * np.log10(np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1)) + 1e-7)
    peak = float(np.percentile(level, 95))
    # The quietest tenth is noise only if it is much quieter than speech; a recording may never pause.
    floor = max(min(float(np.percentile(level, 10)) + 4, peak - 20), peak - 32, _SILENT_DB)
    span = max(peak - floor, 6.0)
    heard: NDArray[np.float64] = np.clip((level - floor) / span, 0.0, 1.0)
    return heard


def follow_loudness(heard: NDArray[np.float64], brightness: NDArray[np.float64]) -> Track:
    """Open as far as it is loud, quick to open and slower to close; bright sounds spread the lips."""
    openness = np.empty_like(heard)
    current = 0.0
    for index, target in enumerate(heard**2):
        current += (target - current) * (_ATTACK if target > current else _RELEASE)
        openness[index] = current
    openness[heard == 0] *= 0.4
    return _settled(openness, np.where(heard > 0, brightness, 0.0))


def follow_visemes(visemes: Sequence[Viseme], heard: NDArray[np.float64]) -> Track:
    """Glide from shape to shape, and stay shut where nothing is heard."""
    starts = np.array([viseme.start for viseme in visemes])
    ends = np.append(starts[1:], starts[-1] + 0.12)
    # A sound has reached its shape soon after it began, and holds it.
    times = np.stack([starts + 0.3 * (ends - starts), starts + 0.7 * (ends - starts)], axis=1).ravel()
    clock = (np.arange(len(heard)) + 0.5) / FRAME_RATE
    openness = np.interp(clock, times, np.repeat([viseme.openness for viseme in visemes], 2), left=0.0, right=0.0)
    width = np.interp(clock, times, np.repeat([viseme.width for viseme in visemes], 2), left=0.0, right=0.0)
    return _settled(openness * np.clip(heard / 0.25, 0.0, 1.0), width)


def _settled(openness: NDArray[np.float64], width: NDArray[np.float64]) -> Track:
    openness = np.where(openness < _REST, 0.0, np.clip(openness, 0.0, 1.0))
    if not len(width):
        return np.zeros((0, 2))
    smooth = np.convolve(np.pad(np.clip(width, -1.0, 1.0), 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return np.stack([openness, np.where(openness > 0, smooth, 0.0)], axis=1)


def _brightness(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]).astype(np.float32), axis=1)[:, : _bin(5000)])
    frequencies = np.arange(spectrum.shape[1]) * FRAME_RATE
    centroid = (spectrum @ frequencies) / (spectrum.sum(axis=1) + 1e-6)
    shaped: NDArray[np.float64] = np.tanh((centroid - 1100) / 700)
    return shaped


def _bin(frequency: float) -> int:
    return round(frequency / (SAMPLE_RATE / 2) * (SAMPLE_RATE // FRAME_RATE // 2))
