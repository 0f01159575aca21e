"""What the journal keeps of one render: the intent, and how far it came."""

from enum import StrEnum
from typing import Self

import attrs

from talking_avatar.models.refs import JobRef

__all__ = ["OPEN_STATES", "SETTLED_STATES", "Entry", "EntryState", "Intent"]


class EntryState(StrEnum):
    """How far an entry came; `UNKNOWN` may have reached the service, and only proof or the caller's word settles it."""

    PLANNED = "planned"
    SENT = "sent"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    ADOPTED = "adopted"
    FINISHED = "finished"
    DOWNLOADED = "downloaded"
    FAILED = "failed"
    ABANDONED = "abandoned"


OPEN_STATES = frozenset(
    {EntryState.PLANNED, EntryState.SENT, EntryState.ACCEPTED, EntryState.UNKNOWN, EntryState.ADOPTED}
)
# FINISHED is in neither: nobody needs to watch it, and only some callers want the file.
SETTLED_STATES = frozenset({EntryState.DOWNLOADED, EntryState.FAILED, EntryState.ABANDONED})


@attrs.frozen(kw_only=True)
class Intent:
    """A create that is about to be sent.

    *payload* is the request as the caller encodes it, *fingerprint* what makes two requests the same; the journal
    reads neither. *key* is unique within an account, and None for a render of its own.
    """

    service: str
    family: str
    # Inputs are signed links and the token settles a job, so neither shows in a log.
    payload: str = attrs.field(repr=False)
    fingerprint: str
    account: str = "default"
    key: str | None = None
    webhook_token: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Entry(Intent):
    """An intent and what became of it; times are epoch seconds.

    *error* is why it is unknown, failed or abandoned, *path* where its file is, and *holder* who watches it
    until *lease_until*. A holder whose lease has run out still shows until somebody claims.
    """

    number: int
    state: EntryState = EntryState.PLANNED
    job_id: str | None = None
    planned_at: float
    sent_at: float | None = None
    accepted_at: float | None = None
    settled_at: float | None = None
    downloaded_at: float | None = None
    expires_at: float | None = None
    error: str | None = None
    path: str | None = None
    holder: str | None = None
    lease_until: float | None = None

    @classmethod
    def of(cls, intent: Intent, *, at: float, number: int = 0) -> Self:
        """The entry of a new intent; the store gives it a number."""
        return cls(
            number=number,
            planned_at=at,
            service=intent.service,
            account=intent.account,
            family=intent.family,
            key=intent.key,
            payload=intent.payload,
            fingerprint=intent.fingerprint,
            webhook_token=intent.webhook_token,
        )

    @classmethod
    def of_job(cls, ref: JobRef, *, at: float, number: int = 0) -> Self:
        """The entry of a job whose create was somebody else's."""
        return cls(
            number=number,
            service=ref.service,
            account=ref.account,
            family=ref.family,
            payload="",
            fingerprint="",
            state=EntryState.ACCEPTED,
            job_id=ref.id,
            planned_at=at,
            accepted_at=at,
        )

    @property
    def product(self) -> str:
        """``surreal.v2v``."""
        return f"{self.service}.{self.family}"

    @property
    def ref(self) -> JobRef | None:
        """The job's durable name, once there is a job."""
        return None if self.job_id is None else JobRef(self.service, self.family, self.job_id, self.account)
