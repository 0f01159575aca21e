"""Pictures as BGR or BGRA pixels: decoding within bounds, scaling, and boxes in them."""

import io

import attrs
import av
import cv2
import numpy as np
from numpy.typing import NDArray

from talking_avatar.sandbox.rendering.contract import BadInput
from talking_avatar.sandbox.rendering.image_header import JPEG, image_size

__all__ = ["Box", "Pixels", "decode_picture", "encode_png", "opaque", "premultiplied", "resized"]

Pixels = NDArray[np.uint8]

_MOST_PIXELS = 50_000_000


@attrs.frozen
class Box:
    """A rectangle of whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def within(self, other: "Box") -> "Box":
        """The part of this box that lies in *other*; of no width or height if none does."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Box(x, y, max(0, min(self.right, other.right) - x), max(0, min(self.bottom, other.bottom) - y))

    def moved(self, x: int, y: int) -> "Box":
        return Box(self.x + x, self.y + y, self.width, self.height)

    def of(self, pixels: Pixels) -> Pixels:
        """A view of the pixels in this box."""
        return pixels[self.y : self.bottom, self.x : self.right]

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0


def decode_picture(data: bytes) -> Pixels:
    """BGR, or BGRA where the file is transparent, turned as its EXIF says; of a video, the first frame."""
    if _is_video(data):
        return _first_frame(data)
    width, height = image_size(data)
    if width * height > _MOST_PIXELS:
        raise BadInput(f"{width}x{height} is more than {_MOST_PIXELS} pixels")
    # IMREAD_UNCHANGED keeps the alpha channel but forgets the orientation, which only photographs carry.
    flags = cv2.IMREAD_COLOR if data[:3] == JPEG else cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadInput("the file is damaged") from error
    if decoded is None:
        raise BadInput("the file is damaged")
    return _eight_bit_colour(decoded)


def _eight_bit_colour(decoded: NDArray[np.generic]) -> Pixels:
    shallow: Pixels = (decoded // 257).astype(np.uint8) if decoded.dtype == np.uint16 else decoded.astype(np.uint8)
    if shallow.ndim == 2 or shallow.shape[2] == 1:  # rows and columns alone: grey
        return cv2.cvtColor(shallow, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    return shallow


def _is_video(data: bytes) -> bool:
    return data[4:8] == b"ftyp" or (data[:4] == b"RIFF" and data[8:12] == b"AVI ")


def _first_frame(data: bytes) -> Pixels:
    container_format = "mov" if data[4:8] == b"ftyp" else "avi"
    try:
        with av.open(io.BytesIO(data), "r", format=container_format) as container:
            codec = container.streams.video[0].codec_context
            # FFmpeg may not know the codec.
            if codec is None:
                raise BadInput("the video has no picture")
            # A later header may announce a larger picture than the first.
            codec.options = {"max_pixels": str(_MOST_PIXELS)}
            if codec.width * codec.height > _MOST_PIXELS:
                raise BadInput(f"{codec.width}x{codec.height} is more than {_MOST_PIXELS} pixels")
            return next(container.decode(video=0)).to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    except (av.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise BadInput("the video has no picture") from error


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """The same picture at another size."""
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(pixels, (max(1, width), max(1, height)), interpolation=method).astype(np.uint8, copy=False)


def premultiplied(pixels: Pixels) -> Pixels:
    """Colours times alpha, the form in which layers add up."""
    if pixels.shape[2] == 3:  # BGR
        return pixels
    alpha = cv2.cvtColor(pixels[..., 3], cv2.COLOR_GRAY2BGR)
    colour = cv2.multiply(np.ascontiguousarray(pixels[..., :3]), alpha, scale=1 / 255)
    return np.dstack([colour, pixels[..., 3]])


def opaque(pixels: Pixels) -> Pixels:
    """BGR of a picture, a transparent one laid over white."""
    if pixels.shape[2] == 3:  # BGR
        return pixels
    over = premultiplied(pixels)
    paper = cv2.cvtColor(255 - over[..., 3], cv2.COLOR_GRAY2BGR)
    return cv2.add(np.ascontiguousarray(over[..., :3]), paper).astype(np.uint8, copy=False)


def encode_png(pixels: Pixels) -> bytes:
    """The picture as a PNG file."""
    return cv2.imencode(".png", pixels)[1].tobytes()
