"""The same answer in the shapes that documents and live services disagree on."""

from typing import Any

from talking_avatar.errors import DecodeError

__all__ = ["one_object", "rows"]


def one_object(payload: Any, *, path: str = "$.data") -> dict[str, Any]:
    """An object, or the only element of an array of one."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, dict):
        raise DecodeError(f"expected an object at {path}, found {type(payload).__name__}", path=path)
    return payload


def rows(payload: Any, *, path: str = "$.data") -> list[Any]:
    """An array, bare or under ``result`` or ``list``; null is an empty one."""
    if isinstance(payload, dict):
        for key in ("result", "list"):
            if key in payload:
                return rows(payload[key], path=f"{path}.{key}")
    if payload is None:
        return []
    if not isinstance(payload, list):
        raise DecodeError(f"expected an array at {path}, found {type(payload).__name__}", path=path)
    return payload
