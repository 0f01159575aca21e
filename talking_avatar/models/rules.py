"""The documents' rules for a request, as attrs validators that raise `InvalidRequest` before anything is sent."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute

from talking_avatar.errors import InvalidRequest

__all__ = [
    "CHOSEN_ID",
    "COLOUR",
    "a_mapping",
    "a_number",
    "a_size",
    "a_text",
    "at_most",
    "chosen_id",
    "filled",
    "one_of",
    "optional",
    "refuse",
    "web_url",
    "web_url_or_colour",
]

CHOSEN_ID = re.compile(r"[A-Za-z0-9]+")
COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")

Rule = Callable[[Any, "Attribute[Any]", Any], None]


def refuse(owner: object, field: str, fault: str, rule: str) -> InvalidRequest:
    """The error for a *field* of *owner* that breaks a documented *rule*."""
    where = f"{type(owner).__name__}.{field}"
    return InvalidRequest(f"{where} {fault}; {rule}. Nothing was sent.", field=where, rule=rule)


def filled(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """A string with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise refuse(owner, field.name, f"is {_shown(value)}", "the service requires a non-empty string")


def a_text(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """A string, which may be empty."""
    if not isinstance(value, str):
        raise refuse(owner, field.name, f"is {_shown(value)}", "the service requires a string")


def a_number(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """A number that JSON can carry."""
    if not _is_number(value):
        raise refuse(owner, field.name, f"is {_shown(value)}", "the service requires a number")


def a_size(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """A measure in pixels."""
    if not _is_number(value) or value <= 0:
        raise refuse(owner, field.name, f"is {_shown(value)}", "it must be a number of pixels above 0")


def a_mapping(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """Options by their name."""
    if not isinstance(value, Mapping):
        raise refuse(owner, field.name, f"is {_shown(value)}", "the service requires an object of options")


def one_of(*values: object) -> Rule:
    """One of a few documented values."""
    listed = " or ".join(map(str, values))

    def check(owner: object, field: "Attribute[Any]", value: Any) -> None:
        # True equals 1, and is still no documented value.
        if not any(value == known and type(value) is type(known) for known in values):
            raise refuse(owner, field.name, f"is {_shown(value)}", f"it must be {listed}")

    return check


def at_most(length: int, rule: str) -> Rule:
    """No more than *length* characters."""

    def check(owner: object, field: "Attribute[Any]", value: Any) -> None:
        if len(value) > length:
            raise refuse(owner, field.name, f"has {len(value)} characters", rule)

    return check


def web_url(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """An absolute http or https URL, which is all a rendering service can fetch."""
    if not _is_web_url(value):
        raise refuse(
            owner, field.name, f"is {_shown(value)}", "it must be an http:// or https:// URL that the service can fetch"
        )


def web_url_or_colour(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """A URL or a hexadecimal colour code (004, elements.url)."""
    if not _is_web_url(value) and not (isinstance(value, str) and COLOUR.fullmatch(value)):
        raise refuse(
            owner,
            field.name,
            f"is {_shown(value)}",
            "it must be an http(s) URL or a colour such as #ffffff or #ffffff00",
        )


def chosen_id(owner: object, field: "Attribute[Any]", value: Any) -> None:
    """An id the caller makes up (004, avatar/create)."""
    if not isinstance(value, str) or not CHOSEN_ID.fullmatch(value):
        raise refuse(
            owner,
            field.name,
            f"is {_shown(value)}",
            "an id you choose may contain only letters and digits (a-z A-Z 0-9)",
        )


def optional(rule: Rule) -> Rule:
    """The same rule, where the field was given at all."""

    def check(owner: object, field: "Attribute[Any]", value: Any) -> None:
        if value is not None:
            rule(owner, field, value)

    return check


def _is_web_url(value: Any) -> bool:
    if not isinstance(value, str) or any(character.isspace() for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _shown(value: Any) -> str:
    # The query of a signed URL is a credential.
    return repr(value.partition("?")[0][:120]) if isinstance(value, str) else f"a {type(value).__name__}"
