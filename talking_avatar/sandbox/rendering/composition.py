"""The layers of a composition, placed on one canvas."""

import cv2
import numpy as np

from talking_avatar.sandbox.rendering import stage
from talking_avatar.sandbox.rendering.cast import find_pose
from talking_avatar.sandbox.rendering.character import draw_person
from talking_avatar.sandbox.rendering.colour import bgra
from talking_avatar.sandbox.rendering.contract import BadInput, Face, Layer
from talking_avatar.sandbox.rendering.face import find_face, locate_landmarks
from talking_avatar.sandbox.rendering.photo import photographed_head
from talking_avatar.sandbox.rendering.picture import Box, Pixels, decode_picture, premultiplied

__all__ = ["compose"]

_PRESENTER_SIZE = 1080
_LARGEST_DRAWING = 4096
_LARGEST_CANVAS = 8192


def compose(layers: tuple[Layer, ...], width: int, height: int) -> stage.Stage:
    """A stage of *width* by *height*, rounded down to even figures as the video format wants them."""
    if not (2 <= width <= _LARGEST_CANVAS and 2 <= height <= _LARGEST_CANVAS):  # one even pixel
        raise ValueError(f"cannot compose {width}x{height}: each side is 2 to {_LARGEST_CANVAS} pixels")
    canvas = np.zeros((height - height % 2, width - width % 2, 3), np.uint8)
    whole = Box(0, 0, canvas.shape[1], canvas.shape[0])
    return stage.Stage(canvas, [placed for layer in layers for placed in _place(layer, whole)])


def _place(layer: Layer, whole: Box) -> tuple[stage.Layer, ...]:
    if layer.presenter is not None:
        return _place_presenter(layer, layer.presenter)
    if layer.picture is not None:
        return _place_picture(layer, decode_picture(layer.picture), whole)
    return _place_colour(layer, layer.colour or "#000", whole)


def _box(layer: Layer, own_width: float, own_height: float) -> Box:
    width = (own_width if layer.width is None else layer.width) * layer.scale_x
    height = (own_height if layer.height is None else layer.height) * layer.scale_y
    return Box(round(layer.offset_x), round(layer.offset_y), max(0, round(width)), max(0, round(height)))


def _place_colour(layer: Layer, colour: str, whole: Box) -> tuple[stage.Layer, ...]:
    visible = _box(layer, whole.width, whole.height).within(whole)
    if not visible:
        return ()
    try:
        fill = np.array([[bgra(colour)]], np.uint8)
    except ValueError as error:
        raise BadInput(f"{colour!r} is not a colour") from error
    paint = premultiplied(fill) if fill[0, 0, 3] < 255 else fill[..., :3]  # opaque
    image = np.broadcast_to(paint, (visible.height, visible.width, paint.shape[2]))
    return (stage.Sprite(x=visible.x, y=visible.y, image=image),)


def _place_presenter(layer: Layer, pose_id: str) -> tuple[stage.Layer, ...]:
    """The presenters are drawn square: in a box of another shape they stand at the middle of its floor."""
    traits, framing = find_pose(pose_id)
    box = _box(layer, _PRESENTER_SIZE, _PRESENTER_SIZE)
    size = min(box.width, box.height, _LARGEST_DRAWING)
    if not size:
        return ()
    drawing = draw_person(traits, framing, size)
    x, y = box.x + (box.width - size) // 2, box.bottom - size
    if not layer.talks:
        return (stage.Sprite(x=x, y=y, image=drawing.figure),)
    return stage.figure(drawing.figure, drawing.head, x=x, y=y)


def _place_picture(layer: Layer, picture: Pixels, whole: Box) -> tuple[stage.Layer, ...]:
    box = _box(layer, picture.shape[1], picture.shape[0])
    visible = box.within(whole)
    face = find_face(picture) if layer.talks else None
    if not visible:
        return ()
    image = _scaled(premultiplied(picture), box, visible)
    if face is None:
        return (stage.Sprite(x=visible.x, y=visible.y, image=image),)
    seen = _seen(face, box, visible, picture)
    head = photographed_head(image, locate_landmarks(image, seen))
    return stage.figure(image, head, x=visible.x, y=visible.y)


def _scaled(picture: Pixels, box: Box, visible: Box) -> Pixels:
    """The *visible* part of the picture stretched to *box*, without making the rest of it."""
    height, width = picture.shape[:2]
    fitted = min(width, box.width), min(height, box.height)
    small = cv2.resize(picture, fitted, interpolation=cv2.INTER_AREA) if fitted != (width, height) else picture
    across, down = box.width / fitted[0], box.height / fitted[1]
    # Pixel centres lie half a pixel inside.
    matrix = np.array(
        [
            [across, 0, (across - 1) / 2 + box.x - visible.x],
            [0, down, (down - 1) / 2 + box.y - visible.y],
        ]
    )
    method = cv2.INTER_CUBIC if max(across, down) > 1 else cv2.INTER_NEAREST
    placed = cv2.warpAffine(
        small, matrix, (visible.width, visible.height), flags=method, borderMode=cv2.BORDER_REPLICATE
    )
    return placed.astype(np.uint8, copy=False)


def _seen(face: Face, box: Box, visible: Box, picture: Pixels) -> Face:
    across, down = box.width / picture.shape[1], box.height / picture.shape[0]
    return Face(
        x=round(face.x * across) + box.x - visible.x,
        y=round(face.y * down) + box.y - visible.y,
        width=max(1, round(face.width * across)),
        height=max(1, round(face.height * down)),
    )
