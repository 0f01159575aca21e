import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attrs
import pytest
from aiohttp import ClientSession

from talking_avatar.sandbox import Sandbox
from talking_avatar.sandbox.rendering.contract import (
    BadInput,
    Character,
    Face,
    Layer,
    Presenter,
    PresenterPose,
    Rendered,
    SpeechVoice,
    Spoken,
)

TOKEN, API_KEY, CLIENT_ID = "surreal-token", "akool-key-of-thirty-two-letters.", "akool-client-id-here"


@attrs.define
class HandClock:
    """Time that passes when a test says so."""

    now: float = 1_800_000_000.0
    sleepers: list[tuple[float, asyncio.Future[None]]] = attrs.field(factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, awake))
        await awake

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for due, awake in self.sleepers:
            if due <= self.now and not awake.done():
                awake.set_result(None)
        self.sleepers = [each for each in self.sleepers if not each[1].done()]

    async def until_asleep(self, sleepers: int = 1) -> None:
        while len([each for each in self.sleepers if not each[1].done()]) < sleepers:  # noqa: ASYNC110 - a future cannot say
            await asyncio.sleep(0)


class ChalkRenderer:
    """Reads faces and sounds from text: ``FACE:200`` is a photo of a face 200 pixels wide, ``SOUND:30`` is 30 s."""

    calls: list[tuple[Any, ...]]

    def __init__(self) -> None:
        self.calls = []

    def voices(self) -> tuple[SpeechVoice, ...]:
        return (
            SpeechVoice(name="Ada", gender="female", language="English", locale="en-GB", tags=("Young", "Calm")),
            SpeechVoice(name="Bo", gender="male", language="Danish", locale="da-DK"),
        )

    def speak(self, text: str, voice: str) -> Spoken:
        self.calls.append(("speak", text, voice))
        return Spoken(wav=f"SOUND:{len(text) / 10}".encode(), seconds=len(text) / 10)

    def presenters(self) -> tuple[Presenter, ...]:
        poses = (PresenterPose(pose_id="liza_a0008", name="Liza 8"), PresenterPose(pose_id="liza_a0009", name="Liza 9"))
        return (
            Presenter(name="liza", display_name="Liza", gender="female", poses=poses),
            Presenter(
                name="kem", display_name="Kem", gender="male", poses=(PresenterPose(pose_id="kem_03", name="Kem"),)
            ),
        )

    def presenter_preview(self, pose_id: str) -> bytes:
        return b"\x89PNG " + pose_id.encode()

    def measure_audio(self, audio: bytes, *, limit: float) -> float:
        if not audio.startswith(b"SOUND:"):
            raise BadInput("the file is no recording", fault="not_audio")
        seconds = float(audio.partition(b":")[2])
        if seconds > limit:
            raise BadInput(f"longer than {limit:g} s", fault="audio_too_long")
        return seconds

    def find_face(self, photo: bytes, *, minimum: int = 160) -> Face:
        if not photo.startswith(b"FACE:"):
            raise BadInput("the file is no picture", fault="not_an_image")
        width = int(photo.partition(b":")[2])
        if width == 0:
            raise BadInput("nobody is in the picture", fault="no_face")
        if width < minimum:
            raise BadInput(f"the face is smaller than {minimum} pixels", fault="face_too_small")
        return Face(x=0, y=0, width=width, height=width)

    def make_character(self, photo: bytes) -> Character:
        return Character(gender="male", traits={"photo": photo.decode()}, preview_png=b"\x89PNG character")

    def render_photo(self, photo: bytes, audio: bytes) -> Rendered:
        return self._rendered("photo", photo, audio)

    def render_character(self, traits: dict[str, object], audio: bytes) -> Rendered:
        return self._rendered("character", traits, audio, mask=True)

    def render_presenter(self, pose_id: str, audio: bytes, *, with_mask: bool) -> Rendered:
        return self._rendered("presenter", pose_id, audio, mask=with_mask)

    def render_composition(self, layers: tuple[Layer, ...], audio: bytes, *, width: int, height: int) -> Rendered:
        return self._rendered("composition", layers, audio, width, height)

    def _rendered(self, *call: Any, mask: bool = False) -> Rendered:
        self.calls.append(call)
        mp4 = b"\x00\x00\x00\x18ftypisom " + repr(call).encode() * 20
        return Rendered(mp4=mp4, mask_mp4=b"\x00\x00\x00\x18ftypmask" if mask else None, seconds=1.0)


@attrs.frozen
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


@attrs.define
class Caller:
    """Calls a sandbox as somebody with credentials would."""

    sandbox: Sandbox
    session: ClientSession
    surreal: dict[str, str] = attrs.field(factory=lambda: {"Authorization": f"Bearer {TOKEN}"})
    akool: dict[str, str] = attrs.field(factory=lambda: {"x-api-key": API_KEY})

    async def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        return await self.call("GET", path, headers=headers, params=query)

    async def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.call("POST", path, headers=headers, json=body)

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        chosen = headers if headers is not None else (self.akool if path.startswith("/api") else self.surreal)
        async with self.session.request(method, self.sandbox.url + path, headers=chosen, **options) as response:
            return Answer(response.status, await response.json(content_type=None), response.headers)

    async def data(self, path: str, body: object = None, **query: Any) -> Any:
        """The data of a call that must succeed."""
        answer = await (self.get(path, **query) if body is None else self.post(path, body))
        assert answer.status == 200, answer
        assert answer.body["code"] in {0, 1000}, answer
        return answer.body["data"]

    async def uploaded(self, content: bytes) -> str:
        answer = await self.call("POST", "/uploads", headers={}, data=content)
        return str(answer.body["url"])

    async def download(self, url: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(url, headers=named) as response:
            return response.status, await response.read(), response.headers


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def renderer() -> ChalkRenderer:
    return ChalkRenderer()


@pytest.fixture
def options() -> dict[str, Any]:
    """What a test module changes about its sandbox."""
    return {}


@pytest.fixture
async def sandbox(clock: HandClock, renderer: ChalkRenderer, options: dict[str, Any]) -> AsyncIterator[Sandbox]:
    chosen: dict[str, Any] = {"renderer": renderer, "clock": clock, "render_seconds": 60, "rate": 0}
    credentials = {"token": TOKEN, "api_key": API_KEY, "client_id": CLIENT_ID}
    async with Sandbox(**{**chosen, **credentials, **options}) as running:
        yield running


@pytest.fixture
async def caller(sandbox: Sandbox) -> AsyncIterator[Caller]:
    async with ClientSession() as session:
        yield Caller(sandbox, session, akool={"x-api-key": sandbox.api_key})
