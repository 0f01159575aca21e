"""Warnings that point at the line of the user's program, however deep below it they arise."""

import sys
import warnings

__all__ = ["warn_caller"]

# attrs and cattrs run generated code between the caller and a validator; some of it belongs to no module.
_BELOW = frozenset({"talking_avatar", "attr", "attrs", "cattrs", ""})


def warn_caller(text: str) -> None:
    """Warn at the first frame outside this package and what builds its values."""
    level, frame = 1, sys._getframe(0)  # noqa: SLF001 - skip_file_prefixes came with 3.12
    while frame.f_back is not None and _package(frame.f_globals) in _BELOW:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def _package(module: dict[str, object]) -> str:
    return str(module.get("__name__", "")).partition(".")[0]
