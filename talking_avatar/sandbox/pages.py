"""What a person or a health check sees at the sandbox's own addresses."""

import html

import attrs
from aiohttp import web

from talking_avatar.sandbox.backstage import Backstage, origin_of

__all__ = ["Pages"]

_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>talking_avatar sandbox</title></head>
<body>
<h1>talking_avatar sandbox</h1>
<p>A stand-in for Surreal Engine and Akool on this machine. Nothing here reaches either service.</p>
<ul>
<li>Surreal Engine: <code>{origin}/v1/…</code></li>
<li>Akool: <code>{origin}/api/open/…</code></li>
<li>A photo and a recording to begin with: <a href="/samples/portrait.jpg">/samples/portrait.jpg</a>,
<a href="/samples/speech.wav">/samples/speech.wav</a></li>
<li>Files of your own: <code>curl --data-binary @photo.jpg {origin}/uploads?name=photo.jpg</code></li>
</ul>
<p>{jobs} jobs so far.</p>
</body></html>
"""


@attrs.define(eq=False)
class Pages:
    """``/`` and ``/health``."""

    backstage: Backstage

    def routes(self) -> list[web.RouteDef]:
        """The addresses and who answers them."""
        return [web.get("/", self.index), web.get("/health", self.health)]

    async def index(self, request: web.Request) -> web.Response:
        page = _INDEX.format(origin=html.escape(origin_of(request)), jobs=len(self.backstage.ledger.jobs))
        return web.Response(text=page, content_type="text/html")

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "jobs": len(self.backstage.ledger.jobs)})
