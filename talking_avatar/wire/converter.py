"""From JSON payloads to records: lenient in spelling, strict in kind, and exact about where it went wrong."""

import re
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, NewType, TypeVar, cast

import attrs

from talking_avatar.errors import DecodeError

if TYPE_CHECKING:
    import cattrs

__all__ = ["Id", "configure_converter", "decode", "kind_of", "record", "unknown_keys"]

T = TypeVar("T")

# What names a job must survive being written into a ref.
Id = NewType("Id", str)
_ONE_WORD = re.compile(r"\S+")


def _text(value: Any, _: type) -> str:
    # Ids and status words come as numbers or strings depending on the endpoint.
    if isinstance(value, str):
        # Half of a surrogate pair is valid JSON, but nothing could write it down again.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"expected a string, found {kind_of(value)}")


def _number(value: Any, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"expected a number, found {kind_of(value)}")
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"expected a finite number, found {number}")
    return number


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def _id(value: Any, kind: type) -> str:
    text = _text(value, kind)
    if not _ONE_WORD.fullmatch(text):
        raise ValueError("expected an id, found " + ("spaces in it" if text else "an empty string"))
    return text


def record(kind: type[T]) -> type[T]:
    """Make an attrs class of *kind* for one decoding; nobody compares or prints it, so neither is generated."""
    return attrs.define(kind, eq=False, repr=False)


def configure_converter(converter: "cattrs.Converter") -> "cattrs.Converter":
    """Teach *converter* the leniency both services need."""
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(Id, _id)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_factory(attrs.has, lambda kind: _without_nulls(kind, converter))
    return converter


def _without_nulls(kind: type[Any], converter: "cattrs.Converter") -> Any:
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415 - as in _converter

    structure = make_dict_structure_fn(kind, converter)

    def from_object(value: Any, target: type[Any]) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"expected an object, found {kind_of(value)}")
        # A null and an absent key say the same in both services' answers.
        if None in value.values():
            value = {key: item for key, item in value.items() if item is not None}
        return structure(value, target)

    return from_object


@cache
def _converter(*, detailed: bool) -> "cattrs.Converter":
    import cattrs  # noqa: PLC0415 - a program that imports this package may never decode anything

    return configure_converter(cattrs.Converter(detailed_validation=detailed))


@cache
def _structure(kind: Hashable) -> Callable[[Any, Any], Any]:
    return _converter(detailed=False).get_structure_hook(kind)


def decode(kind: type[T], payload: Any, *, path: str = "$.data") -> T:
    """A *kind* from *payload*; raises `DecodeError` that names the place under *path*."""
    try:
        return cast(T, _structure(cast(Hashable, kind))(payload, kind))
    except Exception:  # noqa: BLE001 - cattrs passes on whatever a hook or a constructor raised
        where, why = _explain(kind, payload, path)
    raise DecodeError(f"{why} at {where}", path=where)


def _explain(kind: type[Any], payload: Any, path: str) -> tuple[str, str]:
    from cattrs import transform_error  # noqa: PLC0415 - as in _converter

    try:
        _converter(detailed=True).structure(payload, kind)
    except Exception as error:  # noqa: BLE001 - as in decode
        described = transform_error(error, path=path, format_exception=lambda fault, _: _reason(fault))
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
    if row.keys() <= known:
        return {}
    return {key: value for key, value in row.items() if key not in known}
