"""The same answer in the shapes that documents and live services disagree on."""

from typing import Any, Protocol, TypeVar

from talking_avatar.errors import DecodeError
from talking_avatar.wire.converter import kind_of

__all__ = ["every", "one_object", "rows"]

_NESTED = ("result", "list")

T = TypeVar("T", covariant=True)


class Read(Protocol[T]):
    """Makes a value of one row."""

    def __call__(self, row: Any, *, path: str) -> T: ...


def one_object(payload: Any, *, path: str = "$.data") -> dict[str, Any]:
    """An object, or the only element of an array of one."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, dict):
        raise DecodeError(f"expected an object at {path}, found {kind_of(payload)}", path=path)
    return payload


def rows(payload: Any, *, path: str = "$.data") -> list[Any]:
    """An array, bare or under ``result`` or ``list``; null is an empty one."""
    if isinstance(payload, dict):
        for key in _NESTED:
            if key in payload:
                payload, path = payload[key], f"{path}.{key}"
                break
    if payload is None:
        return []
    if not isinstance(payload, list):
        raise DecodeError(f"expected an array at {path}, found {kind_of(payload)}", path=path)
    return payload


def every(read: Read[T], payload: Any) -> list[T]:
    """Each of the `rows`, read with its own path."""
    path = "$.data"
    if isinstance(payload, dict):
        path = next((f"{path}.{key}" for key in _NESTED if key in payload), path)
    return [read(row, path=f"{path}[{index}]") for index, row in enumerate(rows(payload))]
