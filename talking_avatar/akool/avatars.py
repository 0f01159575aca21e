"""Avatars: Akool's own and uploaded ones (004)."""

from functools import partial
from typing import Any

from talking_avatar.akool import vocabulary
from talking_avatar.akool.pages import PAGE_SIZE, every_page
from talking_avatar.models.product import Product
from talking_avatar.models.requests import AvatarUpload
from talking_avatar.models.results import Avatar
from talking_avatar.transport.call import Call
from talking_avatar.wire.channel import Channel
from talking_avatar.wire.shapes import every

__all__ = ["Avatars"]


class Avatars:
    """The ``avatar`` endpoints."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def list_avatars(self, *, origin: int | None = None, kind: int | None = None) -> list[Avatar]:
        """Every page of the avatars; *origin* 2 is Akool's, 3 yours; *kind* 1 talking, 2 streaming."""
        chosen = {name: str(value) for name, value in (("from", origin), ("type", kind)) if value is not None}

        async def page(number: int) -> list[Avatar]:
            query = {**chosen, "page": str(number), "size": str(PAGE_SIZE)}
            parse = partial(every, vocabulary.avatar)
            return await self._channel.send(
                Call(method="GET", path="/api/open/v3/avatar/list", query=query, parse=parse)
            )

        return await every_page(page)

    async def get_avatar(self, avatar_id: str) -> Avatar:
        """One avatar by its record id (`Avatar.id`), with its status."""
        return await self._channel.send(self._get(avatar_id))

    async def upload_avatar(self, request: AvatarUpload) -> Avatar:
        """Start making an avatar of a picture or video; usable when its status is FINISHED, which a watcher awaits."""
        return await self._channel.send(self._upload(request))

    @property
    def product(self) -> Product[AvatarUpload, Avatar]:
        """What a watcher needs to know of uploads."""
        return Product(
            service="akool",
            family="avatars",
            account=self._channel.account,
            request_type=AvatarUpload,
            result_type=Avatar,
            create=lambda request: self._channel.once(self._upload(request)),
            read=lambda avatar_id: self._channel.once(self._get(avatar_id)),
            gate=self._channel.gate,
        )

    def _get(self, avatar_id: str) -> Call[Avatar]:
        return Call(method="GET", path="/api/open/v3/avatar/detail", query={"id": avatar_id}, parse=vocabulary.avatar)

    def _upload(self, request: AvatarUpload) -> Call[Avatar]:
        body: dict[str, Any] = {"url": request.url, "avatar_id": request.avatar_id, "type": request.type}
        return Call(
            method="POST",
            path="/api/open/v3/avatar/create",
            body={**body, "name": request.name} if request.name else body,
            idempotent=False,
            parse=vocabulary.uploaded_avatar,
        )
