"""What Akool posts to a webhook, checked and decrypted; no I/O.

The form is Akool's own (its webhook page and samples); the two recorded deliveries in the tests follow it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import attrs

from talking_avatar.akool.vocabulary import render_status
from talking_avatar.errors import ConfigurationError, TalkingAvatarError
from talking_avatar.models.results import RenderStatus

__all__ = ["LARGEST_BODY", "Notification", "WebhookRefused", "open_envelope", "read_notification", "require_usable"]

LARGEST_BODY = 64 * 1024
LONGEST_ID = 200
BLOCK = 16


class WebhookRefused(TalkingAvatarError, ValueError):
    """A body that Akool did not send to this receiver in this form; polling still finds every result."""

    def __init__(self, message: str = "", *, http_status: int = 400) -> None:
        super().__init__(message)
        self.http_status = http_status


@attrs.frozen(kw_only=True)
class Notification:
    """One delivery: a reason to look at job *id*, not a result; *token* is the per-job one of the URL it came to."""

    id: str
    status: RenderStatus
    type: str = ""
    url: str | None = attrs.field(default=None, repr=False)
    token: str | None = attrs.field(default=None, repr=False)
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)


def read_notification(
    body: bytes,
    *,
    client_id: str,
    client_secret: str,
    now_ms: float | None = None,
    max_age: float | None = 86_400.0,
    token: str | None = None,
) -> Notification:
    """Check and decrypt one delivery; raises `WebhookRefused` for anything else.

    Its age is only judged when *now_ms* is given, and *max_age* (seconds) bounds a clock that is ahead as well.
    """
    require_usable(client_id=client_id, client_secret=client_secret)
    envelope = _object(body, "the body")
    _check_age(envelope.get("timestamp"), now_ms, max_age)
    return _notification(open_envelope(envelope, client_id=client_id, client_secret=client_secret), token)


def open_envelope(envelope: Mapping[str, Any], *, client_id: str, client_secret: str) -> Mapping[str, Any]:
    """The object inside a signed and encrypted envelope; raises `WebhookRefused`."""
    signature, sealed = envelope.get("signature"), envelope.get("dataEncrypt")
    if not isinstance(signature, str) or not isinstance(sealed, str):
        raise WebhookRefused("signature or dataEncrypt is missing")
    signed = sorted([client_id, _spelled(envelope, "timestamp"), _spelled(envelope, "nonce"), sealed])
    # It holds no secret, so it only filters noise; what proves anything is that the rest decrypts to an object.
    wanted = hashlib.sha1(_bytes("".join(signed)), usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(_bytes(signature.lower()), wanted.encode()):
        raise WebhookRefused("the signature does not fit")
    return _object(_decrypted(sealed, client_id=client_id, client_secret=client_secret), "what was encrypted")


def require_usable(*, client_id: str, client_secret: str) -> None:
    """Refuse credentials that cannot decrypt anything, and a missing `cryptography`, with `ConfigurationError`."""
    if len(client_secret.encode()) not in {16, 24, 32}:
        raise ConfigurationError(
            "Akool's client secret (its API key) has 16, 24 or 32 characters, which are the key of its webhooks; "
            "copy it whole. Without webhooks every render is still found by polling"
        )
    if len(client_id.encode()) < BLOCK:
        raise ConfigurationError("Akool's client id has at least 16 characters; copy it whole")
    _aes(client_secret.encode(), client_id.encode()[:BLOCK])


def _aes(key: bytes, start: bytes) -> Any:
    try:
        # An extra: polling alone must not need it.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "Akool's webhooks need the package cryptography: pip install 'talking-avatar[webhook]'"
        ) from None
    return Cipher(algorithms.AES(key), modes.CBC(start))


def _decrypted(sealed: str, *, client_id: str, client_secret: str) -> bytes:
    try:
        text = base64.b64decode(sealed, validate=True)
        decryptor = _aes(client_secret.encode(), client_id.encode()[:BLOCK]).decryptor()
        plain: bytes = decryptor.update(text) + decryptor.finalize()
    except ValueError:
        raise WebhookRefused("dataEncrypt is not base64 of whole blocks") from None
    padding = plain[-1] if plain else 0
    # Every refusal looks alike to the sender, so this answers no questions about the padding.
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise WebhookRefused("dataEncrypt does not decrypt with this client secret")
    return plain[:-padding]


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise WebhookRefused(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise WebhookRefused(f"{what} is not a JSON object")
    return value


def _notification(content: Mapping[str, Any], token: str | None) -> Notification:
    job_id, url, kind = content.get("_id"), content.get("url"), content.get("type")
    if not isinstance(job_id, str) or not job_id.isprintable() or not 0 < len(job_id) <= LONGEST_ID:
        raise WebhookRefused("the notification names no job")
    return Notification(
        id=job_id,
        status=_status(content.get("status")),
        type=kind if isinstance(kind, str) else "",
        url=url if isinstance(url, str) and url else None,
        token=token,
        raw=content,
    )


def _status(value: object) -> RenderStatus:
    # True is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int | str):
        return RenderStatus.UNKNOWN
    return render_status(str(value)[:20])


def _spelled(envelope: Mapping[str, Any], field: str) -> str:
    value = envelope.get(field)
    if isinstance(value, str):
        return value
    number = _number(value)
    if number is None:
        raise WebhookRefused(f"{field} is neither a number nor a string")
    # As JavaScript, which signed it, spells a number.
    return str(int(number)) if number == int(number) else repr(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e21:
        return None
    return value


def _check_age(timestamp: object, now_ms: float | None, max_age: float | None) -> None:
    if now_ms is None or max_age is None:
        return
    written = isinstance(timestamp, str) and len(timestamp) < 20 and timestamp.isdecimal()
    sent = _number(int(timestamp) if isinstance(timestamp, str) and written else timestamp)
    if sent is None:
        raise WebhookRefused("timestamp is no number")
    if abs(now_ms - sent) > max_age * 1000:
        raise WebhookRefused("the notification is too old, or a clock is wrong")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
