"""The account: tokens for its client id and secret, and what is left to spend."""

import attrs
from aiohttp import web

from talking_avatar.sandbox.akool.gate import Refusal, read_body, success, text
from talking_avatar.sandbox.backstage import Backstage

__all__ = ["Account"]


@attrs.define(eq=False)
class Account:
    """``v3/getToken`` and ``v3/faceswap/quota/info``."""

    backstage: Backstage

    async def get_token(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        token = self.backstage.credentials.issue(text(body, "clientId"), text(body, "clientSecret"))
        if token is None:
            raise Refusal("Illegal clientId or clientSecret", code=1101)
        # The token stands beside the code, not under data (authentication/usage).
        return web.json_response({"code": 1000, "token": token})

    async def quota(self, _request: web.Request) -> web.Response:
        return success({"credit": self.backstage.credits})
