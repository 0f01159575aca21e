"""Which state may follow which: pure, and the only place that says so."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any

import attrs

from talking_avatar.errors import JournalConflict, JournalError
from talking_avatar.journal.entries import OPEN_STATES, SETTLED_STATES, Entry, EntryState, Intent

__all__ = ["MOVES", "Move", "TransitionRefused", "job_taken", "moved", "no_entry", "same_request"]

LONGEST_TEXT = 2_000


class TransitionRefused(JournalError):
    """The entry stands where this cannot follow, most often because another process was there first."""

    def __init__(
        self, message: str = "", *, number: int = 0, state: str = "", wanted: str = "", path: str = ""
    ) -> None:
        super().__init__(message, path=path)
        self.number = number
        self.state = state
        self.wanted = wanted


@attrs.frozen
class Move:
    """From any of *sources* to *target*, noting the time in *stamp* unless it is there already."""

    target: EntryState
    sources: AbstractSet[EntryState]
    stamp: str | None = None


# A move whose target is among its sources may be told twice: two watchers of one job both see it end. `sent` may
# not, because whoever makes it owns the create. Proof that arrives late (a reply to what another process already
# called unknown) still counts, so `accepted`, `failed` and `unsent` follow UNKNOWN. `resubmitted` needs an entry that
# never had a job: a create that was refused or withdrawn cost nothing, and what was given up may be wanted after all.
_S = EntryState
MOVES: Mapping[str, Move] = MappingProxyType(
    {
        "sent": Move(_S.SENT, {_S.PLANNED}, "sent_at"),
        "unsent": Move(_S.PLANNED, {_S.SENT, _S.UNKNOWN}),
        "accepted": Move(_S.ACCEPTED, {_S.SENT, _S.UNKNOWN, _S.ADOPTED, _S.ACCEPTED}, "accepted_at"),
        "unknown": Move(_S.UNKNOWN, {_S.SENT, _S.UNKNOWN}),
        "adopted": Move(_S.ADOPTED, {_S.UNKNOWN, _S.ADOPTED}, "accepted_at"),
        "withdrawn": Move(_S.FAILED, {_S.PLANNED}, "settled_at"),
        "resubmitted": Move(_S.PLANNED, {_S.UNKNOWN, _S.FAILED, _S.ABANDONED}),
        "finished": Move(_S.FINISHED, {_S.ACCEPTED, _S.ADOPTED, _S.FINISHED}, "settled_at"),
        "failed": Move(_S.FAILED, OPEN_STATES | {_S.FAILED}, "settled_at"),
        "downloaded": Move(_S.DOWNLOADED, {_S.FINISHED, _S.DOWNLOADED}, "downloaded_at"),
        "abandoned": Move(_S.ABANDONED, {_S.PLANNED, _S.UNKNOWN, _S.FINISHED, _S.ABANDONED}, "settled_at"),
    }
)


def moved(
    entry: Entry,
    name: str,
    at: float,
    *,
    job_id: str | None = None,
    why: str | None = None,
    expires_at: float | None = None,
    path: str | None = None,
) -> Entry:
    """The entry after the move *name*; raises `TransitionRefused` where it cannot follow."""
    move = MOVES[name]
    _check(entry, name, move, job_id)
    changes: dict[str, Any] = {"state": move.target, "error": _readable(why)}
    given = {"job_id": job_id, "expires_at": expires_at, "path": _readable(path)}
    changes.update((field, value) for field, value in given.items() if value is not None)
    if move.stamp is not None and getattr(entry, move.stamp) is None:
        changes[move.stamp] = at
    if move.target is EntryState.PLANNED:
        changes.update(sent_at=None, settled_at=None)
    if move.target in SETTLED_STATES:
        changes.update(holder=None, lease_until=None)
    return attrs.evolve(entry, **changes)


def _check(entry: Entry, name: str, move: Move, job_id: str | None) -> None:
    if entry.state not in move.sources:
        raise _refused(entry, move.target, f"is {entry.state} and cannot become {move.target} ({name})")
    # One entry is one paid job: its id is never traded for another, nor dropped to send again.
    if entry.job_id is not None and (name == "resubmitted" or job_id not in {None, entry.job_id}):
        wanted = f"{move.target} as {job_id!r}" if job_id else str(move.target)
        raise _refused(entry, move.target, f"is {entry.state} as {entry.ref} and cannot become {wanted} ({name})")


def _refused(entry: Entry, wanted: EntryState, what: str) -> TransitionRefused:
    return TransitionRefused(
        f"journal entry {entry.number} {what}", number=entry.number, state=entry.state, wanted=wanted
    )


def no_entry(number: int) -> JournalError:
    """The error for a number nobody gave out."""
    return TransitionRefused(f"this journal has no entry {number}", number=number)


def job_taken(entry: Entry, job_id: str, other: int) -> JournalError:
    """The error for an adoption of what another entry paid for."""
    return _refused(entry, EntryState.ADOPTED, f"cannot adopt {job_id!r}: that job belongs to entry {other}")


def _readable(text: str | None) -> str | None:
    # Undecodable bytes of a file name or an error arrive as lone surrogates, which no UTF-8 store takes.
    if text is None:
        return None
    return text[:LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()


def same_request(entry: Entry, intent: Intent) -> Entry:
    """The *entry* that already has the intent's key; raises `JournalConflict` when it is for something else."""
    if entry.fingerprint != intent.fingerprint or entry.family != intent.family:
        raise JournalConflict(
            f"key {intent.key!r} already stands for a different request: journal entry {entry.number}, "
            f"{entry.product}, {entry.state}; use another key, or the same request",
            key=intent.key or "",
        )
    return entry
