"""What clients of every service share: where to send, as whom, through which channel."""

import re
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import ConfigurationError
from talking_avatar.models.product import Product
from talking_avatar.transport.aiohttp import AiohttpPort, ClientSession, Sessions
from talking_avatar.transport.gate import shared_gate
from talking_avatar.transport.retry import Retry
from talking_avatar.warn import warn_caller
from talking_avatar.wire.channel import Channel, Credential
from talking_avatar.wire.envelope import Dialect

__all__ = ["ServiceClient", "checked_base_url"]


# What a ref has room for: service@account.family:id.
_ACCOUNT = re.compile(r"[^.:@\s]+")


class ServiceClient:
    """A client that is opened by its first call and closed by `aclose` or the end of ``async with``."""

    products: tuple[Product[Any, Any], ...] = ()
    # Also while it is being made: a traceback with locals shows it then.
    base_url = account_name = "?"

    def __init__(
        self,
        *,
        dialect: Dialect,
        base_url: str,
        credential: Credential,
        identity: str,
        account: str,
        limit: int | None,
        session: ClientSession | None,
        clock: Clock | None,
        retry: Retry | None,
    ) -> None:
        clock = clock or SYSTEM_CLOCK
        self.service = dialect.service
        self.clock = clock
        self.account_name = _checked_account(account)
        self.base_url = checked_base_url(base_url)
        self._sessions = Sessions(session)
        self._channel = Channel(
            service=dialect.service,
            account=account,
            port=AiohttpPort(self.base_url, self._sessions, clock),
            dialect=dialect,
            credential=credential,
            gate=shared_gate(dialect.service, self.base_url, identity, clock, limit),
            clock=clock,
            retry=retry or Retry(),
        )

    async def start(self) -> Self:
        """Open the client; only needed after `aclose`, or to notice at once that no loop runs."""
        self._sessions.reopen()
        await self._sessions.current()
        return self

    async def aclose(self) -> None:
        """Close the connections of this event loop; a session that was passed in stays open."""
        await self._channel.port.aclose()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url} account={self.account_name!r}>"


def checked_base_url(base_url: str) -> str:
    """*base_url* without a trailing slash; refuses what is no http(s) URL, warns where the credential is readable."""
    base_url = base_url.strip().rstrip("/")
    scheme, host = _scheme_and_host(base_url)
    if scheme == "http" and not _is_loopback(host):
        warn_caller(f"base_url http://{host} is not encrypted: whoever sees the traffic can read the credential")
    return base_url


def _scheme_and_host(base_url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(base_url)
        host = (parts.hostname or "").encode("idna").decode()
        is_fit = parts.scheme in {"http", "https"} and host and parts.port != 0
    except ValueError:
        raise ConfigurationError("base_url is no URL; it must look like https://host") from None
    if not is_fit or parts.query or parts.fragment or parts.username or parts.password:
        shown = f"{parts.scheme}://{host}" if host else repr(base_url[:60])
        raise ConfigurationError(f"base_url {shown} must look like https://host, without a user, query or fragment")
    return parts.scheme, host


def _checked_account(account: str) -> str:
    if not _ACCOUNT.fullmatch(account):
        raise ConfigurationError(f"account {account!r} must be a name without spaces, dots, colons and at signs")
    return account


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
