"""What all fakes share: renders that end as planned, one limit, one outage, and a log of every request."""

import math
import random
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RENDER_SECONDS = (30.0, 57.0)
WINDOW = 60.0
# Without a limit a service still says how many requests it allows.
UNLIMITED = 100_000
# Renders end between 30 and 57 s, so most of them are awaited or end while nothing answers.
OUTAGE_FROM, OUTAGE_SECONDS = 38.0, 8.0


class Service:
    """The renders of one fake; times are of the monotonic clock, which all processes share."""

    def __init__(self, *, seed: int, limit: int, outage: bool, tells: bool) -> None:
        self._rng = random.Random(seed)
        self._limit = limit or UNLIMITED
        self._outage = outage
        self._tells = tells
        self._opened, self._taken = -math.inf, 0
        self.begun: float | None = None
        self.ends: dict[str, float] = {}
        self.log: list[tuple[float, str, bool]] = []
        self.url = ""
        self.states_limit = True

    def accept(self) -> str:
        """A new render; the nth one takes the same time at every service."""
        job_id = f"00000000-0000-4000-8000-{len(self.ends):012}"
        now = time.monotonic()
        self.ends[job_id] = now + self._rng.uniform(*RENDER_SECONDS)
        self.begun = self.begun or now
        return job_id

    def finished(self, job_id: str) -> bool:
        return time.monotonic() >= self.ends[job_id]

    def ledger(self) -> dict[str, object]:
        return {"ends": self.ends, "log": self.log}

    def middleware(self, too_many: tuple[int, dict[str, object]]) -> Callable[..., Awaitable[web.StreamResponse]]:
        """Counts, limits and fails requests before the protocol's own routes see them."""
        status, body = too_many

        @web.middleware
        async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path == "/ledger":
                return web.json_response(self.ledger())
            arrived = time.monotonic()
            allowed = self._take(arrived)
            self.log.append((arrived, request.method, allowed))
            answer = (
                await self._answer(request, handler, arrived) if allowed else web.json_response(body, status=status)
            )
            if self.states_limit:
                self._state_limit(answer, arrived, allowed=allowed)
            return answer

        return door

    def _take(self, now: float) -> bool:
        # A window opens with its first request, and what is refused does not count, as at Surreal's sandbox.
        if not 0 <= now - self._opened < WINDOW:
            self._opened, self._taken = now, 0
        allowed = self._taken < self._limit
        self._taken += allowed
        return allowed

    async def _answer(self, request: web.Request, handler: Handler, now: float) -> web.StreamResponse:
        if request.method == "GET" and self._is_down(now):
            return web.json_response({"error": "internal"}, status=500)
        return await handler(request)

    def _state_limit(self, answer: web.StreamResponse, now: float, *, allowed: bool) -> None:
        resets_in = self._opened + WINDOW - now
        # Surreal's three headers.
        answer.headers["X-Ratelimit-Total"] = str(self._limit)
        answer.headers["X-Ratelimit-Left"] = str(self._limit - self._taken)
        answer.headers["X-Ratelimit-Reset"] = str(math.ceil(time.time() + resets_in))
        if self._tells and not allowed:
            answer.headers["Retry-After"] = str(math.ceil(resets_in))

    def _is_down(self, now: float) -> bool:
        since = now - (self.begun or now) - OUTAGE_FROM
        return self._outage and 0 <= since < OUTAGE_SECONDS
