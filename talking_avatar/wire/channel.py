"""One account at one service: a call goes in, a value or an error comes out."""

import random
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import attrs

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.errors import AuthError, DecodeError
from talking_avatar.transport.budget import Purpose
from talking_avatar.transport.call import Answer, Call, Port
from talking_avatar.transport.gate import Gate
from talking_avatar.transport.hints import read_hint
from talking_avatar.transport.retry import Retry
from talking_avatar.wire.envelope import Dialect, open_envelope

__all__ = ["Channel", "Credential"]

T = TypeVar("T")


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
        purpose = Purpose.READ if call.idempotent else Purpose.CREATE

        async def attempt() -> T:
            async with self.gate.passing(purpose):
                return await self.once(call)

        return await self.retry.run(attempt, idempotent=call.idempotent, clock=self.clock, rng=self._rng)

    async def once(self, call: Call[T]) -> T:
        """Send *call* now and once, whatever the budget says."""
        headers = await self.credential.headers()
        try:
            return self._read(await self.port.exchange(call, headers), call)
        except AuthError as error:
            # The refusal says that nothing was started, so even a create may go again with a fresh token.
            if not error.token_expired or not await self.credential.renew(headers):
                raise
        return self._read(await self.port.exchange(call, await self.credential.headers()), call)

    def _read(self, answer: Answer, call: Call[T]) -> T:
        hint = read_hint(answer.headers, self.clock.time())
        self.gate.observe(hint)
        payload = open_envelope(answer, call, self.dialect, retry_after=hint.retry_after or hint.reset_in)
        try:
            return call.parse(payload)
        except DecodeError as error:
            raise self._placed(error, answer, call) from None

    def _placed(self, error: DecodeError, answer: Answer, call: Call[Any]) -> DecodeError:
        error.args = (f"{self.service} answered {call.name} with something else than documented: {error}",)
        error.service, error.call, error.http_status = self.service, call.name, answer.status
        error.body = answer.body[:2_000].decode("utf-8", "replace")
        return error
