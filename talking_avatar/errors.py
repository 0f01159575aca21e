"""One tree of errors, grouped by what the caller does next.

Every context argument has a default, because an exception is unpickled from its positional arguments alone.
"""

from typing import Any, Self

__all__ = [
    "BODY_EXCERPT",
    "ApiError",
    "AuthError",
    "Closed",
    "ConfigurationError",
    "DecodeError",
    "DownloadError",
    "InvalidRequest",
    "JobStateUnknown",
    "JobTimeout",
    "JournalConflict",
    "JournalError",
    "NotFound",
    "QuotaError",
    "RenderFailed",
    "ResultExpired",
    "ServerFault",
    "SubmissionUnknown",
    "TalkingAvatarError",
    "Throttled",
    "Unreachable",
]

# What is kept of a body for a person to read; a gateway may answer with megabytes.
BODY_EXCERPT = 2_000


class TalkingAvatarError(Exception):
    """Anything this SDK raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    def __str__(self) -> str:
        # A leaf that is also a KeyError or an OSError would otherwise compose a text of its own.
        return str(self.args[0]) if self.args else ""


class ConfigurationError(TalkingAvatarError, ValueError):
    """The SDK was set up in a way that cannot work; nothing was sent."""


class Closed(TalkingAvatarError, RuntimeError):
    """The client or watcher has been closed; what it had submitted goes on at the service."""


class Unreachable(TalkingAvatarError, ConnectionError):
    """Nobody answered; *sent* is False only where the request provably never left."""

    def __init__(self, message: str = "", *, sent: bool = True, call: str = "") -> None:
        super().__init__(message)
        self.sent = sent
        self.call = call


class ApiError(TalkingAvatarError):
    """The service answered and refused.

    *code* and *words* are the vendor's own, *http_status* is None where the fault was found before sending,
    *retry_after* is in seconds, and *body* is an excerpt of what was received. *refused* is True where the service
    turned the call away itself, so that nothing was started and nothing charged.
    """

    refused = True
    token_expired = False

    def __init__(
        self,
        message: str = "",
        *,
        service: str = "",
        call: str = "",
        http_status: int | None = None,
        code: int | str | None = None,
        words: str = "",
        retry_after: float | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message)
        self.service = service
        self.call = call
        self.http_status = http_status
        self.code = code
        self.words = words
        self.retry_after = retry_after
        self.body = body[:BODY_EXCERPT]


class AuthError(ApiError, PermissionError):
    """The credential was refused; no call with it will succeed until it is replaced or allowed."""


class QuotaError(ApiError):
    """The account cannot pay for this; nothing was charged."""


class Throttled(ApiError):
    """Too many requests; wait *retry_after* seconds and ask again."""


class InvalidRequest(ApiError, ValueError):
    """The request breaks a documented rule; *field* names where. Raised before sending wherever the rule is known."""

    def __init__(self, message: str = "", *, field: str = "", rule: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.field = field
        self.rule = rule


class NotFound(ApiError, LookupError):
    """The service knows nothing by that id: mistyped, of another account, or removed."""


class ServerFault(ApiError):
    """The service broke; a read may be repeated, a create may or may not have been accepted."""

    refused = False


class DecodeError(ServerFault, ValueError):
    """The answer is not what the documents promise; *path* says where, such as ``$.data.status``."""

    def __init__(self, message: str = "", *, path: str = "$", **context: Any) -> None:
        super().__init__(message, **context)
        self.path = path


class _JobError(TalkingAvatarError):
    """What every error about one job carries."""

    def __init__(self, message: str = "", *, ref: Any = None, status: Any = None, elapsed: float = 0.0) -> None:
        super().__init__(message)
        self.ref = ref
        self.status = status
        self.elapsed = elapsed


class RenderFailed(_JobError):
    """The service gave up on the render; *code* and *reason* are its own words, *result* its last answer."""

    def __init__(
        self, message: str = "", *, code: int | str | None = None, reason: str = "", result: Any = None, **context: Any
    ) -> None:
        super().__init__(message, **context)
        self.code = code
        self.reason = reason
        self.result = result


class JobTimeout(_JobError, TimeoutError):
    """The deadline passed while the service was read and said the render still runs; it goes on, paid for."""


class JobStateUnknown(_JobError):
    """The render could not be read since *unreadable_since* (epoch seconds); it may be running, finished or failed."""

    def __init__(
        self,
        message: str = "",
        *,
        unreadable_since: float | None = None,
        last_error: BaseException | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.unreadable_since = unreadable_since
        self.last_error = last_error


class SubmissionUnknown(TalkingAvatarError):
    """The create may have been accepted and paid; it is never sent again unless the caller says so.

    *candidates* are refs that appeared at the service meanwhile; *intent* is the journal's number for this submission.
    """

    def __init__(
        self,
        message: str = "",
        *,
        request: Any = None,
        key: str | None = None,
        intent: int | None = None,
        candidates: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message)
        self.request = request
        self.key = key
        self.intent = intent
        self.candidates = candidates
        self._choices: Any = None

    def offer(self, choices: Any) -> Self:
        """Let *choices* (a watcher) carry out what the caller decides."""
        self._choices = choices
        return self

    async def adopt(self, ref: Any) -> Any:
        """Take *ref* for the job that the lost create made, and give it, watched."""
        return await self._decider().adopt(self, ref)

    async def abandon(self) -> None:
        """Let it be, whatever became of it."""
        await self._decider().abandon(self)

    async def resubmit(self) -> Any:
        """Send it again although it may be paid already; gives the new job."""
        return await self._decider().resubmit(self)

    def _decider(self) -> Any:
        if self._choices is None:
            msg = "this error has left its watcher; submit the same key again in a running one, and decide there"
            raise TalkingAvatarError(msg)
        return self._choices

    def __getstate__(self) -> dict[str, Any]:
        # A watcher's sockets and tasks stay where they are when the error travels.
        return {**self.__dict__, "_choices": None}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__getstate__()


class ResultExpired(_JobError):
    """The render finished, but its file can no longer be fetched from the service."""


class DownloadError(_JobError, OSError):
    """The file could not be brought here whole; what arrived is kept in the part file for the next try."""

    def __init__(self, message: str = "", *, url: str = "", path: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.url = url
        self.path = path


class JournalError(TalkingAvatarError):
    """The journal cannot keep its promise, so no create is sent through it; jobs already accepted stay watched."""

    def __init__(self, message: str = "", *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class JournalConflict(JournalError, ValueError):
    """The key already stands for a different request."""

    def __init__(self, message: str = "", *, key: str = "", **context: Any) -> None:
        super().__init__(message, **context)
        self.key = key
