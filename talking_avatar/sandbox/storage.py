"""Files the sandbox serves: a temporary folder, and addresses that are signed and expire."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import math
import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import attrs

__all__ = ["Judgement", "Shelf"]

Judgement = Literal["ok", "expired", "forged"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@attrs.define(eq=False)
class Shelf:
    """A folder of its own that `close` removes with everything in it."""

    folder: Path = attrs.field(factory=lambda: Path(tempfile.mkdtemp(prefix="talking-avatar-sandbox-")))
    _secret: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), repr=False, kw_only=True)

    def path(self, name: str) -> Path:
        """Where *name* lies or would lie; a name never leaves the folder."""
        safe = _UNSAFE.sub("_", name).lstrip(".")
        return self.folder / (safe or "_")

    async def put(self, name: str, content: bytes) -> Path:
        """Write *content* so that a reader sees all of it or nothing."""
        return await asyncio.to_thread(self._write, self.path(name), content)

    @staticmethod
    def _write(path: Path, content: bytes) -> Path:
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        unfinished.write_bytes(content)
        return unfinished.replace(path)

    def signed(self, name: str, *, expires: float) -> str:
        """Path and query under which *name* may be fetched until *expires*, in seconds since the epoch."""
        until = math.ceil(expires)
        return f"/files/{name}?Expires={until}&Signature={self._signature(name, until)}"

    def judge(self, name: str, expires: str, signature: str, *, now: float) -> Judgement:
        """What to make of the query of a signed address."""
        if not expires.isascii() or not expires.isdecimal() or len(expires) > 15:
            return "forged"
        if not hmac.compare_digest(self._signature(name, int(expires)).encode(), signature.encode()):
            return "forged"
        return "ok" if now < int(expires) else "expired"

    def _signature(self, name: str, until: int) -> str:
        digest = hmac.digest(self._secret, f"{name}\n{until}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    async def close(self) -> None:
        """Remove the folder."""
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self.folder)
