"""Fetching what a caller's request names: a server-side request, so it is bounded on every side."""

import attrs
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from talking_avatar.clock import Clock

__all__ = ["FetchFailed", "Fetcher"]

_MOVED = frozenset({301, 302, 303, 307, 308})


class FetchFailed(Exception):
    """An address did not bring a file; the text says why."""


@attrs.define(kw_only=True, eq=False)
class Fetcher:
    """Downloads over http and https only, loopback included because the sandbox is a local tool."""

    clock: Clock
    seconds: float = 10.0
    max_bytes: int = 64 * 2**20
    redirects: int = 3
    _session: ClientSession | None = attrs.field(default=None, init=False, repr=False)

    def session(self) -> ClientSession:
        """The one client session of the sandbox; it sends no cookies back."""
        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=self.seconds))
        return self._session

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, address: str) -> bytes:
        """The file at *address*; `FetchFailed` when there is none or a limit is passed."""
        with self.clock.busy():
            try:
                return await self._follow(address)
            except TimeoutError as error:
                raise FetchFailed(f"no file within {self.seconds:g} s") from error
            except (ClientError, OSError, ValueError) as error:
                raise FetchFailed(f"not fetched: {type(error).__name__}") from error

    async def _follow(self, address: str) -> bytes:
        url = _web(URL(address))
        for _ in range(self.redirects + 1):
            async with self.session().get(url, allow_redirects=False) as response:
                if response.status not in _MOVED:
                    return await self._read(response)
                url = _web(url.join(URL(response.headers.get("Location", ""))))
        raise FetchFailed(f"more than {self.redirects} redirects")

    async def _read(self, response: ClientResponse) -> bytes:
        if response.status != 200:
            raise FetchFailed(f"answered with HTTP {response.status}")
        content = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            content += chunk
            if len(content) > self.max_bytes:
                raise FetchFailed(f"larger than {self.max_bytes} bytes")
        return bytes(content)


def _web(url: URL) -> URL:
    if url.scheme not in {"http", "https"} or not url.host:
        raise FetchFailed("only http and https addresses are fetched")
    return url
