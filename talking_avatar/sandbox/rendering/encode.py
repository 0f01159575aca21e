"""Frames and sound to MP4: H.264 and AAC, playable while it loads."""

import contextlib
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from talking_avatar.sandbox.rendering.contract import Rendered
from talking_avatar.sandbox.rendering.motion import moments
from talking_avatar.sandbox.rendering.mouth import Track
from talking_avatar.sandbox.rendering.picture import Box, Pixels
from talking_avatar.sandbox.rendering.sound import FRAME_RATE, SAMPLE_RATE, Sound
from talking_avatar.sandbox.rendering.stage import Stage

__all__ = ["film"]

# OpenCV converts to BT.601, and a player assumes BT.709 for large pictures unless the stream says otherwise.
_X264 = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m"
_VIDEO_OPTIONS = {"preset": "veryfast", "crf": "21", "bf": "0", "x264-params": _X264}
_THREADS = 2


def film(stage: Stage, sound: Sound, track: Track, *, seed: int, with_mask: bool = False) -> Rendered:
    """Play the *stage* to the *sound*, one frame in memory at a time."""
    opening = stage.opening
    size = opening.box.width, opening.box.height
    with contextlib.ExitStack() as stack:
        video = stack.enter_context(_Recorder(*size, channels=sound.samples.shape[0]))
        mask = stack.enter_context(_Recorder(*size, channels=0)) if with_mask else None
        video.paint(opening.box, opening.pixels)
        if mask:
            mask.paint_grey(opening.box, opening.matte)
        for moment, samples in zip(moments(track, seed=seed), sound.by_frame(), strict=True):
            for change in stage.changes(moment):
                video.paint(change.box, change.pixels)
                if mask:
                    mask.paint_grey(change.box, change.matte)
            video.capture(samples)
            if mask:
                mask.capture()
        mask_mp4 = mask.finish() if mask else None
        return Rendered(mp4=video.finish(), mask_mp4=mask_mp4, seconds=sound.frames / FRAME_RATE)


class _Recorder:
    """An MP4 being written; one frame is kept and painted over, since the encoder copies what it needs."""

    def __init__(self, width: int, height: int, *, channels: int) -> None:
        # The index moves to the front at the end, and for that FFmpeg opens the file a second time by its name.
        self._folder = tempfile.TemporaryDirectory(prefix="talking-avatar-")
        self._path = Path(self._folder.name) / "video.mp4"
        self._container = av.open(str(self._path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"})
        self._video = self._container.add_stream("libx264", rate=FRAME_RATE, options=_VIDEO_OPTIONS)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        self._video.codec_context.thread_count = _THREADS
        self._layout = "stereo" if channels > 1 else "mono"
        self._audio = (
            self._container.add_stream("aac", rate=SAMPLE_RATE, layout=self._layout, options={"flags": "+bitexact"})
            if channels
            else None
        )
        self._frame = av.VideoFrame(width, height, "yuv420p")
        self._planes = [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
            for plane in self._frame.planes
        ]
        self._shown = self._heard = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()
        self._folder.cleanup()

    def paint(self, box: Box, pixels: Pixels) -> None:
        """Change a part of the picture; *box* has even edges."""
        converted = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420).ravel()
        area = box.width * box.height
        luma, blue, red = np.split(converted, (area, area + area // 4))
        box.of(self._planes[0])[:] = luma.reshape(box.height, box.width)
        half = Box(box.x // 2, box.y // 2, box.width // 2, box.height // 2)
        half.of(self._planes[1])[:] = blue.reshape(half.height, half.width)
        half.of(self._planes[2])[:] = red.reshape(half.height, half.width)

    def paint_grey(self, box: Box, pixels: Pixels) -> None:
        """As `paint`, for one channel."""
        if not self._shown:
            for plane in self._planes[1:]:
                plane[:] = 128
        # Video black and white are 16 and 235.
        box.of(self._planes[0])[:] = cv2.convertScaleAbs(pixels, alpha=219 / 255, beta=16)

    def capture(self, samples: "np.ndarray[tuple[int, ...], np.dtype[np.int16]] | None" = None) -> None:
        """Write the picture as the next frame, and the *samples* that sound during it."""
        self._frame.pts = self._shown
        self._frame.time_base = Fraction(1, FRAME_RATE)
        self._shown += 1
        self._container.mux(self._video.encode(self._frame))
        if samples is None or self._audio is None:
            return
        heard = av.AudioFrame.from_ndarray(samples, format="s16p", layout=self._layout)
        heard.sample_rate = SAMPLE_RATE
        heard.pts = self._heard
        heard.time_base = Fraction(1, SAMPLE_RATE)
        self._heard += samples.shape[1]
        self._container.mux(self._audio.encode(heard))

    def finish(self) -> bytes:
        """The whole file."""
        self._container.mux(self._video.encode())
        if self._audio is not None:
            self._container.mux(self._audio.encode())
        self._container.close()
        return self._path.read_bytes()
