"""The Surreal Engine account."""

import os
from collections.abc import Mapping

import attrs

from talking_avatar.clock import Clock
from talking_avatar.errors import ConfigurationError
from talking_avatar.secret import Secret
from talking_avatar.surreal.a2v import A2V
from talking_avatar.surreal.cg_avatar import CGAvatar
from talking_avatar.surreal.tts import TTS
from talking_avatar.surreal.v2v import V2V
from talking_avatar.surreal.vocabulary import BASE_URL, DIALECT, REQUESTS_PER_MINUTE
from talking_avatar.transport.aiohttp import ClientSession
from talking_avatar.transport.retry import Retry
from talking_avatar.wire.account import ServiceClient

__all__ = ["Surreal"]


class Surreal(ServiceClient):
    """Surreal Engine, as the holder of *token* (``SURREAL_TOKEN`` when left out, like ``SURREAL_BASE_URL``).

    *account* is your own name for the credential: refs, journal and budget go by it. A *session* that you pass in is
    used and stays yours to close. All clients of one token in a process share its 30 requests a minute.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        base_url: str | None = None,
        session: ClientSession | None = None,
        account: str = "default",
        clock: Clock | None = None,
        retry: Retry | None = None,
    ) -> None:
        secret = Secret((token or os.environ.get("SURREAL_TOKEN") or "").strip())
        del token
        if not secret:
            msg = "no Surreal token: pass Surreal(token) or set SURREAL_TOKEN (from https://open.surreal-ai.com)"
            raise ConfigurationError(msg)
        super().__init__(
            dialect=DIALECT,
            base_url=base_url or os.environ.get("SURREAL_BASE_URL") or BASE_URL,
            credential=BearerToken(secret),
            identity=secret,
            account=account,
            limit=REQUESTS_PER_MINUTE,
            session=session,
            clock=clock,
            retry=retry,
        )
        self.cg_avatar = CGAvatar(self._channel)
        self.a2v = A2V(self._channel)
        self.v2v = V2V(self._channel)
        self.tts = TTS(self._channel)
        self.products = (self.cg_avatar.product, self.a2v.product, self.v2v.product)


@attrs.frozen
class BearerToken:
    """A token that cannot be renewed: it lasts a month, then a person fetches another (guide/authentication)."""

    _token: Secret
    _headers: Mapping[str, str] = attrs.field(init=False)

    @_headers.default
    def _made_once(self) -> Mapping[str, str]:
        return {"Authorization": Secret(f"Bearer {self._token}")}

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    async def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        return False
