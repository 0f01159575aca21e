"""Requests as JSON text, for whoever keeps them: exact both ways, and the same text for equal requests."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

import attrs
import cattrs
from cattrs.strategies import configure_tagged_union

from talking_avatar.errors import ConfigurationError, DecodeError
from talking_avatar.models.requests import Element

__all__ = ["decode_request", "encode_request", "fingerprint", "with_webhook"]

T = TypeVar("T")


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(omit_if_default=True, forbid_extra_keys=False, detailed_validation=False)
    configure_tagged_union(Element, converter, tag_name="type", tag_generator=lambda kind: cast(Any, kind).type)
    return converter


def encode_request(request: Any) -> str:
    """JSON that `decode_request` reads back; raises `ConfigurationError` for a type that cannot be kept."""
    if not attrs.has(type(request)):
        raise ConfigurationError(f"a journal keeps requests that are attrs classes, not {type(request).__name__}")
    try:
        plain = _plain(_converter().unstructure(request))
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # What no service could be sent, no journal should keep.
        text.encode()
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"this {type(request).__name__} cannot be written as JSON: {error}") from None
    return text


def decode_request(kind: type[T], text: str) -> T:
    """The request of *text*; raises `DecodeError` when this version cannot read it."""
    try:
        with _without_repeating_warnings():
            return _converter().structure(json.loads(text), kind)
    except Exception as error:  # noqa: BLE001 - cattrs passes on whatever a validator raised
        raise DecodeError(f"a kept {kind.__name__} cannot be read: {error}") from None


def fingerprint(product: str, payload: str) -> str:
    """What makes two requests the same: the product and everything asked of it."""
    return hashlib.sha256(f"{product}\n{payload}".encode()).hexdigest()


def with_webhook(request: T, url: str) -> T:
    """The same request with another ``webhook_url``."""
    with _without_repeating_warnings():
        return cast(T, attrs.evolve(cast(Any, request), webhook_url=url))


def _plain(value: Any) -> Any:
    # 10 and 10.0 are equal, and so must their texts be.
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@contextmanager
def _without_repeating_warnings() -> Iterator[None]:
    """Whoever made the request has been warned of what is odd in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
