"""Reading JSON, with orjson where the extra ``speed`` brought it."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["read_json"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _refuse_constant(word: str) -> NoReturn:
    # orjson refuses NaN and Infinity, which are no JSON; an answer must not depend on which reader is installed.
    raise ValueError(f"{word} is not JSON")


_slow = json.JSONDecoder(parse_constant=_refuse_constant)


def _read_slowly(body: bytes) -> Any:
    return _slow.decode(body.decode())


def _reader() -> Callable[[bytes], Any]:
    try:
        from orjson import loads  # noqa: PLC0415 - it costs more than the rest of the import, and only here
    except ImportError:
        return _read_slowly
    return loads


_loads: Callable[[bytes], Any] | None = None


def read_json(body: bytes) -> Any:
    """Any JSON value; raises ValueError for everything else, also for nesting too deep to follow."""
    global _loads  # noqa: PLW0603 - chosen by the first answer
    if _loads is None:
        _loads = _reader()
    try:
        return _loads(body.removeprefix(_BYTE_ORDER_MARK))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
