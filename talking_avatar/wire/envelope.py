"""From an answer to the payload inside its envelope, or to the error that says what to do next."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from talking_avatar.errors import (
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
from talking_avatar.wire.json_speed import read_json

__all__ = ["Dialect", "Meaning", "open_envelope"]


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

    def meaning(self, code: int | str, path: str) -> Meaning | None:
        """The meaning of *code* in an answer to *path*."""
        if not isinstance(code, int):
            return None
        return self.by_call(code, path) or self.meanings.get(code)


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


def open_envelope(answer: Answer, call: Call[Any], dialect: Dialect, *, retry_after: float | None = None) -> Any:
    """The payload of a success; raises `ApiError` for everything else, whatever its HTTP status.

    *refused* of the error is True only where the service itself turned the call away, so that nothing was started.
    """
    opener = _Opener(answer, call, dialect, retry_after)
    try:
        content = read_json(answer.body)
    except ValueError:
        raise opener.not_json() from None
    if not isinstance(content, dict):
        raise opener.unreadable("an object was expected", "$")
    code = _code(content.get("code"))
    # Liberal: an envelope that forgot its code but brought data, and no status of its own that says otherwise.
    is_bare = code is None and "data" in content and _code(content.get("status")) is None
    if answer.status < 400 and (code == dialect.success or is_bare):
        return content if call.payload is None else content.get(call.payload)
    raise opener.refusal(content, code)


def _code(value: Any) -> int | str | None:
    # Surreal sends its codes as numbers or as strings (002, official client).
    if isinstance(value, str):
        return int(value) if _NUMERIC.fullmatch(value) else value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@attrs.frozen
class _Opener:
    answer: Answer
    call: Call[Any]
    dialect: Dialect
    retry_after: float | None

    def refusal(self, content: dict[str, Any], code: int | str | None) -> ApiError:
        status = self.answer.status
        if code is None:
            # Akool answers an unknown id with {"status": 404, "msg": …} and no code.
            stated = _code(content.get("status"))
            if isinstance(stated, int) and 400 <= stated < 600:
                status = stated
            elif status < 400:
                return self.unreadable("there is no code", "$.code")
        meaning = (None if code is None else self.dialect.meaning(code, self.call.path)) or _by_status(
            status if status >= 400 else code
        )
        error = self._error(meaning, code, _words(content, self.dialect))
        # A gateway's JSON carries an HTTP status as its code; a business code is the service's own word.
        is_gateways = code is None or (isinstance(code, int) and 500 <= code < 600)
        error.refused = not is_gateways or 400 <= status < 500
        error.token_expired = code in self.dialect.token_expired
        return error

    def not_json(self) -> ApiError:
        status = self.answer.status
        if 300 <= status < 400:
            target = self.answer.headers.get("Location", "elsewhere").partition("?")[0]
            return self.unreadable(f"a redirect to {target}, which is not followed", "$")
        if status < 300 or status == 404:
            # A 404 page is a gateway's, or a wrong base_url's: no statement about a job.
            return self.unreadable(f"HTTP {status} with a body that is not JSON", "$")
        error = self._error(_by_status(status), None, "")
        error.refused = status < 500
        return error

    def unreadable(self, why: str, path: str) -> DecodeError:
        return DecodeError(
            f"{self.dialect.service} answered {self.call.name} with something else than documented: {why}",
            path=path,
            **self._context(),
        )

    def _error(self, meaning: Meaning, code: int | str | None, words: str) -> ApiError:
        said = " ".join(part for part in ("" if code is None else str(code), f'"{words}"' if words else "") if part)
        return meaning.error(
            f"{self.dialect.service} refused {self.call.name}: {said or 'no reason given'} "
            f"(HTTP {self.answer.status}); {meaning.advice}",
            code=code,
            words=words,
            retry_after=self.retry_after,
            **self._context(),
        )

    def _context(self) -> dict[str, Any]:
        return {
            "service": self.dialect.service,
            "call": self.call.name,
            "http_status": self.answer.status,
            "body": self.answer.body[:2_000].decode("utf-8", "replace"),
        }


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
