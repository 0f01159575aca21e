"""The Akool account."""

import os
from collections.abc import Mapping

import attrs

from talking_avatar.akool.account import Account
from talking_avatar.akool.auth import ApiKey, RenewableToken, token_call
from talking_avatar.akool.avatars import Avatars
from talking_avatar.akool.codes import DIALECT
from talking_avatar.akool.talking_avatar import TalkingAvatars
from talking_avatar.akool.vocabulary import BASE_URL
from talking_avatar.akool.voices import Voices
from talking_avatar.clock import Clock
from talking_avatar.errors import ConfigurationError
from talking_avatar.secret import Secret
from talking_avatar.transport.aiohttp import ClientSession
from talking_avatar.transport.retry import Retry
from talking_avatar.wire.account import ServiceClient
from talking_avatar.wire.channel import Credential

__all__ = ["Akool"]


class Akool(ServiceClient):
    """Akool, by *api_key*, by *token*, or by *client_id* with *client_secret*.

    Left out, they come from ``AKOOL_API_KEY``, ``AKOOL_CLIENT_ID`` and ``AKOOL_CLIENT_SECRET``. With id and secret a
    token is fetched, and fetched again when it expires; a key is used as it is. The API key and the client secret are
    the same thing under two names. *account* is your own name for the credential: refs, journal and budget go by it.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        token: str | None = None,
        base_url: str | None = None,
        session: ClientSession | None = None,
        account: str = "default",
        clock: Clock | None = None,
        retry: Retry | None = None,
    ) -> None:
        nothing_passed = not (api_key or client_secret or token)
        key = _secret(api_key) or (_secret(os.environ.get("AKOOL_API_KEY")) if nothing_passed else None)
        secret = _secret(client_secret) or (_secret(os.environ.get("AKOOL_CLIENT_SECRET")) if nothing_passed else None)
        bearer = _secret(token)
        del api_key, client_secret, token
        client_id = client_id or os.environ.get("AKOOL_CLIENT_ID") or None
        super().__init__(
            dialect=DIALECT,
            base_url=base_url or os.environ.get("AKOOL_BASE_URL") or BASE_URL,
            credential=self._credential(key, client_id, secret, bearer),
            # One account, however it proves itself: key and secret are the same string.
            identity=key or secret or bearer or "",
            account=account,
            limit=None,
            session=session,
            clock=clock,
            retry=retry,
        )
        self.talking_avatar = TalkingAvatars(self._channel)
        self.avatars = Avatars(self._channel)
        self.voices = Voices(self._channel)
        self.account = Account(self._channel)
        self.products = (self.talking_avatar.product, self.avatars.product, *self.voices.products)

    def _credential(
        self, key: Secret | None, client_id: str | None, secret: Secret | None, token: Secret | None
    ) -> Credential:
        # Akool lets Authorization win when both headers come, so only one is ever sent (004).
        if key and not token:
            return ApiKey(key)
        if client_id and (secret or key):
            return RenewableToken(lambda: self._fetch_token(client_id, secret or key or Secret()), token)
        if token:
            return RenewableToken(None, token)
        if secret:
            return ApiKey(secret)
        msg = (
            "no Akool credential: pass Akool(api_key) or set AKOOL_API_KEY, "
            "or client_id with client_secret (AKOOL_CLIENT_ID, AKOOL_CLIENT_SECRET)"
        )
        raise ConfigurationError(msg)

    async def _fetch_token(self, client_id: str, secret: Secret) -> str:
        return await attrs.evolve(self._channel, credential=Nobody()).once(token_call(client_id, secret))


class Nobody:
    """Asks for a token without having one."""

    async def headers(self) -> Mapping[str, str]:
        return {}

    async def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        return False


def _secret(value: str | None) -> Secret | None:
    return Secret(value.strip()) if value and value.strip() else None
