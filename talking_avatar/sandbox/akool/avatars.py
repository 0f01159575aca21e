"""Avatars (004): Akool's own, which are the drawn cast, and those a user uploads."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Literal

import attrs
from aiohttp import web

from talking_avatar.sandbox.addresses import is_url
from talking_avatar.sandbox.akool.gate import Refusal, count, fresh_id, present, read_body, success, text
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.cast import pose_picture
from talking_avatar.sandbox.engine import Stage
from talking_avatar.sandbox.ledger import Job

__all__ = ["FAMILY", "Avatars"]

FAMILY = "akool.avatars"
UID = 100002
OFFICIAL, OWN = 2, 3

# "avatar unique ID, can only contain /^a-zA-Z0-9/" (004); ids in the lists do not keep to it.
_CHOSEN_ID = re.compile(r"[A-Za-z0-9]+")


@attrs.define(eq=False)
class Avatars:
    """``v3/avatar/list``, ``create`` and ``detail``."""

    backstage: Backstage
    _uploads: dict[str, Job] = attrs.field(factory=dict, init=False, repr=False)

    async def list_avatars(self, request: web.Request) -> web.Response:
        origin, kind = count(request, "from", 0), count(request, "type", 0)
        page, size = count(request, "page", 1), count(request, "size", 100)
        if page < 1 or size < 1 or origin not in {0, OFFICIAL, OWN} or kind not in {0, 1, 2}:
            raise Refusal("Parameter error")
        everything = [*await self._official(request), *self._own()]
        found = [row for row in everything if origin in (0, row["from"]) and kind in (0, row["type"])]
        # No total is sent: a page that is short, or empty, is the last.
        rows = found[(page - 1) * size : page * size]
        return success(rows if self.backstage.documented else {"result": rows})

    async def upload(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        if not is_url(body.get("url")):
            raise Refusal("Parameter error: url")
        avatar_id = text(body, "avatar_id")
        if not _CHOSEN_ID.fullmatch(avatar_id):
            raise Refusal("Parameter error: avatar_id can only contain a-zA-Z0-9")
        if str(body.get("type") or 1) not in {"1", "2"}:
            raise Refusal("Parameter error: type")
        if avatar_id in self._uploads:
            raise Refusal("Resource already exists", code=1222)
        job = self._accept(request, body)
        self._uploads[avatar_id] = job
        return self._answer(self._row(job))

    async def detail(self, request: web.Request) -> web.Response:
        # The PHP sample asks for ``detail?66a1…`` without a name (004).
        record_id = request.query.get("id") or request.query_string.partition("=")[0]
        job = self.backstage.ledger.find(record_id, FAMILY)
        if job is not None:
            return self._answer(self._row(job))
        official = next((row for row in await self._official(request) if row["_id"] == record_id), None)
        if official is None:
            raise Refusal("The resource does not exist", code=1014)
        return self._answer(official)

    async def find(self, avatar_id: str) -> str | Job | None:
        """The pose behind one of Akool's own ids, or the upload behind a user's."""
        if avatar_id in self._uploads:
            return self._uploads[avatar_id]
        known = await self.backstage.cast.pose(avatar_id)
        return None if known is None else known[1].pose_id

    def _accept(self, request: web.Request, body: dict[str, Any]) -> Job:
        async def order() -> dict[str, bytes]:
            await self.backstage.inputs.photo(body["url"], minimum=1)
            return {}

        record_id = fresh_id(self.backstage.clock.time())
        return self.backstage.accept(request, record_id, family=FAMILY, body=body, order=order)

    def _answer(self, row: dict[str, Any]) -> web.Response:
        # An array in the documents, an object in the vendor's own clients.
        return success([row] if self.backstage.documented else row)

    def _own(self) -> Iterator[dict[str, Any]]:
        rows = map(self._row, self._uploads.values())
        return (row for row in rows if row["status"] == Stage.FINISHED.value)

    def _row(self, job: Job) -> dict[str, Any]:
        url = job.request["url"]
        return {
            "_id": job.id,
            "disabled": False,
            "uid": UID,
            "type": int(job.request.get("type") or 1),
            "from": OWN,
            "status": job.look(self.backstage.clock.time()).stage.value,
            "create_time": int(job.plan.created * 1000),
            "name": job.request["name"] if present(job.request, "name") else job.request["avatar_id"],
            "avatar_id": job.request["avatar_id"],
            "url": url,
            "modify_url": url,
            "gender": "female",
            "thumbnailUrl": url,
            "crop_arr": [],
        }

    async def _official(self, request: web.Request) -> list[dict[str, Any]]:
        expires = self.backstage.clock.time() + self.backstage.akool_lifetime
        rows = []
        for presenter in await self.backstage.cast.presenters():
            for pose in presenter.poses:
                url = self.backstage.link(request, pose_picture(pose.pose_id), expires=expires)
                rows.append(_official_row(pose.pose_id, pose.name, presenter.gender, url))
        # A streaming avatar goes by the id of a talking one: the real list repeats ids as well.
        return [*rows, *({**row, "type": 2} for row in rows[:1])]


def _official_row(pose_id: str, name: str, gender: Literal["male", "female"], url: str) -> dict[str, Any]:
    return {
        "_id": hashlib.sha256(pose_id.encode()).hexdigest()[:24],
        "uid": 1,
        "type": 1,
        "from": OFFICIAL,
        "status": Stage.FINISHED.value,
        "name": name,
        "avatar_id": pose_id,
        "url": url,
        "gender": gender,
        "thumbnailUrl": url,
    }
