"""From JSON payloads to records: lenient in spelling, strict in kind, and exact about where it went wrong."""

from collections.abc import Hashable, Mapping
from contextlib import suppress
from functools import cache
from math import isfinite
from typing import Any, TypeVar, cast

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from talking_avatar.errors import DecodeError

__all__ = ["configure_converter", "decode", "decode_many", "unknown_keys"]

T = TypeVar("T")


def _text(value: Any, _: type) -> str:
    # Ids and status words come as numbers or strings depending on the endpoint.
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"expected a string, found {_kind(value)}")


def _number(value: Any, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"expected a number, found {_kind(value)}")
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"expected a finite number, found {number}")
    return number


def _whole(value: Any, kind: type) -> int:
    return value if type(value) is int else int(_number(value, kind))


def _kind(value: Any) -> str:
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def configure_converter(converter: cattrs.Converter) -> cattrs.Converter:
    """Teach *converter* the leniency both services need."""
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook_factory(attrs.has, lambda kind: _without_nulls(kind, converter))
    return converter


def _without_nulls(kind: type[Any], converter: cattrs.Converter) -> Any:
    structure = make_dict_structure_fn(kind, converter)

    def from_object(value: Any, target: type[Any]) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"expected an object, found {_kind(value)}")
        # A null and an absent key say the same in both services' answers.
        return structure({key: item for key, item in value.items() if item is not None}, target)

    return from_object


_fast = configure_converter(cattrs.Converter(detailed_validation=False))
_detailed = configure_converter(cattrs.Converter(detailed_validation=True))


def decode(kind: type[T], payload: Any, *, path: str = "$.data") -> T:
    """A *kind* from *payload*; raises `DecodeError` that names the place under *path*."""
    with suppress(Exception):  # cattrs passes on whatever a hook or a constructor raised
        return _fast.structure(payload, kind)
    where, why = _explain(kind, payload, path)
    raise DecodeError(f"{why} at {where}", path=where)


def decode_many(kind: type[T], payload: Any, *, path: str = "$.data") -> list[T]:
    """Each row of a list payload; raises `DecodeError` with the row's index in its path."""
    if not isinstance(payload, list):
        raise DecodeError(f"expected an array, found {_kind(payload)} at {path}", path=path)
    return [decode(kind, row, path=f"{path}[{index}]") for index, row in enumerate(payload)]


def _explain(kind: type[Any], payload: Any, path: str) -> tuple[str, str]:
    try:
        _detailed.structure(payload, kind)
    except Exception as error:  # noqa: BLE001 - as in decode
        described = cattrs.transform_error(error, path=path, format_exception=lambda fault, _: _reason(fault))
        why, _, where = described[0].rpartition(" @ ")
        return where, why
    return path, "unreadable"


def _reason(fault: BaseException) -> str:
    if isinstance(fault, KeyError):
        return f"missing key {fault.args[0]!r}"
    return str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__


@cache
def _known(kind: Hashable) -> frozenset[str]:
    return frozenset(field.name for field in attrs.fields(cast(type[Any], kind)))


def unknown_keys(kind: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What *row* says beyond the fields of *kind*."""
    known = _known(cast(Hashable, kind))
    return {key: value for key, value in row.items() if key not in known}
