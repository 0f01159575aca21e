"""One writer per part file, also across processes; the system lets go when a process dies."""

import errno
import os
import sys
from pathlib import Path

__all__ = ["hold"]

_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> None:
        # A byte no file reaches: on Windows a locked one could not be read or written.
        os.lseek(descriptor, 1 << 40, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold(descriptor: int, path: Path) -> bool:
    """Take the lock of an open file; False when another holds it, or has renamed the file away meanwhile."""
    try:
        _try(descriptor)
    except OSError as error:
        # Some network file systems have no locks; there a download goes on without one.
        return error.errno not in _TAKEN
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
