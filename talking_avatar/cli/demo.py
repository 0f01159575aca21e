"""``talking-avatar demo``: one render of each product, at once, on a sandbox that ends with the command."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console

from talking_avatar.akool.client import Akool
from talking_avatar.cli.display import Row, live_table, result_table
from talking_avatar.clock import SYSTEM_CLOCK
from talking_avatar.errors import TalkingAvatarError
from talking_avatar.models.requests import (
    AudioElement,
    AudioToVideo,
    AvatarElement,
    CGAvatarVideo,
    ImageElement,
    TalkingAvatar,
    TalkingPhoto,
)
from talking_avatar.models.results import RenderStatus
from talking_avatar.sandbox import Sandbox
from talking_avatar.surreal.client import Surreal
from talking_avatar.watch.events import Progressed, StatusChanged
from talking_avatar.watch.watcher import JobWatcher

__all__ = ["run_demo"]

LINES = {
    "CG avatar": "Hello! I am a character drawn from a photograph, and I speak these words.",
    "audio to video": "Good day. I present whatever recording you send me, in the pose you choose.",
    "talking photo": "A photograph can speak as well. Look how my mouth moves with every word.",
    "talking avatar": "And I am composed of elements: a background, an avatar, and a voice.",
}


@attrs.frozen(kw_only=True)
class Inputs:
    """What every product needs: a photo, and a recording and voice for each."""

    photo: str
    recordings: dict[str, str]


async def run_demo(*, out: Path, photo: Path | None, text: str | None, seconds: tuple[float, float] = (4, 10)) -> int:
    """Render, watch, download, and print what came of it; returns an exit status."""
    console = Console()
    # A render here takes a second or two; a little longer makes the watching visible.
    async with Sandbox(render_seconds=lambda rng: rng.uniform(*seconds)) as sandbox:
        console.print(
            f"The sandbox stands in for both services on [bold]{sandbox.url}[/]: nothing is paid, nothing leaves."
        )
        async with (
            Surreal(sandbox.token, base_url=sandbox.url) as surreal,
            Akool(sandbox.api_key, base_url=sandbox.url) as akool,
            JobWatcher(surreal, akool) as watcher,
        ):
            inputs = await _inputs(sandbox, surreal, photo, text)
            rows = await _watch_all(console, _products(surreal, akool, inputs), watcher, out)
            balance = await akool.account.credits()
    console.print(result_table(rows, SYSTEM_CLOCK.monotonic()))
    stats = watcher.stats
    console.print(
        f"{stats.creates} creates, {stats.lists + stats.gets} status requests; {balance:g} sandbox credits left."
    )
    return 1 if any(row.error for row in rows) else 0


async def _inputs(sandbox: Sandbox, surreal: Surreal, photo: Path | None, text: str | None) -> Inputs:
    voices = await surreal.tts.list_voices()
    english = [voice for voice in voices if (voice.locale or "").startswith("en")] or voices
    women = [voice for voice in english if voice.gender == "female"] or english
    chosen = dict(zip(LINES, (women[0], english[0], women[-1], english[-1]), strict=True))
    speeches = await asyncio.gather(
        *(surreal.tts.generate_speech(text or LINES[name], voice_name=voice.name) for name, voice in chosen.items())
    )
    recordings = {name: speech.url or "" for name, speech in zip(chosen, speeches, strict=True)}
    photo_url = f"{sandbox.url}/samples/portrait.jpg" if photo is None else await sandbox.upload(photo)
    return Inputs(photo=photo_url, recordings=recordings)


def _products(surreal: Surreal, akool: Akool, inputs: Inputs) -> dict[str, Callable[[], Awaitable[Any]]]:
    """What to render, by name; each is made when its turn comes, because a CG avatar has to be generated first."""

    async def cg_avatar() -> CGAvatarVideo:
        avatar = await surreal.cg_avatar.generate_avatar(inputs.photo)
        return CGAvatarVideo(avatar_id=avatar.avatar_id, audio_url=inputs.recordings["CG avatar"])

    async def audio_to_video() -> AudioToVideo:
        presenters = await surreal.a2v.list_avatars()
        pose = presenters[-1].poses[0]
        return AudioToVideo(pose_id=pose.pose_id, audio_url=inputs.recordings["audio to video"])

    async def talking_photo() -> TalkingPhoto:
        return TalkingPhoto(image_url=inputs.photo, audio_url=inputs.recordings["talking photo"])

    async def talking_avatar() -> TalkingAvatar:
        presenter = (await akool.avatars.list_avatars(origin=2))[0]
        return TalkingAvatar(
            elements=(
                ImageElement(url="#22577a", width=3840, height=2160),
                ImageElement(url=inputs.photo, width=1106, height=1296, offset_x=420, offset_y=432),
                AvatarElement(avatar_id=presenter.avatar_id, width=2000, height=2000, offset_x=1640, offset_y=160),
                AudioElement(url=inputs.recordings["talking avatar"]),
            )
        )

    return dict(zip(LINES, (cg_avatar, audio_to_video, talking_photo, talking_avatar), strict=True))


async def _watch_all(
    console: Console, products: dict[str, Callable[[], Awaitable[Any]]], watcher: JobWatcher, out: Path
) -> list[Row]:
    began = SYSTEM_CLOCK.monotonic()
    rows = {name: Row(name=name, began=began) for name in products}
    with live_table(console, list(rows.values()), SYSTEM_CLOCK.monotonic):
        await asyncio.gather(*(_one(rows[name], make, watcher, out) for name, make in products.items()))
    return list(rows.values())


async def _one(row: Row, make: Callable[[], Awaitable[Any]], watcher: JobWatcher, out: Path) -> None:
    try:
        job = await watcher.submit(await make())
        row.ref = str(job.ref)
        async for event in job:
            if isinstance(event, StatusChanged):
                row.status = event.status
            elif isinstance(event, Progressed):
                row.progress = event.percent
        row.path = await job.download(out / f"{job.ref.family}.mp4")
    except TalkingAvatarError as error:
        row.error, row.status = str(error), RenderStatus.FAILED
    row.ended = SYSTEM_CLOCK.monotonic()
