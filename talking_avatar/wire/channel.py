"""One account at one service: a call goes in, a value or an error comes out."""

import asyncio
import random
from collections.abc import Mapping
from typing import Protocol, TypeVar

import attrs

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import ApiError, AuthError, DecodeError
from talking_avatar.transport.budget import Purpose
from talking_avatar.transport.call import Answer, Call, Port
from talking_avatar.transport.gate import Gate
from talking_avatar.transport.hints import RateHint, read_hint
from talking_avatar.transport.retry import Retry
from talking_avatar.wire.envelope import Dialect, furnish, not_as_documented, open_envelope

__all__ = ["Channel", "Credential"]

T = TypeVar("T")

# What is shorter stands in the words of any answer.
SHORTEST_SECRET = 8
# About ten thousand rows of a list: reading that many would hold up the event loop.
LARGE = 1 << 20


class Credential(Protocol):
    """What authorises a call."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to send now."""
        ...

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Replace what made up the *refused* headers; False when there is nothing to renew with."""
        ...


@attrs.define(eq=False)
class Channel:
    """Sends calls of one account, by its credential, budget and dialect."""

    service: str
    account: str
    port: Port
    dialect: Dialect
    credential: Credential = attrs.field(repr=False)
    gate: Gate
    clock: Clock = SYSTEM_CLOCK
    retry: Retry = attrs.field(factory=Retry)
    _rng: random.Random = attrs.field(factory=random.Random, repr=False)

    async def send(self, call: Call[T]) -> T:
        """Send *call* within the budget, and again where that cannot cost anything."""
        return await self.retry.run(
            lambda: self._within_budget(call), idempotent=call.idempotent, clock=self.clock, rng=self._rng
        )

    async def _within_budget(self, call: Call[T]) -> T:
        async with self.gate.passing(Purpose.READ if call.idempotent else Purpose.CREATE):
            return await self.once(call)

    async def once(self, call: Call[T]) -> T:
        """Send *call* now and once, whatever the budget says."""
        headers = await self.credential.headers()
        try:
            return await self._exchange(call, headers)
        except AuthError as error:
            # The refusal says that nothing was started, so even a create may go again with a fresh token.
            if not error.token_expired or not await self.credential.renew(headers):
                raise
        return await self._exchange(call, await self.credential.headers())

    async def _exchange(self, call: Call[T], headers: Mapping[str, str]) -> T:
        answer = await self.port.exchange(call, headers)
        hint = read_hint(answer.headers, self.clock.time())
        self.gate.observe(hint)
        if len(answer.body) < LARGE:
            return self._read(answer, call, hint, headers)
        with self.clock.busy():
            return await asyncio.to_thread(self._read, answer, call, hint, headers)

    def _read(self, answer: Answer, call: Call[T], hint: RateHint, headers: Mapping[str, str]) -> T:
        try:
            return self._understood(answer, call, hint)
        except ApiError:
            masked = _masked(answer.body, headers)
            if masked == answer.body:
                raise
        return self._understood(attrs.evolve(answer, body=masked), call, hint)

    def _understood(self, answer: Answer, call: Call[T], hint: RateHint) -> T:
        payload = open_envelope(answer, call, self.dialect, hint=hint)
        try:
            return call.parse(payload)
        except DecodeError as error:
            error.args = (not_as_documented(call, self.service, str(error)),)
            furnish(error, answer, call, self.service)
            raise


def _masked(body: bytes, headers: Mapping[str, str]) -> bytes:
    # A service that quotes what it was sent must not carry it into an error or a log.
    for value in headers.values():
        secret = value.rpartition(" ")[2].encode()
        if len(secret) >= SHORTEST_SECRET:
            body = body.replace(secret, b"***")
    return body
