"""Reading JSON, with orjson where the extra ``speed`` brought it."""

from typing import Any

try:
    from orjson import loads
except ImportError:
    from json import loads  # type: ignore[assignment]

__all__ = ["read_json"]


def read_json(body: bytes) -> Any:
    """Any JSON value; raises ValueError for everything else, also for nesting too deep to follow."""
    try:
        return loads(body)
    except RecursionError:
        msg = "the JSON is nested too deeply"
        raise ValueError(msg) from None
