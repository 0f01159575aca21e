"""The errors a watched job can end with, each saying what became of the render and what to do next."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from talking_avatar.errors import Closed, JobStateUnknown, JobTimeout, RenderFailed
from talking_avatar.models.product import JobResult

if TYPE_CHECKING:
    from talking_avatar.watch.job import Job

__all__ = ["detached", "not_readable", "render_failed", "still_running"]


def render_failed(job: "Job[Any]", answer: JobResult, now: float) -> RenderFailed:
    """The service gave up."""
    reason = answer.error_reason or "the service gives no reason"
    code = f" ({answer.error_code})" if answer.error_code else ""
    return RenderFailed(
        f"{job.ref} failed at the service after {now - job.accepted_at:.0f} s: {reason}{code}. "
        "There will be no file; check the inputs, or submit it again, which is a new render",
        code=answer.error_code,
        reason=answer.error_reason or "",
        result=answer,
        ref=job.ref,
        status=answer.status,
        elapsed=now - job.accepted_at,
    )


def still_running(job: "Job[Any]", now: float) -> JobTimeout:
    """The deadline passed over a render that runs."""
    elapsed = now - job.accepted_at
    return JobTimeout(
        f"{job.ref} is still {job.status} after {elapsed:.0f} s, its deadline. The render is paid for and goes on; "
        f"await watcher.attach({str(job.ref)!r}) to wait longer",
        ref=job.ref,
        status=job.status,
        elapsed=elapsed,
    )


def not_readable(
    job: "Job[Any]", now: float, *, since: float, reason: str, error: BaseException | None = None
) -> JobStateUnknown:
    """The deadline passed over a render that could not be read *since* an epoch time."""
    elapsed = now - job.accepted_at
    shown = datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")
    return JobStateUnknown(
        f"{job.ref} has not been readable since {shown} ({reason}); it was {job.status} then. "
        "It may be running, finished or failed, and it is paid for; "
        f"await watcher.attach({str(job.ref)!r}) when the service answers again",
        unreadable_since=since,
        last_error=error,
        ref=job.ref,
        status=job.status,
        elapsed=elapsed,
    )


def detached(job: "Job[Any]") -> Closed:
    """Nobody here watches the render any more."""
    return Closed(
        f"{job.ref} is no longer watched here; it was {job.status} and goes on at the service. "
        f"await watcher.attach({str(job.ref)!r}) takes it up again"
    )
