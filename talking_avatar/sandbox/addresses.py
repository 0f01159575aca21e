"""What counts as a web address."""

from urllib.parse import urlsplit

__all__ = ["is_url"]


def is_url(value: object) -> bool:
    """Whether this is an http or https address with a host."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
