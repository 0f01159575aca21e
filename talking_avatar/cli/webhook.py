"""``talking-avatar webhook``: receive Akool's callbacks, and wake a journal's jobs with them."""

import argparse
import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from talking_avatar.akool.client import Akool
from talking_avatar.akool.webhook import WebhookReceiver
from talking_avatar.errors import ConfigurationError
from talking_avatar.integrations.aiohttp_webhook import serving
from talking_avatar.models.results import RenderStatus
from talking_avatar.watch.events import Downloaded, Failed, Finished
from talking_avatar.watch.watcher import JobWatcher

__all__ = ["run_webhook"]


async def run_webhook(options: argparse.Namespace) -> int:
    """Receive until interrupted; with a journal its open jobs are watched, woken and downloaded as well."""
    client_id = options.client_id or os.environ.get("AKOOL_CLIENT_ID")
    secret = os.environ.get("AKOOL_CLIENT_SECRET") or os.environ.get("AKOOL_API_KEY")
    if not client_id or not secret:
        msg = "set AKOOL_CLIENT_ID and AKOOL_CLIENT_SECRET (the API key), which decrypt the callbacks"
        raise ConfigurationError(msg)
    async with AsyncExitStack() as stack:
        watcher = await _watcher(stack, options.journal, options.download_dir)
        receiver = WebhookReceiver(
            client_id=client_id,
            client_secret=secret,
            wake=lambda job_id, status: _received(watcher, job_id, status),
            settle=None if watcher is None else watcher.settle,
        )
        await stack.enter_async_context(serving(receiver, host=options.host, port=options.port, path=options.path))
        print(
            f"Callbacks are received on http://{options.host}:{options.port}{options.path} (Ctrl-C stops it).",
            flush=True,
        )
        await _interrupted()
    return 0


async def _watcher(stack: AsyncExitStack, journal: Path | None, download_dir: str | None) -> JobWatcher | None:
    if journal is None:
        return None
    akool = await stack.enter_async_context(Akool())
    watcher = await stack.enter_async_context(JobWatcher(akool, journal=journal, download_dir=download_dir))
    told = asyncio.create_task(_tell(watcher))
    stack.callback(told.cancel)
    resumed = await watcher.resume()
    print(f"{len(resumed.jobs)} jobs of {journal} are watched.", flush=True)
    for lost in resumed.unknown:
        print(f"decide: {lost}", flush=True)
    return watcher


async def _tell(watcher: JobWatcher) -> None:
    async for event in watcher.events():
        if isinstance(event, Finished | Failed | Downloaded):
            print(f"{type(event).__name__.lower()} {event.ref} {getattr(event, 'path', '')}".rstrip(), flush=True)


def _received(watcher: JobWatcher | None, job_id: str, status: RenderStatus) -> None:
    print(f"callback {job_id} {status}", flush=True)
    if watcher is not None:
        watcher.wake(job_id, status)


async def _interrupted() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
