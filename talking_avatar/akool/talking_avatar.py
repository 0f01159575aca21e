"""Talking avatar videos (004)."""

from functools import partial
from typing import Any

import attrs

from talking_avatar.akool import vocabulary
from talking_avatar.models.product import Product
from talking_avatar.models.requests import Element, TalkingAvatar
from talking_avatar.models.results import Video
from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel

__all__ = ["TalkingAvatars"]


class TalkingAvatars:
    """The ``talkingavatar`` endpoints; Akool can neither list nor delete these videos, so keep the id."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._account = channel.account

    async def generate_video(self, request: TalkingAvatar) -> Video:
        """Start a render, paid in credits once it is accepted; `Video.id` is the ``_id`` that every later call takes.

        Raises `QuotaError` when the credits do not suffice, and `Unreachable` with *sent* True when nobody knows
        whether it was accepted: a watcher's `submit` settles that.
        """
        return await self._channel.send(self._generate(request))

    async def get_video(self, video_id: str) -> Video:
        """One video as it stands, by its ``_id``; its links are good for 7 days."""
        return await self._channel.send(self._get(video_id))

    @property
    def product(self) -> Product[TalkingAvatar, Video]:
        """What a watcher needs to know of this family."""
        return Product(
            service="akool",
            family="talking_avatar",
            account=self._account,
            request_type=TalkingAvatar,
            result_type=Video,
            create=lambda request: self._channel.once(self._generate(request)),
            read=lambda video_id: self._channel.once(self._get(video_id)),
            gate=self._channel.gate,
        )

    def _generate(self, request: TalkingAvatar) -> Call[Video]:
        return Call(
            method="POST",
            path="/api/open/v3/talkingavatar/create",
            body=body(request),
            idempotent=False,
            parse=partial(vocabulary.created_video, account=self._account),
        )

    def _get(self, video_id: str) -> Call[Video]:
        return Call(
            method="GET",
            path="/api/open/v3/content/video/infobymodelid",
            query={"video_model_id": video_id},
            parse=partial(vocabulary.video, account=self._account),
        )


def body(request: TalkingAvatar) -> dict[str, Any]:
    """What is sent for *request*; keys that were left out are not sent as null."""
    sent: dict[str, Any] = {
        "width": request.width,
        "height": request.height,
        "avatar_from": request.derived_avatar_from,
        "elements": [_element(element) for element in request.elements],
    }
    return {**sent, "webhookUrl": request.webhook_url} if request.webhook_url else sent


def _element(element: Element) -> dict[str, Any]:
    given = attrs.asdict(element, filter=lambda _field, value: value is not None)
    return {"type": element.type, **given}
