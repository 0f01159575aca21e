"""What both services share behind their doors."""

from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.clock import Clock
from talking_avatar.sandbox.cast import Cast
from talking_avatar.sandbox.credentials import Credentials
from talking_avatar.sandbox.engine import Planner
from talking_avatar.sandbox.exchange import FAILS
from talking_avatar.sandbox.inputs import Inputs
from talking_avatar.sandbox.ledger import Job, Ledger
from talking_avatar.sandbox.limits import FixedWindow
from talking_avatar.sandbox.storage import Shelf
from talking_avatar.sandbox.studio_pool import Crew
from talking_avatar.sandbox.webhook import Postman
from talking_avatar.sandbox.workshop import Order, Workshop

__all__ = ["Backstage", "origin_of"]


def origin_of(request: web.Request) -> str:
    """The address the caller knows the sandbox by, so that links work through a forwarded port as well."""
    return f"http://{request.host}"


@attrs.define(kw_only=True, eq=False)
class Backstage:
    """The parts of one sandbox; *surreal_lifetime* and *akool_lifetime* are how long a result's address is good."""

    clock: Clock
    credentials: Credentials
    ledger: Ledger
    planner: Planner
    shelf: Shelf
    crew: Crew
    cast: Cast
    inputs: Inputs
    workshop: Workshop
    postman: Postman
    surreal_limit: FixedWindow
    akool_limit: FixedWindow
    surreal_lifetime: float
    akool_lifetime: float
    avatar_seconds: float
    documented: bool
    credits: int
    url: str = ""

    async def close(self) -> None:
        """Stop what runs in the background and remove every file."""
        for part in (self.workshop, self.postman, self.crew, self.inputs.fetcher, self.shelf):
            await part.close()

    def link(self, request: web.Request, name: str, *, expires: float) -> str:
        """A signed address of a file."""
        return origin_of(request) + self.shelf.signed(name, expires=expires)

    def accept(
        self,
        request: web.Request,
        job_id: str,
        *,
        family: str,
        body: Mapping[str, Any],
        order: Order,
        masked: bool = False,
        facts: dict[str, Any] | None = None,
    ) -> Job:
        """Take on a job; nobody works on *order* where inputs are not fetched, it lives by its plan."""
        plan = self.planner.plan(self.clock.time(), failure=request.get(FAILS))
        job = Job(id=job_id, family=family, plan=plan, request=body, masked=masked, facts=facts or {})
        self.ledger.add(job)
        if self.inputs.fetch:
            self.workshop.accept(job, order, on_settled=self.announce)
        else:
            self.announce(job)
        return job

    def announce(self, job: Job) -> None:
        """Post the webhook of a job whose end is known, if it asked for one."""
        url = job.request.get("webhookUrl")
        if isinstance(url, str) and url:
            delay = job.settled_at - self.clock.time()
            self.postman.post(url, lambda: self.message(job), delay=delay)

    def message(self, job: Job, status: int | None = None) -> dict[str, Any]:
        """What Akool's webhook says of a job; *status* left out is the true one."""
        now = self.clock.time()
        stage = job.look(now).stage.value if status is None else status
        message: dict[str, Any] = {"_id": job.id, "status": stage, "type": job.facts.get("webhook_type", "avatar")}
        ending = job.facts.get("ending", ".mp4")
        link = self.shelf.signed(f"{job.id}{ending}", expires=now + self.akool_lifetime)
        return {**message, "url": f"{self.url}{link}" if stage == 3 else ""}
