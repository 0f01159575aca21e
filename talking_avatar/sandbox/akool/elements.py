"""The elements of a talking avatar (004), checked before a credit is spent."""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from talking_avatar.sandbox.addresses import is_url
from talking_avatar.sandbox.akool.gate import Refusal, number, present, text

__all__ = ["Composition", "check"]

COLOUR = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
# "the per-request character limit depends on the subscription plan: Pro – 5,000" (004).
TEXT_CHARACTERS = 5_000
LARGEST = 3840


@attrs.frozen(kw_only=True)
class Composition:
    """A request that keeps to the rules: what is seen, bottom first, and the one thing that is heard."""

    width: int
    height: int
    seen: tuple[Mapping[str, Any], ...]
    heard: Mapping[str, Any]


def check(body: Mapping[str, Any]) -> Composition:
    """The composition a request asks for; `Refusal` names what is wrong with it."""
    elements = body.get("elements")
    if not isinstance(elements, list) or not elements or not all(isinstance(each, dict) for each in elements):
        raise Refusal("Parameter error: elements can not be empty")
    if body.get("avatar_from") not in (2, 3):
        raise Refusal("Parameter error: avatar_from must be 2 or 3")
    for element in elements:
        _check_element(element, body["avatar_from"])
    seen = tuple(element for element in elements if element["type"] != "audio")
    heard = [element for element in elements if element["type"] == "audio"]
    if len(heard) != 1 or not any(element["type"] == "avatar" for element in seen):
        raise Refusal("Parameter error: elements need an avatar and one audio")
    return Composition(width=_side(body, "width"), height=_side(body, "height"), seen=seen, heard=heard[0])


def _side(body: Mapping[str, Any], name: str) -> int:
    # "must be 3840" and "must be 2160" (004), yet callers send smaller sizes; the encoder wants even ones.
    side = int(number(body, name))
    if not 16 <= side <= LARGEST or side % 2:
        raise Refusal(f"Parameter error: {name}")
    return side


def _check_element(element: Mapping[str, Any], avatar_from: int) -> None:
    kind = element.get("type")
    if kind == "audio":
        _check_audio(element)
    elif kind == "image":
        url = element.get("url")
        if not is_url(url) and not COLOUR.fullmatch(str(url)):
            raise Refusal("Parameter error: an image element needs a url or a colour")
        _check_place(element)
    elif kind == "avatar":
        _check_avatar(element, avatar_from)
        _check_place(element)
    else:
        raise Refusal("Parameter error: type must be avatar, image or audio")


def _check_avatar(element: Mapping[str, Any], avatar_from: int) -> None:
    if present(element, "url"):
        if avatar_from != 3:
            raise Refusal("Parameter error: avatar_from must be 3 for an avatar url")
        if not is_url(element["url"]):
            raise Refusal("Parameter error: url")
    else:
        text(element, "avatar_id")


def _check_audio(element: Mapping[str, Any]) -> None:
    # "If both the URL and the input text fields are passed, the URL takes precedence" (004).
    if present(element, "url"):
        if not is_url(element["url"]):
            raise Refusal("Parameter error: url")
        return
    spoken = text(element, "input_text")
    text(element, "voice_id")
    if len(spoken) > TEXT_CHARACTERS:
        raise Refusal(f"Parameter error: input_text is longer than {TEXT_CHARACTERS} characters")


def _check_place(element: Mapping[str, Any]) -> None:
    for name in ("scale_x", "scale_y", "offset_x", "offset_y"):
        number(element, name)
    for name in ("scale_x", "scale_y", "width", "height"):
        if number(element, name, default=1) <= 0:
            raise Refusal(f"Parameter error: {name}")
