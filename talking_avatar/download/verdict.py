"""What an answer of a file host means for the bytes that are already here; no I/O."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import attrs

from talking_avatar.transport.hints import read_hint

__all__ = ["Again", "Body", "More", "Origin", "Refused", "Stale", "Verdict", "Whole", "judge"]

LONGEST_PAUSE = 60.0
# 400 is what Google's storage answers for an expired signed link.
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_PASSING = frozenset({408, 425, 429})
_PAGES = frozenset({"text/html", "text/json", "text/xml", "application/json", "application/xml"})
_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_BEYOND = re.compile(r"bytes\s+\*/(\d{1,18})")


@attrs.frozen(kw_only=True)
class Origin:
    """Which file a part is the beginning of; *validator* is empty where the host gives none it can be resumed by."""

    validator: str = ""
    total: int | None = None


@attrs.frozen(kw_only=True)
class Body:
    """Bytes follow, from *start* up to *end* where that is known."""

    start: int
    end: int | None
    origin: Origin


@attrs.frozen
class Again:
    """Ask once more, after at least *pause* seconds; *afresh* when what is here must go first."""

    reason: str
    pause: float = 0.0
    afresh: bool = False


@attrs.frozen
class Stale:
    """The link is refused; a fresh one may not be."""

    reason: str


@attrs.frozen
class Refused:
    """No further request would help; *afresh* when what is here must go."""

    reason: str
    afresh: bool = False


@attrs.frozen
class More:
    """A piece arrived as announced and the next one is to be asked for."""


@attrs.frozen
class Whole:
    """Everything is here."""


Verdict = Body | Again | Stale | Refused | Whole


def judge(status: int, headers: Mapping[str, str], *, kept: int, origin: Origin, largest: int, now: float) -> Verdict:
    """Read an answer at epoch time *now* to a request for what follows *kept* bytes of *origin*.

    *headers* are case-insensitive.
    """
    if status in {200, 206}:
        return _unfit(headers) or _bounded(_body(status, headers, kept, origin), largest)
    if status == 416:
        beyond = _BEYOND.fullmatch(headers.get("Content-Range", "").strip())
        # If-Range held, or the host would have sent the whole file.
        if kept and beyond and int(beyond[1]) == kept and origin.total in {None, kept}:
            return Whole()
        return Again("the host has no bytes after those that are here (HTTP 416)", afresh=True)
    if status in _EXPIRED:
        return Stale(f"HTTP {status}")
    if status in _PASSING or status >= 500:
        return Again(f"the file host answered HTTP {status}", pause=_pause(headers, now))
    return Refused(f"the file host answered HTTP {status}")


def _unfit(headers: Mapping[str, str]) -> Refused | None:
    media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media in _PAGES or media.endswith(("+xml", "+json")):
        return Refused(f"the file host sent {media} instead of a file, probably a page that says why")
    encoding = headers.get("Content-Encoding", "").strip().lower()
    # Lengths and ranges would count other bytes than the file's, and a few of them may unfold into gigabytes.
    if encoding not in {"", "identity"}:
        return Refused(f"the file host sent a compressed answer ({encoding[:40]}) to a request that allowed none")
    return None


def _body(status: int, headers: Mapping[str, str], kept: int, origin: Origin) -> Body | Again:
    length = _number(headers.get("Content-Length"))
    if status == 200:
        return Body(start=0, end=length, origin=Origin(validator=_validator(headers), total=length))
    span = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if span is None or int(span[1]) != kept or int(span[2]) < kept:
        return Again("the host sent another piece of the file than was asked for", afresh=True)
    end, total = int(span[2]) + 1, None if span[3] == "*" else int(span[3])
    if length not in {None, end - kept} or (total is not None and end > total) or _another(headers, origin, total):
        return Again("the file at the host is not the one whose beginning is here", afresh=True)
    validator = origin.validator if kept else _validator(headers)
    return Body(start=kept, end=end, origin=Origin(validator=validator, total=total or origin.total))


def _bounded(body: Body | Again, largest: int) -> Body | Again | Refused:
    if isinstance(body, Body) and max(body.end or 0, body.origin.total or 0) > largest:
        return Refused(f"the file is said to be larger than the {largest:,} bytes allowed", afresh=True)
    return body


def _another(headers: Mapping[str, str], origin: Origin, total: int | None) -> bool:
    # Some servers take no notice of If-Range, so the answer is held against what the part began with.
    named = headers.get("ETag" if origin.validator.startswith('"') else "Last-Modified", "").strip()
    renamed = bool(named and origin.validator) and named != origin.validator
    return renamed or (None not in {total, origin.total} and total != origin.total)


def _validator(headers: Mapping[str, str]) -> str:
    etag = headers.get("ETag", "").strip()
    if etag.startswith('"') and etag.endswith('"') and len(etag) > 1:
        return etag
    # RFC 9110 8.8.2.2: a date is a strong validator only when the answer is at least a second younger.
    modified, answered = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    if modified and answered and answered - modified >= timedelta(seconds=1):
        return headers["Last-Modified"].strip()
    return ""


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def _pause(headers: Mapping[str, str], now: float) -> float:
    return min(read_hint(headers, now).retry_after or 0.0, LONGEST_PAUSE)
