"""Voice Lab, v4: voices, speech and clones, the last two of which are jobs."""

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from talking_avatar.sandbox.addresses import is_url
from talking_avatar.sandbox.akool.avatars import UID
from talking_avatar.sandbox.akool.gate import Refusal, count, fresh_id, present, read_body, success, text
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.cast import voice_sample
from talking_avatar.sandbox.engine import Stage
from talking_avatar.sandbox.ledger import Job
from talking_avatar.sandbox.rendering.contract import SpeechVoice, Spoken

__all__ = ["CLONES", "SPEECH", "Voices"]

SPEECH = "akool.speech"
CLONES = "akool.voices"
TEXT_CHARACTERS = 5_000
RECORDING_SECONDS = 300.0
# What a character of speech lasts, for an answer given before it was spoken.
CHARACTER_SECONDS = 0.065


def voice_id_of(voice: SpeechVoice) -> str:
    """The id of one of Akool's own voices."""
    return hashlib.sha256(f"voice {voice.name}".encode()).hexdigest()[:24]


@attrs.define(eq=False)
class Voices:
    """``v4/voice/tts``, ``resource/detail``, ``clone``, ``detail`` and ``list``."""

    backstage: Backstage
    _clones: dict[str, Job] = attrs.field(factory=dict, init=False, repr=False)

    async def list_voices(self, request: web.Request) -> web.Response:
        kind, page, size = (count(request, *each) for each in (("type", 2), ("page", 1), ("size", 10)))
        if kind not in {1, 2} or page < 1 or size < 1:
            raise Refusal("Parameter error")
        voices = await self.backstage.cast.voices() if kind == 2 else ()
        clones = self.backstage.ledger.family(CLONES) if kind == 1 else ()
        rows = [*(self._row(request, voice) for voice in voices), *(self._clone_row(clone) for clone in clones)]
        shown = rows[(page - 1) * size : page * size]
        return success({"result": shown, "count": len(rows), "page": page, "size": size})

    async def speak(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        spoken = text(body, "input_text")
        if len(spoken) > TEXT_CHARACTERS:
            raise Refusal(f"Parameter error: input_text is longer than {TEXT_CHARACTERS} characters")
        voice = await self.spoken_by(text(body, "voice_id"))
        facts: dict[str, Any] = {"ending": ".wav", "webhook_type": "voice", "seconds": len(spoken) * CHARACTER_SECONDS}

        async def order() -> dict[str, bytes]:
            answer: Spoken = await self.backstage.crew.call("speak", spoken, voice)
            facts["seconds"] = answer.seconds
            return {".wav": answer.wav}

        job_id = fresh_id(self.backstage.clock.time())
        job = self.backstage.accept(request, job_id, family=SPEECH, body=body, order=order, facts=facts)
        return success(self._speech_row(request, job))

    async def get_speech(self, request: web.Request) -> web.Response:
        job = self._found(request, SPEECH)
        # Nested once more than its siblings (Voice Lab, v4).
        return success({"result": self._speech_row(request, job)})

    async def clone(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        if not is_url(body.get("source_voice_file")):
            raise Refusal("Parameter error: source_voice_file")

        async def order() -> dict[str, bytes]:
            await self.backstage.inputs.recording(body["source_voice_file"], limit=RECORDING_SECONDS)
            return {}

        now = self.backstage.clock.time()
        facts = {"voice_id": fresh_id(now), "webhook_type": "voice"}
        job = self.backstage.accept(request, fresh_id(now), family=CLONES, body=body, order=order, facts=facts)
        self._clones[facts["voice_id"]] = job
        return success(self._clone_row(job))

    async def get_voice(self, request: web.Request) -> web.Response:
        return success(self._clone_row(self._found(request, CLONES)))

    async def spoken_by(self, voice_id: str) -> str:
        """The synthesiser's voice behind an id; a clone borrows one of them for good."""
        voices = await self.backstage.cast.voices()
        clone = self._clones.get(voice_id)
        if clone is not None:
            if clone.look(self.backstage.clock.time()).stage is not Stage.FINISHED:
                raise Refusal("The voice is processing", code=1112)
            return voices[int(voice_id, 16) % len(voices)].name
        own = next((voice for voice in voices if voice_id_of(voice) == voice_id), None)
        found = own or await self.backstage.cast.voice(voice_id)
        if found is None:
            raise Refusal("The voice does not exist", code=1014)
        return found.name

    def _found(self, request: web.Request, family: str) -> Job:
        job = self.backstage.ledger.find(request.match_info["id"], family)
        if job is None:
            raise Refusal("The resource does not exist", code=1014)
        return job

    def _row(self, request: web.Request, voice: SpeechVoice) -> dict[str, Any]:
        expires = self.backstage.clock.time() + self.backstage.akool_lifetime
        voice_id = voice_id_of(voice)
        return {
            "_id": voice_id,
            "uid": 1,
            "voice_id": voice_id,
            "name": voice.name,
            "gender": voice.gender,
            "language": voice.language,
            "locale": voice.locale,
            "tags": list(voice.tags),
            "type": 2,
            "status": Stage.FINISHED.value,
            "preview": self.backstage.link(request, voice_sample(voice.name), expires=expires),
        }

    def _speech_row(self, request: web.Request, job: Job) -> dict[str, Any]:
        row = self._job_row(job)
        finished = row["status"] == Stage.FINISHED.value
        expires = job.settled_at + self.backstage.akool_lifetime if finished else 0.0
        preview = self.backstage.link(request, f"{job.id}.wav", expires=expires) if finished else None
        duration = int(job.facts["seconds"] * 1000)
        spoken = {name: job.request[name] for name in ("input_text", "voice_id")}
        return {**row, **spoken, "preview": preview, "duration": duration}

    def _clone_row(self, job: Job) -> dict[str, Any]:
        row = self._job_row(job)
        finished = row["status"] == Stage.FINISHED.value
        name = job.request["name"] if present(job.request, "name") else f"Clone {job.id[-6:]}"
        preview = job.request["source_voice_file"] if finished else None
        voice_id = job.facts["voice_id"] if finished else None
        return {**row, "name": name, "voice_id": voice_id, "preview": preview, "type": 1}

    def _job_row(self, job: Job) -> dict[str, Any]:
        seen = job.look(self.backstage.clock.time())
        row: dict[str, Any] = {
            "_id": job.id,
            "uid": UID,
            "status": seen.stage.value,
            "create_time": int(job.plan.created * 1000),
        }
        why: Mapping[str, Any] = {}
        if seen.failure is not None:
            why = {"error_code": seen.failure.code, "error_reason": seen.failure.reason}
        return {**row, **why}
