"""What the account still holds."""

from typing import Any

from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel
from talking_avatar.wire.converter import decode, record
from talking_avatar.wire.shapes import one_object

__all__ = ["Account"]


@record
class BalanceRow:
    credit: float


class Account:
    """The account behind the credential."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def credits(self) -> float:
        """The balance in credits."""
        return await self._channel.send(Call(method="GET", path="/api/open/v3/faceswap/quota/info", parse=_balance))


def _balance(payload: Any) -> float:
    return decode(BalanceRow, one_object(payload)).credit
