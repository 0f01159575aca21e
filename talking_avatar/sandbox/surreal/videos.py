"""What the three video families have in common: get, list, and a create that ends in a job."""

import asyncio
import uuid
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.sandbox.backstage import Backstage, origin_of
from talking_avatar.sandbox.engine import Stage
from talking_avatar.sandbox.fetch import FetchFailed
from talking_avatar.sandbox.ledger import Job
from talking_avatar.sandbox.rendering.contract import BadInput
from talking_avatar.sandbox.surreal.gate import NOT_FOUND, Refusal, success
from talking_avatar.sandbox.workshop import Order

__all__ = ["AUDIO_SECONDS", "WORDS", "Videos"]

# "During the Beta release period, the limit of the input audio length is 1 minute" (000, 002, 003).
AUDIO_SECONDS = 60.0

LONG_LIST = 1_000

WORDS = {
    Stage.QUEUED: "pending",
    Stage.PROCESSING: "in_progressing",  # sic, in every document
    Stage.FINISHED: "finished",
    Stage.FAILED: "error",
}


@attrs.define(eq=False)
class Videos:
    """The videos of one *family*: cg_avatar, a2v or v2v."""

    backstage: Backstage
    family: str

    async def get_video(self, request: web.Request) -> web.Response:
        video_id = request.query.get("video_id", "")
        if not video_id:
            raise Refusal("video_id is required")
        job = self.backstage.ledger.find(video_id, f"surreal.{self.family}")
        if job is None:
            raise Refusal("Video Not Found", code=NOT_FOUND, status=404)
        return success(self._rows((job,), origin_of(request))[0])

    async def list_videos(self, request: web.Request) -> web.Response:
        jobs = tuple(self.backstage.ledger.family(f"surreal.{self.family}"))
        if len(jobs) <= LONG_LIST:
            return success(self._rows(jobs, origin_of(request)))
        # A long list takes its time, and other calls must not wait for it.
        with self.backstage.clock.busy():
            return await asyncio.to_thread(lambda: success(self._rows(jobs, origin_of(request))))

    def accept(self, request: web.Request, body: dict[str, Any], order: Order, *, masked: bool = False) -> web.Response:
        """Take on a render and answer with its id."""
        job = self.backstage.accept(
            request, uuid.uuid4().hex, family=f"surreal.{self.family}", body=body, order=order, masked=masked
        )
        return success({"video_id": job.id, "status": "pending"})

    async def recording(self, address: str) -> "bytes | Exception":
        """The recording, or what will fail the job; only its length is refused at once."""
        try:
            return await self.backstage.inputs.recording(address, limit=AUDIO_SECONDS)
        except BadInput as error:
            if error.fault == "audio_too_long":
                raise Refusal("the audio is longer than 1 minute") from error
            return error
        except FetchFailed as error:
            return error

    def _rows(self, jobs: tuple[Job, ...], origin: str) -> list[dict[str, str]]:
        now = self.backstage.clock.time()
        # Every look signs anew, so an address is as fresh as the answer it came in.
        expires = now + self.backstage.surreal_lifetime
        return [self._row(job, now, origin, expires) for job in jobs]

    def _row(self, job: Job, now: float, origin: str, expires: float) -> dict[str, str]:
        stage = job.look(now).stage
        row = {"video_id": job.id, "status": WORDS[stage]}
        if stage is Stage.FINISHED:
            signed = self.backstage.shelf.signed
            row["video_url"] = origin + signed(f"{job.id}.mp4", expires=expires)
            if job.masked:
                row["mask_video_url"] = origin + signed(f"{job.id}-mask.mp4", expires=expires)
        return row


def heard(recording: "bytes | Exception") -> bytes:
    """The recording, when the job is worked on; raises what was wrong with it."""
    if isinstance(recording, Exception):
        raise recording
    return recording


def files(rendered: Any) -> dict[str, bytes]:
    """A `Rendered` as the files of a job."""
    masks = {} if rendered.mask_mp4 is None else {"-mask.mp4": rendered.mask_mp4}
    return {".mp4": rendered.mp4, **masks}
