"""What to tell when a file does not come: what happened, that the render is paid, what to do next."""

from pathlib import Path
from urllib.parse import urlsplit

from talking_avatar.download.part import FULL, PartFile
from talking_avatar.errors import DownloadError, ResultExpired
from talking_avatar.models.refs import JobRef

__all__ = ["disk_words", "expired", "is_web", "not_whole"]


def not_whole(reason: str, *, url: str, target: Path, ref: JobRef | None, part: PartFile | None) -> DownloadError:
    return DownloadError(
        f"{target} could not be brought here whole: {reason}. {_subject(ref)} finished and is paid; {_kept(part)}",
        url=_without_query(url),
        path=str(target),
        ref=ref,
    )


def expired(reason: str, ref: JobRef | None) -> ResultExpired:
    return ResultExpired(
        f"{_subject(ref)} finished and is paid, but its file host refuses the link ({reason}) and no fresh one is to "
        "be had. Links live from an hour to seven days: ask for the job's status once more; if its link is refused "
        "too, only a new render brings the file back",
        ref=ref,
    )


def disk_words(error: OSError) -> str:
    words = error.strerror or type(error).__name__
    if error.errno in FULL:
        return f"no space is left on its disk ({words}), make room first"
    return f"this machine refused the file ({words})"


def is_web(url: str) -> bool:
    try:
        link = urlsplit(url)
    except ValueError:
        return False
    return link.scheme in {"http", "https"} and bool(link.hostname)


def _subject(ref: JobRef | None) -> str:
    return "The render" if ref is None else f"Render {ref}"


def _kept(part: PartFile | None) -> str:
    if part is None or not part.resumable:
        return "nothing is kept, so the next download to this path starts at the beginning"
    return f"{part.size:,} bytes are kept in {part.path.name}, and the next download to this path goes on there"


def _without_query(url: str) -> str:
    try:
        link = urlsplit(url)
    except ValueError:
        return ""
    # Whoever holds the query, or a name before the @, holds the file.
    return link._replace(netloc=link.netloc.rpartition("@")[2], query="", fragment="").geturl()
