"""Requests as JSON text, for whoever keeps them: exact both ways, and the same text for equal requests."""

import hashlib
import json
from functools import cache
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.strategies import configure_tagged_union

from talking_avatar.errors import ConfigurationError, DecodeError
from talking_avatar.models.requests import Element

__all__ = ["decode_request", "encode_request", "fingerprint"]

T = TypeVar("T")


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(omit_if_default=True, forbid_extra_keys=False, detailed_validation=False)
    configure_tagged_union(Element, converter, tag_name="type", tag_generator=lambda kind: kind.type)
    return converter


def encode_request(request: Any) -> str:
    """JSON that `decode_request` reads back; raises `ConfigurationError` for a type that cannot be kept."""
    if not attrs.has(type(request)):
        raise ConfigurationError(f"a journal keeps requests that are attrs classes, not {type(request).__name__}")
    try:
        return json.dumps(_converter().unstructure(request), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"this {type(request).__name__} cannot be written as JSON: {error}") from None


def decode_request(kind: type[T], text: str) -> T:
    """The request of *text*; raises `DecodeError` when this version cannot read it."""
    try:
        return _converter().structure(json.loads(text), kind)
    except Exception as error:  # noqa: BLE001 - cattrs passes on whatever a validator raised
        raise DecodeError(f"a kept {kind.__name__} cannot be read: {error}") from None


def fingerprint(product: str, payload: str) -> str:
    """What makes two requests the same: the product and everything asked of it."""
    return hashlib.sha256(f"{product}\n{payload}".encode()).hexdigest()
