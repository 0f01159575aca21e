"""The ``talking-avatar`` command."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from talking_avatar import __version__
from talking_avatar.errors import TalkingAvatarError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    try:
        status: int = asyncio.run(options.run(options))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        print(f"talking-avatar: {error}; this needs pip install 'talking-avatar[all]'", file=sys.stderr)
        return 1
    except (TalkingAvatarError, ImportError, OSError, ValueError) as error:
        print(f"talking-avatar: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="talking-avatar", description="Render talking-head videos with Surreal Engine and Akool, or their sandbox."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_sandbox(commands)
    _add_webhook(commands)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="render one video of each product on a local sandbox")
    demo.add_argument("--out", type=Path, default=Path("avatar-demo"), help="folder for the videos (%(default)s)")
    demo.add_argument("--photo", type=Path, help="a photo of yours instead of the sample portrait")
    demo.add_argument("--text", help="what is said, at most 500 characters")
    demo.set_defaults(run=_demo)


def _add_sandbox(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sandbox = commands.add_parser("sandbox", help="serve both services locally, with real renders")
    sandbox.add_argument("--host", default="127.0.0.1", help="address to bind (%(default)s)")
    sandbox.add_argument("--port", type=int, default=8080, help="port to bind, 0 for any (%(default)s)")
    sandbox.add_argument("--token", help="Surreal's token (random)")
    # The documented environment name, so that no key has to stand in a process list.
    sandbox.add_argument("--api-key", default=os.environ.get("SANDBOX_API_KEY"), help="Akool's API key (random)")
    sandbox.add_argument("--client-id", help="Akool's client id (random)")
    sandbox.add_argument(
        "--rate", type=int, default=30, help="Surreal's requests a minute, 0 for no limit (%(default)s)"
    )
    sandbox.add_argument("--instant", action="store_true", help="serve a tiny file instead of rendering")
    sandbox.add_argument("--render-seconds", type=float, help="how long a render takes at least")
    sandbox.add_argument(
        "--allow-remote", action="store_true", help="let other machines in: they can make it fetch URLs"
    )
    sandbox.set_defaults(run=_sandbox)


def _add_webhook(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    webhook = commands.add_parser("webhook", help="receive Akool's callbacks (AKOOL_CLIENT_ID, AKOOL_CLIENT_SECRET)")
    webhook.add_argument("--host", default="127.0.0.1", help="address to bind (%(default)s)")
    webhook.add_argument("--port", type=int, default=8081, help="port to bind (%(default)s)")
    webhook.add_argument("--path", default="/akool", help="path of the callback URL (%(default)s)")
    webhook.add_argument("--client-id", help="instead of AKOOL_CLIENT_ID")
    webhook.add_argument(
        "--journal", type=Path, help="a watcher's journal, whose open Akool jobs are watched and woken"
    )
    webhook.add_argument("--download-dir", help="where that watcher brings finished files, such as 'videos/{key}.mp4'")
    webhook.set_defaults(run=_webhook)


async def _demo(options: argparse.Namespace) -> int:
    from talking_avatar.cli.demo import run_demo  # noqa: PLC0415 - rich and the sandbox are extras

    return await run_demo(out=options.out, photo=options.photo, text=options.text)


async def _sandbox(options: argparse.Namespace) -> int:
    from talking_avatar.cli.sandbox import run_sandbox  # noqa: PLC0415 - the sandbox is an extra

    return await run_sandbox(options)


async def _webhook(options: argparse.Namespace) -> int:
    from talking_avatar.cli.webhook import run_webhook  # noqa: PLC0415 - cryptography is an extra

    return await run_webhook(options)
