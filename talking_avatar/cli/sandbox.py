"""``talking-avatar sandbox``: both services on a local port."""

import argparse

from talking_avatar.sandbox import Sandbox
from talking_avatar.sandbox.serve import serve

__all__ = ["run_sandbox"]


async def run_sandbox(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    sandbox = Sandbox(
        host=options.host,
        port=options.port,
        token=options.token,
        api_key=options.api_key,
        client_id=options.client_id,
        rate=options.rate,
        renderer="instant" if options.instant else "studio",
        render_seconds=options.render_seconds,
        allow_remote=options.allow_remote,
    )
    await serve(sandbox, on_ready=_announce)
    return 0


def _announce(sandbox: Sandbox) -> None:
    # These credentials are made up for this process and open nothing else, so they may be shown.
    print(
        f"The sandbox serves Surreal Engine and Akool on {sandbox.url} (Ctrl-C stops it).\n\n"
        f"export SURREAL_BASE_URL={sandbox.url} SURREAL_TOKEN={sandbox.token}\n"
        f"export AKOOL_BASE_URL={sandbox.url} AKOOL_API_KEY={sandbox.api_key} AKOOL_CLIENT_ID={sandbox.client_id}\n\n"
        f"A portrait and a recording: {sandbox.url}/samples/portrait.jpg  {sandbox.url}/samples/speech.wav\n"
        f"Your own file:              curl --data-binary @photo.jpg {sandbox.url}/uploads",
        flush=True,
    )
