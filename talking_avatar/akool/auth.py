"""Proving who asks: an API key, a token, or a token fetched with client id and secret (authentication/usage)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from talking_avatar.errors import ApiError, AuthError, TalkingAvatarError, Unreachable
from talking_avatar.per_loop import PerLoop
from talking_avatar.secret import Secret
from talking_avatar.transport.call import Call
from talking_avatar.wire.converter import decode, record

__all__ = ["ApiKey", "RenewableToken", "token_call"]

FetchToken = Callable[[], Awaitable[str]]


@attrs.frozen
class ApiKey:
    """``x-api-key``, which does not expire."""

    _key: Secret

    async def headers(self) -> Mapping[str, str]:
        return {"x-api-key": self._key}

    async def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        return False


@attrs.define(eq=False)
class RenewableToken:
    """``Authorization``; *fetch* brings another token when this one expires, once however many calls notice."""

    _fetch: FetchToken | None = attrs.field(repr=False)
    _token: Secret | None = None
    _turn: PerLoop[asyncio.Lock] = attrs.field(factory=lambda: PerLoop(asyncio.Lock), repr=False)
    _failures: int = 0

    async def headers(self) -> Mapping[str, str]:
        if self._token is None and not await self.renew({}):
            raise AuthError("Akool gave no token for this client id and secret. Nothing was started; check both.")
        return self._authorization()

    async def renew(self, refused: Mapping[str, str]) -> bool:
        if self._fetch is None:
            return False
        failures = self._failures
        async with self._turn.get():
            is_stale = self._token is None or refused == self._authorization()
            # Where somebody ahead in the line was refused a token, so would everybody behind.
            if is_stale and failures == self._failures:
                self._token = await self._fetched(self._fetch)
                is_stale = False
        return not is_stale

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": Secret(f"Bearer {self._token}")}

    async def _fetched(self, fetch: FetchToken) -> Secret:
        try:
            return Secret(await fetch())
        except TalkingAvatarError as error:
            self._failures += 1
            # What the token was wanted for has not left yet, whatever became of the token's own request.
            if isinstance(error, Unreachable):
                error.sent = False
            elif isinstance(error, ApiError):
                error.refused, error.body = True, ""
            raise


@record
class TokenRow:
    token: str


def token_call(client_id: str, client_secret: Secret) -> Call[str]:
    """``getToken``, whose answer has its token beside the code instead of inside ``data``."""
    return Call(
        method="POST",
        path="/api/open/v3/getToken",
        body={"clientId": client_id, "clientSecret": client_secret},
        payload=None,
        parse=_token,
    )


def _token(payload: Any) -> str:
    # The documents put it at the top level; an older form nested it.
    nested = payload.get("data") if isinstance(payload, dict) else None
    source = nested if isinstance(nested, dict) and "token" in nested else payload
    return Secret(decode(TokenRow, source, path="$").token)
