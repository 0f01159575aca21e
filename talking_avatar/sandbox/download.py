"""A file as an answer, with ranges."""

from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

__all__ = ["Download"]


class Download(web.FileResponse):
    """A file response that knows If-Range with an entity tag as well; aiohttp knows only the one with a date."""

    def __init__(self, file: Path, *, content_type: str) -> None:
        # An uploaded page must not run as one of ours.
        headers = {hdrs.CONTENT_TYPE: content_type, "X-Content-Type-Options": "nosniff"}
        super().__init__(file, headers=headers)
        self.file = file

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        condition = request.headers.get(hdrs.IF_RANGE, "")
        if condition.endswith('"') and condition.strip('"') != self._tag():
            # The caller holds the beginning of another file: it gets all of this one.
            headers = request.headers.copy()
            headers.popall(hdrs.RANGE, None)
            request = request.clone(headers=headers)
        return await super().prepare(request)

    def _tag(self) -> str:
        found = self.file.stat()
        return f"{found.st_mtime_ns:x}-{found.st_size:x}"
