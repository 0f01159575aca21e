"""From an answer to the payload inside its envelope, or to the error that says what to do next."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from talking_avatar.errors import (
    BODY_EXCERPT,
    ApiError,
    AuthError,
    DecodeError,
    InvalidRequest,
    NotFound,
    QuotaError,
    ServerFault,
    Throttled,
)
from talking_avatar.transport.call import Answer, Call
from talking_avatar.transport.hints import NOTHING_SAID, RateHint
from talking_avatar.wire.json_speed import read_json

__all__ = ["Dialect", "Meaning", "furnish", "not_as_documented", "open_envelope"]


@attrs.frozen
class Meaning:
    """What a vendor's code amounts to: the error, and what the caller does next."""

    error: type[ApiError]
    advice: str


@attrs.frozen(kw_only=True)
class Dialect:
    """How one service wraps its payloads: the *success* code, the key of its words, and its table of codes."""

    service: str
    success: int
    words_key: str
    meanings: Mapping[int, Meaning]
    by_call: Callable[[int, str], Meaning | None] = lambda _code, _path: None
    token_expired: frozenset[int] = frozenset()

    def meaning(self, code: int | str | None, path: str) -> Meaning | None:
        """The meaning of *code* in an answer to *path*."""
        return (self.by_call(code, path) or self.meanings.get(code)) if isinstance(code, int) else None


_BY_STATUS = {
    400: Meaning(InvalidRequest, "correct the request"),
    401: Meaning(AuthError, "check the credential; it may have expired"),
    402: Meaning(QuotaError, "top up the account"),
    403: Meaning(AuthError, "the credential may not do this"),
    404: Meaning(NotFound, "check the id, and that it belongs to this account"),
    408: Meaning(ServerFault, "ask again"),
    413: Meaning(InvalidRequest, "send less"),
    422: Meaning(InvalidRequest, "correct the request"),
    429: Meaning(Throttled, "wait and ask again"),
}
_BROKEN = Meaning(ServerFault, "the service is at fault; ask again later")
_REFUSED = Meaning(ApiError, "see the service's own words")
_NUMERIC = re.compile(r"-?[0-9]{1,9}")


def open_envelope(answer: Answer, call: Call[Any], dialect: Dialect, *, hint: RateHint = NOTHING_SAID) -> Any:
    """The payload of a success; raises `ApiError` for everything else, whatever its HTTP status.

    *refused* of the error is True only where the service itself turned the call away, so that nothing was started.
    """
    try:
        content = read_json(answer.body)
    except ValueError:
        raise _Opener(answer, call, dialect, hint).not_json() from None
    if not isinstance(content, dict):
        raise _Opener(answer, call, dialect, hint).unreadable("an object was expected", "$")
    code = _code(content.get("code"))
    if answer.status < 300 and (code == dialect.success or (code is None and _is_bare(content))):
        return content if call.payload is None else content.get(call.payload)
    raise _Opener(answer, call, dialect, hint).refusal(content, code)


def _is_bare(content: Mapping[str, Any]) -> bool:
    # Liberal: an envelope that forgot its code but brought data, and no status of its own that says otherwise.
    return "data" in content and _code(content.get("status")) is None


def _code(value: Any) -> int | str | None:
    # Surreal sends its codes as numbers or as strings (002, official client).
    if isinstance(value, str):
        return int(value) if _NUMERIC.fullmatch(value) else value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@attrs.frozen
class _Opener:
    """Names what is wrong with one answer."""

    answer: Answer
    call: Call[Any]
    dialect: Dialect
    hint: RateHint

    def refusal(self, content: dict[str, Any], code: int | str | None) -> ApiError:
        status, code = self.answer.status, None if code == self.dialect.success else code
        if code is None:
            # Akool answers an unknown id with {"status": 404, "msg": …} and no code.
            stated = _code(content.get("status"))
            is_stated = isinstance(stated, int) and 400 <= stated < 600
            status = stated if is_stated and isinstance(stated, int) else status
            if status < 400 or (status == 404 and not is_stated):
                return self.unreadable("there is no code", "$.code")
        documented = self.dialect.meaning(code, self.call.path)
        return self._error(
            documented or _by_status(code if self.answer.status < 400 and code is not None else status),
            refused=self._is_refusal(code, status, is_documented=documented is not None),
            code=code,
            words=_words(content, self.dialect),
        )

    def _is_refusal(self, code: int | str | None, status: int, *, is_documented: bool) -> bool:
        if 400 <= status < 500 or is_documented:
            return True
        # Gateways put an HTTP status, or words, where a service has its code.
        return status < 500 and code is not None and not (isinstance(code, int) and 500 <= code < 600)

    def not_json(self) -> ApiError:
        status = self.answer.status
        if 300 <= status < 400:
            target = self.answer.headers.get("Location", "elsewhere").partition("?")[0]
            return self.unreadable(f"a redirect to {target}, which is not followed; check base_url", "$")
        if status < 300 or status == 404:
            # A 404 page is a gateway's, or a wrong base_url's: no statement about a job.
            return self.unreadable(f"HTTP {status} with a body that is not JSON", "$")
        return self._error(_by_status(status), refused=status < 500)

    def unreadable(self, why: str, path: str) -> DecodeError:
        is_turned_away = 400 <= self.answer.status < 500
        error = DecodeError(not_as_documented(self.call, self.dialect.service, why, refused=is_turned_away), path=path)
        error.refused = is_turned_away
        self._furnish(error)
        return error

    def _error(self, meaning: Meaning, *, refused: bool, code: int | str | None = None, words: str = "") -> ApiError:
        said = " ".join(part for part in ("" if code is None else str(code), f'"{words}"' if words else "") if part)
        error = meaning.error(
            f"{self.dialect.service} {'refused' if refused else 'failed at'} {self.call.name}: "
            f"{said or 'no reason given'} (HTTP {self.answer.status}). "
            f"{self.call.consequence(refused=refused)}; {meaning.advice}."
        )
        error.refused, error.code, error.words = refused, code, words
        error.token_expired = code in self.dialect.token_expired
        self._furnish(error)
        return error

    def _furnish(self, error: ApiError) -> None:
        furnish(error, self.answer, self.call, self.dialect.service)
        error.retry_after = self.hint.retry_after
        if isinstance(error, Throttled) and error.retry_after is None:
            error.retry_after = self.hint.reset_in


def not_as_documented(call: Call[Any], service: str, why: str, *, refused: bool = False) -> str:
    """The text for an answer that cannot be read."""
    consequence = call.consequence(refused=refused)
    return f"{service} answered {call.name} with something else than documented: {why}. {consequence}."


def furnish(error: ApiError, answer: Answer, call: Call[Any], service: str) -> None:
    """Tell *error* which exchange it is about."""
    error.service, error.call, error.http_status = service, call.name, answer.status
    error.body = answer.body[:BODY_EXCERPT].decode("utf-8", "replace")


def _by_status(status: int | str | None) -> Meaning:
    if not isinstance(status, int):
        return _REFUSED
    return _BY_STATUS.get(status) or (_BROKEN if 500 <= status < 600 else _REFUSED)


def _words(content: Mapping[str, Any], dialect: Dialect) -> str:
    for key in (dialect.words_key, "message", "msg", "error"):
        words = content.get(key)
        if isinstance(words, str) and words:
            return words[:300]
    return ""
