"""Akool's webhook, received: each delivery is a reason to look, never a result."""

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping

import attrs

from talking_avatar.akool.notification import (
    LARGEST_BODY,
    Notification,
    WebhookRefused,
    open_envelope,
    read_notification,
    require_usable,
)
from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.models.results import RenderStatus
from talking_avatar.secret import Secret

__all__ = [
    "Notification",
    "WebhookAnswer",
    "WebhookReceiver",
    "WebhookRefused",
    "open_envelope",
    "read_notification",
]

REMEMBERED = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_log = logging.getLogger(__name__)


@attrs.frozen
class WebhookAnswer:
    """What to answer the delivery with; anything but 200 makes Akool deliver again."""

    status: int
    body: bytes = b""


@attrs.define(eq=False, kw_only=True)
class WebhookReceiver:
    """Checks deliveries and calls *wake* with a job's ``_id`` and the status it is said to have.

    *settle* is called before it with the per-job token of the URL and the ``_id``, where the delivery came to one with
    ``?job=<token>``: that is how an accepted render is found whose create was never answered. Deliveries repeat, and
    are passed on once. *max_age* is in seconds, None for any age.
    """

    client_id: str = attrs.field(repr=False)
    client_secret: str = attrs.field(repr=False, converter=Secret)
    _wake: Callable[[str, RenderStatus], object] = attrs.field(repr=False)
    _settle: Callable[[str, str], object] | None = attrs.field(default=None, repr=False)
    clock: Clock = attrs.field(default=SYSTEM_CLOCK, repr=False)
    max_body: int = attrs.field(default=LARGEST_BODY, validator=attrs.validators.ge(1))
    max_age: float | None = 86_400.0
    _seen: "OrderedDict[tuple[str, RenderStatus, str | None], None]" = attrs.field(
        factory=OrderedDict, init=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        require_usable(client_id=self.client_id, client_secret=self.client_secret)

    def handle(self, headers: Mapping[str, str], body: bytes, *, token: str | None = None) -> WebhookAnswer:
        """Answer one delivery; takes no time and never raises. Call it in the watcher's event loop."""
        try:
            notification = self._read(headers, body, token)
        except WebhookRefused as refusal:
            # The reason helps whoever runs this, and nobody else.
            _log.warning("a webhook delivery was refused: %s", refusal)
            return WebhookAnswer(refusal.http_status)
        return WebhookAnswer(200 if self._pass_on(notification) else 500)

    def _read(self, headers: Mapping[str, str], body: bytes, token: str | None) -> Notification:
        if len(body) > self.max_body:
            raise WebhookRefused("the body is larger than any notification", http_status=413)
        if any(name.lower() == "content-encoding" and value.lower() != "identity" for name, value in headers.items()):
            raise WebhookRefused("the body is compressed", http_status=415)
        return read_notification(
            body,
            client_id=self.client_id,
            client_secret=self.client_secret,
            now_ms=self.clock.time() * 1000,
            max_age=self.max_age,
            token=token if token and _TOKEN.fullmatch(token) else None,
        )

    def _pass_on(self, notification: Notification) -> bool:
        seen = (notification.id, notification.status, notification.token)
        if seen in self._seen:
            return True
        try:
            if self._settle is not None and notification.token is not None:
                self._settle(notification.token, notification.id)
            self._wake(notification.id, notification.status)
        except Exception:  # noqa: BLE001 - anything a caller's function may raise
            _log.exception("a webhook delivery could not be passed on; it will come again, and polling goes on")
            return False
        self._seen[seen] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True
