"""Akool's webhook message: sealed, signed, and posted until somebody says 200."""

import asyncio
import base64
import hashlib
import json
import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from aiohttp import ClientError

from talking_avatar.backoff import Backoff
from talking_avatar.clock import Clock
from talking_avatar.sandbox.credentials import Credentials
from talking_avatar.sandbox.fetch import Fetcher

__all__ = ["Delivery", "Postman", "encrypt", "seal", "sign"]

_BLOCK_BYTES = 16


def encrypt(plain: bytes, *, client_id: str, client_secret: str) -> str:
    """AES-CBC with PKCS#7 under the whole secret, of 16, 24 or 32 bytes; the IV opens the client id."""
    if len(client_secret.encode()) not in {16, 24, 32}:
        raise ValueError("a webhook's key is the whole API key, which must have 16, 24 or 32 bytes")
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415 - as above

    padder = PKCS7(_BLOCK_BYTES * 8).padder()
    padded = padder.update(plain) + padder.finalize()
    start = modes.CBC(client_id.encode()[:_BLOCK_BYTES])
    cipher = Cipher(algorithms.AES(client_secret.encode()), start).encryptor()
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()


def sign(client_id: str, timestamp: int, nonce: str, sealed: str) -> str:
    """SHA-1 over the four values as strings, sorted and joined."""
    joined = "".join(sorted((client_id, str(timestamp), nonce, sealed)))
    return hashlib.sha1(joined.encode()).hexdigest()  # noqa: S324 - the service's own choice


def seal(
    message: Mapping[str, Any], *, client_id: str, client_secret: str, timestamp: int, nonce: str
) -> dict[str, Any]:
    """The body that is posted."""
    plain = json.dumps(message, separators=(",", ":")).encode()
    sealed = encrypt(plain, client_id=client_id, client_secret=client_secret)
    signature = sign(client_id, timestamp, nonce, sealed)
    return {"signature": signature, "dataEncrypt": sealed, "timestamp": timestamp, "nonce": nonce}


@attrs.frozen(kw_only=True)
class Delivery:
    """One attempt to post a message; *status* is the HTTP status, or None with an *error*."""

    url: str = attrs.field(repr=False)
    message: Mapping[str, Any]
    attempt: int
    status: int | None = None
    error: str | None = None


@attrs.define(kw_only=True, eq=False)
class Postman:
    """Posts messages, each *copies* times over, and again until the answer is 200 or *attempts* are spent."""

    clock: Clock
    credentials: Credentials
    fetcher: Fetcher
    rng: random.Random
    attempts: int = 5
    copies: int = 1
    backoff: Backoff = attrs.field(factory=lambda: Backoff(initial=1.0, maximum=60.0, jitter=0.5))
    deliveries: deque[Delivery] = attrs.field(factory=lambda: deque(maxlen=10_000), init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set, init=False, repr=False)

    def post(self, url: str, message: Callable[[], Mapping[str, Any]], *, delay: float = 0.0) -> None:
        """Post what *message* says after *delay* seconds, in the background."""
        task = asyncio.get_running_loop().create_task(self._post_copies(url, message, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is still to be posted."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _post_copies(self, url: str, message: Callable[[], Mapping[str, Any]], delay: float) -> None:
        if delay > 0:
            await self.clock.sleep(delay)
        for _ in range(self.copies):
            await self._insist(url, message())

    async def _insist(self, url: str, message: Mapping[str, Any]) -> None:
        for attempt in range(self.attempts):
            delivery = await self._deliver(url, message, attempt + 1)
            self.deliveries.append(delivery)
            if delivery.status == 200 or attempt + 1 == self.attempts:
                return
            await self.clock.sleep(self.backoff.wait(attempt, self.rng))

    async def _deliver(self, url: str, message: Mapping[str, Any], attempt: int) -> Delivery:
        try:
            status = await self._send(url, self._sealed(message))
        except (ClientError, OSError, ValueError, ImportError) as error:
            return Delivery(url=url, message=message, attempt=attempt, error=f"{type(error).__name__}: {error}")
        return Delivery(url=url, message=message, attempt=attempt, status=status)

    def _sealed(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return seal(
            message,
            client_id=self.credentials.client_id,
            client_secret=self.credentials.api_key,
            timestamp=int(self.clock.time() * 1000),
            nonce=str(secrets.randbelow(10_000)),
        )

    async def _send(self, url: str, body: Mapping[str, Any]) -> int:
        with self.clock.busy():
            async with self.fetcher.session().post(url, json=body, allow_redirects=False) as response:
                return response.status
