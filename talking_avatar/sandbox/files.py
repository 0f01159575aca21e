"""Serving files: results under signed addresses, the two samples, and what a user uploads."""

import asyncio
import re
import secrets
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import attrs
from aiohttp import BodyPartReader, StreamReader, hdrs, web

from talking_avatar.sandbox.backstage import Backstage, origin_of
from talking_avatar.sandbox.cast import SAMPLE_PORTRAIT, SAMPLE_SPEECH
from talking_avatar.sandbox.download import Download
from talking_avatar.sandbox.engine import Stage
from talking_avatar.sandbox.rendering.samples import instant_mask_mp4, instant_mp4

__all__ = ["UPLOAD_BYTES", "Files"]

UPLOAD_BYTES = 64 * 2**20

_JOB_FILE = re.compile(r"(?P<id>[0-9a-f]{24,32})(?P<ending>\.mp4|-mask\.mp4|\.wav)")
_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".png": "image/png", ".wav": "audio/wav"}
_ENDINGS = {"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav"} | {
    kind: ending for ending, kind in _TYPES.items()
}
_OSS_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>\n'


def _error(status: int, code: str, message: str) -> web.Response:
    # The words of the object store whose addresses the samples show (000).
    body = _OSS_ERROR.format(code=code, message=message)
    return web.Response(status=status, text=body, content_type="application/xml")


@attrs.define(eq=False)
class Files:
    """``/files``, ``/samples`` and ``/uploads``."""

    backstage: Backstage
    _standing_in: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False, repr=False)

    def routes(self) -> list[web.RouteDef]:
        """The addresses and who answers them."""
        return [
            web.get("/files/{name}", self.download),
            web.get("/samples/{name}", self.sample),
            web.post("/uploads", self.upload),
            web.get("/uploads/{name}", self.uploaded),
        ]

    async def download(self, request: web.Request) -> web.StreamResponse:
        name, query = request.match_info["name"], request.query
        now = self.backstage.clock.time()
        signed = self.backstage.shelf.judge(name, query.get("Expires", ""), query.get("Signature", ""), now=now)
        if signed == "expired":
            return _error(403, "AccessDenied", "Request has expired.")
        if signed == "forged":
            return _error(403, "SignatureDoesNotMatch", "The request signature does not match.")
        return self._send(await self._find(name))

    async def sample(self, request: web.Request) -> web.StreamResponse:
        name = f"sample-{request.match_info['name']}"
        known = name in {SAMPLE_PORTRAIT, SAMPLE_SPEECH} and await self.backstage.cast.preview(name)
        return self._send(self.backstage.shelf.path(name) if known else None)

    async def uploaded(self, request: web.Request) -> web.StreamResponse:
        path = self.backstage.shelf.path(f"upload-{request.match_info['name']}")
        return self._send(path if path.exists() else None)

    async def upload(self, request: web.Request) -> web.Response:
        source, named, kind = await _payload(request)
        if source is None:
            return web.json_response({"error": "the form holds no file"}, status=400)
        name = f"{secrets.token_urlsafe(12)}{_ending(named, kind)}"
        path = self.backstage.shelf.path(f"upload-{name}")
        with await asyncio.to_thread(path.open, "wb") as file:
            size = await _copy(source, file)
        if not 0 < size <= UPLOAD_BYTES:
            path.unlink()
            reason = "the file is empty" if size == 0 else f"the file is larger than {UPLOAD_BYTES} bytes"
            return web.json_response({"error": reason}, status=400 if size == 0 else 413)
        return web.json_response({"url": f"{origin_of(request)}/uploads/{name}", "bytes": size})

    async def _find(self, name: str) -> Path | None:
        shelf = self.backstage.shelf
        if shelf.path(name).exists():
            return shelf.path(name)
        if (match := _JOB_FILE.fullmatch(name)) is not None:
            return await self._stand_in(match["id"], match["ending"])
        return shelf.path(name) if await self.backstage.cast.preview(name) else None

    async def _stand_in(self, job_id: str, ending: str) -> Path | None:
        """The shared result of jobs that nobody renders, once such a job is finished."""
        job = self.backstage.ledger.jobs.get(job_id)
        if job is None or job.work is not None:
            return None
        if job.look(self.backstage.clock.time()).stage is not Stage.FINISHED:
            return None
        path = self.backstage.shelf.path(f"stand-in{ending}")
        async with self._standing_in:
            if not path.exists():
                await self.backstage.shelf.put(path.name, await self._stand_in_content(ending))
        return path

    async def _stand_in_content(self, ending: str) -> bytes:
        if ending == ".wav":
            await self.backstage.cast.preview(SAMPLE_SPEECH)
            return await asyncio.to_thread(self.backstage.shelf.path(SAMPLE_SPEECH).read_bytes)
        return instant_mask_mp4() if ending == "-mask.mp4" else instant_mp4()

    @staticmethod
    def _send(path: Path | None) -> web.StreamResponse:
        if path is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        kind = _TYPES.get(path.suffix, "application/octet-stream")
        return Download(path, content_type=kind)


async def _payload(request: web.Request) -> tuple[StreamReader | BodyPartReader | None, str, str]:
    """The stream that holds the file, its name and its kind; a form's first file counts."""
    if not request.content_type.startswith("multipart/"):
        return request.content, request.query.get("name", ""), request.content_type
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename:
            return part, part.filename, part.headers.get(hdrs.CONTENT_TYPE, "")
    return None, "", ""


async def _copy(source: StreamReader | BodyPartReader, file: BinaryIO) -> int:
    size = 0
    while chunk := await (source.read_chunk(2**16) if isinstance(source, BodyPartReader) else source.read(2**16)):
        size += len(chunk)
        if size > UPLOAD_BYTES:
            break
        await asyncio.to_thread(file.write, chunk)
    return size


def _ending(named: str, kind: str) -> str:
    ending = PurePosixPath(named).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,5}", ending) else _ENDINGS.get(kind, ".bin")
