"""The one place that talks HTTP as a client."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import aiohttp
import attrs
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientSession
from aiohttp.abc import AbstractStreamWriter
from aiohttp.hdrs import CONTENT_ENCODING
from yarl import URL

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import Closed, DecodeError, Unreachable
from talking_avatar.transport.call import Answer, Call, FileAnswer

__all__ = ["AiohttpFiles", "AiohttpPort", "ClientSession", "Sessions"]

CONNECT_TIMEOUT = 15.0
LARGEST_ANSWER = 64 * 1024 * 1024
MOST_REDIRECTS = 5
# Up to here a body fits into the socket's and the transport's buffers, and writing it does not wait for the peer.
WRITTEN_AT_ONCE = 64 * 1024
_NOBODY = (aiohttp.ClientError, OSError, TimeoutError)


@attrs.define(eq=False)
class Sessions:
    """One aiohttp session per event loop, or the one that was passed in, which stays its owner's to close."""

    _given: ClientSession | None = None
    _keepers: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Keeper]" = attrs.field(factory=WeakKeyDictionary)
    _closed: bool = False

    async def current(self) -> ClientSession:
        """The session of the running loop; raises `Closed` when there is to be none any more."""
        if self._given is not None:
            return self._given_if_open(self._given)
        return self.known() or (await self._opened()).session

    def known(self) -> ClientSession | None:
        """The running loop's own session, if it has been opened."""
        keeper = self._keepers.get(asyncio.get_running_loop())
        return None if keeper is None else keeper.session

    def _given_if_open(self, session: ClientSession) -> ClientSession:
        if session.closed:
            raise Closed("the session that was passed in has been closed by its owner")
        self._refuse_if_closed()
        return session

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Closed("this client has been closed; make a new one, or call start() on it again")

    async def _opened(self) -> "_Keeper":
        self._refuse_if_closed()
        # A session holds its loop, so the weak key alone would keep the sessions of ended loops.
        for ended in [loop for loop in self._keepers if loop.is_closed()]:
            del self._keepers[ended]
        # Opening never suspends, so two tasks cannot both get here.
        generator = _session_until_loop_ends()
        keeper = _Keeper(generator, await anext(generator))
        self._keepers[asyncio.get_running_loop()] = keeper
        return keeper

    def reopen(self) -> None:
        """Allow sessions again after `aclose`."""
        self._closed = False

    async def aclose(self) -> None:
        """Close the running loop's own session; those of ended loops closed with them."""
        self._closed = True
        keeper = self._keepers.pop(asyncio.get_running_loop(), None)
        if keeper is not None:
            await keeper.generator.aclose()


@attrs.define(eq=False)
class _Keeper:
    generator: AsyncGenerator[ClientSession, None]
    session: ClientSession


async def _session_until_loop_ends() -> AsyncGenerator[ClientSession, None]:
    # asyncio.run closes pending async generators before the loop, so sockets never outlive their loop unnoticed.
    async with ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=0), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


@attrs.define(eq=False)
class AiohttpPort:
    """Carries calls to one service under *base_url*."""

    base_url: str
    _sessions: Sessions
    _clock: Clock = SYSTEM_CLOCK

    async def exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:
        session = self._sessions.known() or await self._sessions.current()
        body = None if call.body is None else _JsonBody(call.body, silence=call.timeout)
        try:
            with self._clock.busy():
                # A redirect would carry the credential elsewhere; no documented endpoint sends one.
                response = await session.request(
                    call.method,
                    self._url(call),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    raise_for_status=False,
                    timeout=_timeout(call.timeout, whole=call.idempotent),
                    middlewares=self._middlewares(session),
                )
                return Answer(response.status, response.headers, await _whole(response, call))
        except _NOBODY as error:
            raise _unreachable(
                call, error, sent=body.left if body is not None else not _never_connected(error)
            ) from None

    def _url(self, call: Call[Any]) -> URL:
        query = "&".join([f"{name}={quote(value, safe='')}" for name, value in (call.query or {}).items()])
        address = f"{self.base_url}{call.path}"
        return URL(f"{address}?{query}" if query else address, encoded=True)

    @staticmethod
    def _middlewares(session: ClientSession) -> tuple[ClientMiddlewareType, ...]:
        # Those of a session that was passed in are not to be lost, and no public name tells them.
        return (*getattr(session, "_middlewares", ()), _sent_once)

    async def aclose(self) -> None:
        await self._sessions.aclose()


class BrokenOff(aiohttp.ClientConnectionError):
    """A connection broke under a request; *os_error* is how."""

    def __init__(self, os_error: BaseException) -> None:
        super().__init__(str(os_error))
        self.os_error = os_error


