"""Who may ask: Surreal's bearer token, Akool's API key and the tokens issued for it."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Literal

import attrs

__all__ = ["Credentials"]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


@attrs.define(kw_only=True)
class Credentials:
    """The secrets of one sandbox; Akool's API key and its client secret are the same thing."""

    token: str = attrs.field(repr=False)
    api_key: str = attrs.field(repr=False)
    client_id: str = attrs.field(repr=False)
    _issued: set[str] = attrs.field(factory=set, init=False, repr=False)

    def knows_surreal(self, headers: Mapping[str, str]) -> bool:
        """Whether the request carries Surreal's token."""
        return _same(_bearer(headers), self.token)

    def judge_akool(self, headers: Mapping[str, str]) -> Literal["ok", "illegal", "missing"]:
        """What Akool says of the request; ``Authorization`` wins over ``x-api-key`` (004)."""
        if headers.get("Authorization", "").strip():
            return "ok" if _bearer(headers) in self._issued else "illegal"
        key = headers.get("x-api-key", "").strip()
        if not key:
            return "missing"
        return "ok" if _same(key, self.api_key) else "illegal"

    def issue(self, client_id: str, client_secret: str) -> str | None:
        """A fresh token for Akool's getToken, or None for wrong credentials."""
        if not (_same(client_id, self.client_id) and _same(client_secret, self.api_key)):
            return None
        token = secrets.token_urlsafe(32)
        self._issued.add(token)
        return token

    def expire_tokens(self) -> int:
        """Make every issued token illegal and say how many there were."""
        count = len(self._issued)
        self._issued.clear()
        return count


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
