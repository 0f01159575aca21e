"""Submissions without a journal: a key holds as long as its watcher."""

from collections.abc import Hashable
from typing import Any

from talking_avatar.errors import SubmissionUnknown
from talking_avatar.watch.desk import Desk
from talking_avatar.watch.family import Family
from talking_avatar.watch.job import Job
from talking_avatar.watch.scheduler import Scheduler
from talking_avatar.watch.sharing import Sharing, conflict
from talking_avatar.watch.submission import UNNOTED, submit_once

__all__ = ["Unjournaled"]


class Unjournaled:
    """Remembers what each key stands for, in memory."""

    def __init__(self, scheduler: Scheduler, desk: Desk) -> None:
        self._scheduler = scheduler
        self._desk = desk
        self._sharing = Sharing()
        self._kept: dict[Hashable, tuple[Any, Job[Any] | SubmissionUnknown]] = {}

    async def submit(self, family: Family, request: Any, *, key: str | None, lasts: float) -> Job[Any]:
        """The job of *request*: a new one, or the one that *key* stands for."""
        if key is None:
            return await self._sharing.join(object(), request, lambda: self._sent(family, request, None, lasts))
        name = (family.product.service, family.product.account, key)
        asked = (family.product.family, request)
        if name in self._kept:
            return self._known(name, asked)
        return await self._sharing.join(name, asked, lambda: self._kept_as(name, asked, family, key, lasts))

    async def aclose(self) -> None:
        """Send nothing more, and see what has left accepted."""
        await self._sharing.aclose()

    def decided(self, lost: SubmissionUnknown, job: Job[Any] | None) -> None:
        """What a lost create turned out to be; without a *job* its key is free again."""
        for name, (asked, kept) in tuple(self._kept.items()):
            if kept is lost and job is not None:
                self._kept[name] = asked, job
            elif kept is lost:
                del self._kept[name]

    def _known(self, name: Hashable, asked: Any) -> Job[Any]:
        known, outcome = self._kept[name]
        if known != asked:
            raise conflict(name)
        if isinstance(outcome, SubmissionUnknown):
            raise outcome
        return outcome

    async def _kept_as(self, name: Hashable, asked: Any, family: Family, key: str, lasts: float) -> Job[Any]:
        try:
            outcome: Job[Any] | SubmissionUnknown = await self._sent(family, asked[1], key, lasts)
        except SubmissionUnknown as error:
            # A refusal cost nothing and leaves the key free; a lost create keeps it.
            error.key, outcome = key, error
        self._kept[name] = asked, outcome
        return self._known(name, asked)

    async def _sent(self, family: Family, request: Any, key: str | None, lasts: float) -> Job[Any]:
        called = getattr(request, "webhook_url", None) is not None
        family.creating += 1
        try:
            return await submit_once(
                family,
                request,
                self._scheduler,
                notes=UNNOTED,
                watch=lambda answer: self._desk.accepted(family, answer, None, request, lasts, key, called=called),
                give_up_at=self._scheduler.clock.monotonic() + lasts,
            )
        finally:
            family.creating -= 1
