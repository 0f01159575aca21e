"""What a caller hears of a create that cannot simply be brought on, and what there is to choose."""

from typing import Any

from talking_avatar.errors import JournalError, RenderFailed, ResultExpired, SubmissionUnknown
from talking_avatar.journal.entries import Entry, EntryState
from talking_avatar.models.refs import JobRef

__all__ = ["at_its_end", "lost"]


def lost(entry: Entry, request: Any, why: str, candidates: tuple[JobRef, ...]) -> SubmissionUnknown:
    """The answer never came, and nothing proves what became of it."""
    return SubmissionUnknown(
        f"{_named(entry)} left for {entry.product} and its answer was lost; {why}. It may be paid, so it is not sent "
        "again on its own: await error.adopt(ref), error.abandon() or error.resubmit()",
        request=request,
        key=entry.key,
        intent=entry.number,
        candidates=candidates,
    )


def at_its_end(entry: Entry, request: Any) -> Exception:
    """The entry has ended without a result to give."""
    if entry.state is EntryState.FAILED:
        return RenderFailed(
            f"{_named(entry)} failed at the service as {entry.ref}: {entry.error}. It is not rendered again under "
            "this key; submit it under another one for a new render",
            ref=entry.ref,
            reason=entry.error or "",
        )
    if entry.state is EntryState.ABANDONED and entry.job_id is not None:
        return ResultExpired(
            f"{_named(entry)} was rendered as {entry.ref}, and its file was never fetched: {entry.error}. Submit it "
            "under another key for a new render",
            ref=entry.ref,
        )
    if entry.state is EntryState.ABANDONED:
        return SubmissionUnknown(
            f"{_named(entry)} was given up ({entry.error}); await error.resubmit() to send it after all",
            request=request,
            key=entry.key,
            intent=entry.number,
        )
    return JournalError(f"{_named(entry)} is {entry.state}, which this version cannot bring on")


def _named(entry: Entry) -> str:
    return f"the create {entry.number}{f' (key {entry.key!r})' if entry.key else ''}"