async def _sent_once(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET by itself, which no budget would know of."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenOff(error) from None


class _JsonBody(aiohttp.BytesPayload):
    """A body that remembers whether it was handed to a socket.

    aiohttp's exception classes cannot tell; since 3.12 the headers wait for the body, so nothing has left while this
    says False.
    """

    def __init__(self, body: Mapping[str, Any], *, silence: float) -> None:
        super().__init__(json.dumps(body, ensure_ascii=False).encode(), content_type="application/json")
        self._silence = silence
        self.left = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self.left = True
        if content_length is not None and content_length <= WRITTEN_AT_ONCE:
            await super().write_with_length(writer, content_length)
            return
        # aiohttp times the silence only once everything is written, and a peer that stops reading is silent too.
        async with asyncio.timeout(self._silence):
            await super().write_with_length(writer, content_length)

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.left = True
        await super().write(writer)


@lru_cache(maxsize=32)
def _timeout(silence: float, *, whole: bool) -> aiohttp.ClientTimeout:
    # A total would cut a create off while its answer, and with it the paid job's id, is still on the way.
    if whole:
        return aiohttp.ClientTimeout(total=silence + CONNECT_TIMEOUT, connect=CONNECT_TIMEOUT)
    return aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT, sock_read=silence)


def _whole(response: aiohttp.ClientResponse, call: Call[Any]) -> Awaitable[bytes]:
    length = response.content_length
    # The length of what was compressed says nothing about how much it becomes.
    if length is None or length > LARGEST_ANSWER or CONTENT_ENCODING in response.headers:
        return _bounded(response, call)
    # Which closes the connection itself, should it fail.
    return response.read()


async def _bounded(response: aiohttp.ClientResponse, call: Call[Any]) -> bytes:
    received = bytearray()
    async with response:
        async for chunk in response.content.iter_any():
            received += chunk
            if len(received) > LARGEST_ANSWER:
                response.close()
                raise _too_large(response, call)
    return bytes(received)


def _too_large(response: aiohttp.ClientResponse, call: Call[Any]) -> DecodeError:
    text = f"{call.name} answered with more than {LARGEST_ANSWER >> 20} MiB, and no documented answer is that large"
    return DecodeError(f"{text}. {call.consequence(refused=False)}.", call=call.name, http_status=response.status)


def _never_connected(error: BaseException) -> bool:
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def _unreachable(call: Call[Any], error: BaseException, *, sent: bool) -> Unreachable:
    fate = "it may have arrived" if sent else "it never left this machine"
    text = f"no answer to {call.name} ({_reason(error)}); {fate}. {call.consequence(refused=not sent)}."
    return Unreachable(text, sent=sent, call=call.name)


def _reason(error: BaseException) -> str:
    # Only the class and the operating system's words: a message of aiohttp's may hold the whole URL.
    fault = getattr(error, "os_error", error)
    number = getattr(fault, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    # A name that does not resolve has a number below zero, and words of its own.
    words = getattr(fault, "strerror", None)
    return words or ("timed out" if isinstance(error, TimeoutError) else type(error).__name__)


@attrs.define(eq=False)
class AiohttpFiles:
    """Opens files on any host, in a session of its own, so that no service's credential can travel along."""

    _sessions: Sessions = attrs.field(factory=Sessions)
    _clock: Clock = SYSTEM_CLOCK

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[FileAnswer]:
        """GET *url*, following redirects to http and https only; raises `Unreachable`, also while reading.

        Raises ValueError where *url*, or what it redirects to, is no address at all.
        """
        response = await self._final(await self._sessions.current(), URL(url, encoded=True), headers)
        async with response:
            yield FileAnswer(response.status, response.headers, _chunks(response, self._clock))

    async def _final(self, session: ClientSession, url: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        for _ in range(MOST_REDIRECTS + 1):
            _web_only(url)
            response = await self._get(session, url, headers)
            if response.status not in {301, 302, 303, 307, 308} or "Location" not in response.headers:
                return response
            response.release()
            url = _target(url, response.headers["Location"])
        raise Unreachable(f"the file host {url.host} redirected more than {MOST_REDIRECTS} times", call="GET file")

    async def _get(self, session: ClientSession, url: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        try:
            with self._clock.busy():
                return await session.get(
                    url,
                    headers={"Accept-Encoding": "identity", **headers},
                    allow_redirects=False,
                    raise_for_status=False,
                    # An encoding that nobody asked for may unfold one packet into a gigabyte.
                    auto_decompress=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT, sock_read=60),
                )
        except _NOBODY as error:
            raise _broken_off(url, error) from None

    async def aclose(self) -> None:
        await self._sessions.aclose()


async def _chunks(response: aiohttp.ClientResponse, clock: Clock) -> AsyncIterator[bytes]:
    while True:
        # Only the reading is watched: an OSError of the caller's own, such as a full disk, is not the host's.
        try:
            with clock.busy():
                chunk = await response.content.readany()
        except _NOBODY as error:
            raise _broken_off(response.url, error) from None
        if not chunk:
            return
        yield chunk


def _broken_off(url: URL, error: BaseException) -> Unreachable:
    return Unreachable(f"the file host {url.host} did not answer whole ({_reason(error)})", call="GET file")


def _target(url: URL, location: str) -> URL:
    # As it is, because quoting it anew would break a signature.
    return url.join(URL(location, encoded=location.isascii()))


def _web_only(url: URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"a file link leads to {url.scheme or 'nowhere'}:, only http and https are followed")
