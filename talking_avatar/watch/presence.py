"""Whether the process behind a lease has ended, where this machine can tell: nobody need wait for its lease then."""

import os
import secrets
from functools import cache
from pathlib import Path

__all__ = ["has_ended", "new_holder"]

_ENDED = frozenset("ZX")


def new_holder() -> str:
    """A name for one watcher in this process, which says where and since when the process runs."""
    return f"{_here()}/{secrets.token_hex(8)}"


def has_ended(holder: str) -> bool:
    """Whether the process of *holder* ran on this machine and runs no more; False where nobody can tell."""
    place = holder.rpartition("/")[0]
    if place == _here() or place.count("/") != 2:
        return False
    machine, pid, started = place.split("/")
    return bool(machine) and machine == _machine() and pid.isdecimal() and _started(int(pid)) != started


def _here() -> str:
    # Not kept: after a fork this is another process.
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_since(pid)}"


@cache
def _since(pid: int) -> str:
    return _started(pid)


@cache
def _machine() -> str:
    # A process id means something only since this boot and among the processes that this one sees.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process *pid* began, in its kernel's ticks; empty when there is none."""
    try:
        # The program's name stands in parentheses and may hold any character.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    except (OSError, IndexError):
        return ""
