"""Where a file goes: names that are safe on every system, and different for different jobs."""

import hashlib
import os
import re
import string
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from talking_avatar.models.refs import JobRef

__all__ = ["file_for_each", "mask_path", "safe_name", "shortened", "suffix_of", "target_path"]

# File systems allow 255 bytes; the part file and its note add to a name.
LONGEST = 200
FOLDS_CASE = sys.platform in {"win32", "darwin", "cygwin"}
_SUFFIXES = frozenset({".mp4", ".mov", ".webm", ".m4a", ".mp3", ".wav", ".png", ".jpg", ".jpeg", ".webp", ".glb"})
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
# What this module itself appends: a name that already ends so is marked again, or it could pass for another's.
_MARKED = re.compile(r"(~[0-9a-f]{16}|\.mask)$", re.IGNORECASE)
_FIELDS = "{key}, {ref}, {product} and {id}"


def target_path(
    path: str | os.PathLike[str],
    *,
    ref: JobRef,
    key: str | None = None,
    product: str | None = None,
    suffix: str = ".mp4",
    default_name: str | None = None,
    is_folder: Callable[[Path], bool] = Path.is_dir,
) -> Path:
    """The file that *path* means for one job: itself, one inside the folder it is, or the pattern filled in.

    A folder is one that exists or is written with a slash at its end; the file in it is named *default_name*, or the
    key, or the ref. A pattern may use ``{key}``, ``{ref}``, ``{product}`` and ``{id}``, and ``{{`` for a brace; a job
    without a key gives its id for ``{key}``. A filled-in value that is not a safe name everywhere is made one and
    marked with a hash, so it stays in its folder and two keys never share a file.
    """
    text = os.fspath(path)
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL character")
    names = _names(ref, key, product)
    filled = _fill(text, names, suffix)
    if filled.endswith(("/", os.sep)) or is_folder(Path(filled)):
        name = names["key" if key is not None else "ref"] if default_name is None else safe_name(default_name)
        return Path(filled) / _fitted(f"{name}{suffix}")
    return Path(filled)


def file_for_each(path: str | os.PathLike[str]) -> str:
    """*path* as a pattern that gives every job its own file: a folder, unless it has ``{key}``, ``{ref}`` or ``{id}``.

    Raises ValueError for a pattern that cannot be filled in, and for one file that every job would share.
    """
    text = os.fspath(path)
    filled = _fill(text, {"key": "a", "ref": "b", "product": "c", "id": "d"}, ".mp4")
    if filled.endswith(("/", os.sep)) or _fields_of(text) & {"key", "ref", "id"}:
        return text
    if PurePath(filled).suffix.lower() in _SUFFIXES and not Path(filled).is_dir():
        raise ValueError(f"{text!r} is one file for every job; give a folder, or a pattern with {{key}} or {{ref}}")
    return f"{text}/"


def mask_path(target: Path) -> Path:
    """The file beside *target* for its mask video: ``hello.mask.mp4``."""
    return target.with_name(f"{target.stem}.mask{target.suffix}")


def suffix_of(url: str, *, default: str = ".mp4") -> str:
    """The suffix a link's path ends with where it is one of a medium, else *default*."""
    try:
        suffix = PurePath(urlsplit(url).path).suffix.lower()
    except ValueError:
        return default
    return suffix if suffix in _SUFFIXES else default


def safe_name(text: str, *, original: str | None = None, folds_case: bool = FOLDS_CASE) -> str:
    """*text* as one path component; where that loses something, a hash of *original* tells it from its neighbours."""
    name = "".join(map(_safe_character, unicodedata.normalize("NFC", text))).rstrip(" .").lstrip(" ")
    name = re.sub(r"^\.+", "_", name)
    if not name or _RESERVED.match(name):
        name = f"_{name}"
    folded = folds_case and name.upper().casefold() != name
    if name == text and not folded and not _MARKED.search(name) and _size(name) <= LONGEST:
        return name
    return _marked(name, text if original is None else original)


def shortened(name: str) -> str:
    """*name* itself, or its beginning, a hash and its suffix when file systems would refuse it."""
    if _size(name) <= LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or _size(suffix) > 16:
        stem, suffix = name, ""
    return _marked(stem, name, tail=dot + suffix if suffix else "")


def _names(ref: JobRef, key: str | None, product: str | None) -> Mapping[str, str]:
    job_id = safe_name(ref.id)
    return {
        # A colon is not allowed on Windows; nothing before it can hold a hyphen in its place but the account, which
        # ends at a dot.
        "ref": safe_name(str(ref).replace(":", "-", 1), original=str(ref)),
        "id": job_id,
        "product": safe_name(ref.product if product is None else product),
        "key": job_id if key is None else safe_name(key),
    }


def _fill(pattern: str, names: Mapping[str, str], suffix: str) -> str:
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"{pattern!r} is not a file pattern ({error}); write {{{{ for a brace") from None
    for _, field, form, conversion in pieces:
        if field is not None and (field not in names or form or conversion):
            written = f"{field}{'!' + conversion if conversion else ''}{':' + form if form else ''}"
            raise ValueError(
                f"{{{written}}} in {pattern!r} is not known; a file pattern uses {_FIELDS}, and {{{{ for a brace"
            )
    filled = "".join(literal + (names[field] if field else "") for literal, field, _, _ in pieces)
    if not _fields_of(pattern):
        return filled
    if not pattern.endswith(("/", os.sep)) and not PurePath(pattern).suffix:
        filled += suffix
    # Values that are safe alone may join into a name that is not.
    return "".join(_fitted(part) for part in re.split(r"([/\\])", filled))


def _fitted(component: str) -> str:
    return shortened(f"_{component}" if _RESERVED.match(component) else component)


def _fields_of(pattern: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(pattern) if field}


def _safe_character(character: str) -> str:
    # Controls, invisible formatting (text that reads backwards), lone surrogates and line ends, then what Windows bars.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in '/\\:*?"<>|':
        return "_"
    return character


def _marked(name: str, original: str, *, tail: str = "") -> str:
    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    room = LONGEST - _size(tail) - 17
    head = name.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore").rstrip(" .")
    return f"{head}~{digest}{tail}"


def _size(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))
