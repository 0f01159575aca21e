"""The part file beside a target, and the note beside that which says whose beginning it is; blocking."""

import errno
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import attrs

from talking_avatar.download.lock import hold
from talking_avatar.download.naming import shortened
from talking_avatar.download.verdict import Origin

__all__ = ["FULL", "PartFile", "whole_size"]

NOTHING = Origin()
HINT = 4 * 1024 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# A link in the part file's place would let someone else choose what is overwritten.
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def whole_size(target: Path) -> int:
    """The size of a finished *target*, 0 when there is none; a file made empty to reserve its name is none."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    size = target.stat().st_size if target.is_file() else 0
    if size:
        _note_of(part_of(target)).unlink(missing_ok=True)
    return size


def part_of(target: Path) -> Path:
    """``.hello.mp4.part``."""
    return target.with_name(f".{shortened(target.name)}.part")


@attrs.define(eq=False, kw_only=True)
class PartFile:
    """Bytes on their way to *target*; *size* of them are here, the beginning of *origin*."""

    target: Path
    path: Path
    source: str
    size: int = 0
    origin: Origin = NOTHING
    _descriptor: int
    _hinted: int = 0

    @classmethod
    def open(cls, target: Path, *, source: str) -> Self | None:
        """Take up what an earlier try for the same *source* left; None while another process is at it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        path = part_of(target)
        descriptor = os.open(path, _FLAGS, 0o666)
        part = cls(target=target, path=path, source=source, descriptor=descriptor)
        try:
            if not hold(descriptor, path):
                os.close(descriptor)
                return None
            part._take_up()
        except BaseException:
            os.close(descriptor)
            raise
        return part

    @property
    def resumable(self) -> bool:
        return bool(self.size and self.origin.validator)

    @property
    def whole(self) -> bool:
        return bool(self.size) and self.size == self.origin.total

    def expect(self, origin: Origin, *, start: int, end: int | None) -> None:
        """Get ready for bytes from *start*, dropping what is here when that is 0."""
        if start != self.size:
            self.empty()
        free = shutil.disk_usage(self.path.parent).free
        if end is not None and end - start > free:
            raise OSError(errno.ENOSPC, f"{end - start:,} bytes are to come and {free:,} are free")
        if origin != self.origin:
            self.origin = origin
            self._write_note()
        os.lseek(self._descriptor, self.size, os.SEEK_SET)

    def append(self, chunks: Iterable[bytes]) -> None:
        rest = memoryview(b"".join(chunks))
        try:
            while rest:
                written = os.write(self._descriptor, rest)
                self.size += written
                rest = rest[written:]
        except OSError as error:
            if error.errno in FULL:
                # A file can be fetched again; a journal on the same disk that cannot write cannot be mended.
                self.empty()
            raise
        self._hint()

    def empty(self) -> None:
        """Forget what is here."""
        self.origin = NOTHING
        _note_of(self.path).unlink(missing_ok=True)
        if self.size:
            self.size = self._hinted = 0
            os.ftruncate(self._descriptor, 0)
            # After a power cut the next file's note must not stand beside this file's bytes.
            os.fsync(self._descriptor)

    def finish(self) -> None:
        """Make it the target, for good."""
        os.fsync(self._descriptor)
        if os.name == "nt":
            self._shut()
        # Elsewhere the lock is held until the name has changed, or a second process could take the file for its own.
        self.path.replace(self.target)
        self._shut()
        _sync_folder(self.target.parent)
        _note_of(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go; what cannot be resumed is not left behind."""
        if self._descriptor < 0:
            return
        try:
            if not self.resumable:
                _note_of(self.path).unlink(missing_ok=True)
                if os.name == "nt":
                    self._shut()
                self.path.unlink(missing_ok=True)
        finally:
            self._shut()

    def _hint(self) -> None:
        # Has the system begin to write now, or the one sync at the end takes as long as all the rest; nothing waits.
        if self.size - self._hinted >= HINT and hasattr(os, "posix_fadvise"):
            with suppress(OSError):
                os.posix_fadvise(self._descriptor, self._hinted, 0, os.POSIX_FADV_DONTNEED)
            self._hinted = self.size

    def _take_up(self) -> None:
        self.size = os.fstat(self._descriptor).st_size
        origin = _read_note(self.path, self.source)
        if origin is None or (origin.total is not None and self.size > origin.total):
            self.empty()
        else:
            self.origin = origin

    def _write_note(self) -> None:
        note = {"source": self.source, "validator": self.origin.validator, "total": self.origin.total}
        if self.origin.validator:
            _note_of(self.path).write_text(json.dumps(note), encoding="utf-8")

    def _shut(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_note(path: Path, source: str) -> Origin | None:
    try:
        note = json.loads(_note_of(path).read_bytes())
        validator, total = note["validator"], note["total"]
        known = note["source"] == source
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    # It goes into a header: whoever can write here must not be able to add one.
    fit = isinstance(validator, str) and validator.isascii() and validator.isprintable()
    if not known or not fit or not (total is None or type(total) is int):
        return None
    return Origin(validator=validator, total=total)


def _sync_folder(folder: Path) -> None:
    # Windows has no descriptor for a folder, and needs none.
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
