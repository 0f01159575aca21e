"""The sandbox itself: both services on one server that starts and stops with a block."""

import asyncio
import ipaddress
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiohttp import web

from talking_avatar.clock import SYSTEM_CLOCK, Clock
from talking_avatar.sandbox import akool, surreal
from talking_avatar.sandbox.assembly import RendererChoice, Settings, assemble
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.credentials import Credentials
from talking_avatar.sandbox.door import door
from talking_avatar.sandbox.engine import RenderSeconds
from talking_avatar.sandbox.faults import FaultRule, Faults
from talking_avatar.sandbox.files import Files
from talking_avatar.sandbox.ledger import Job, Ledger
from talking_avatar.sandbox.observation import RequestLog
from talking_avatar.sandbox.pages import Pages
from talking_avatar.sandbox.webhook import Postman

__all__ = ["Sandbox"]

BODY_BYTES = 4 * 2**20


class Sandbox:
    """Surreal Engine and Akool on one local server; ``async with``, or `start` and `aclose`.

    *renderer* is ``"studio"`` (the default: real videos, made in processes of lower priority), ``"instant"`` (a tiny
    file at once), or a `Renderer` of your own, which runs in threads; *fetch_inputs* says whether images and recordings
    are fetched and checked, which the instant renderer leaves out. *render_seconds* is how long a job takes at least: a
    number, a function of a `random.Random` such as `Lognormal`, or None for as long as rendering really takes;
    *avatar_seconds* is how long Surreal's ``avatar.generate`` holds its request open.

    *rate* is Surreal's requests a minute and *akool_rate* Akool's, 0 for no limit. *shapes* chooses between what the
    documents show and what the live services were seen to send. *credits* is Akool's balance. *result_lifetime*
    replaces the hour of Surreal's and the seven days of Akool's result addresses. Credentials left out are random.
    Anything but a loopback *host* needs *allow_remote*, because the sandbox fetches whatever address it is given.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        api_key: str | None = None,
        client_id: str | None = None,
        rate: int = 30,
        akool_rate: int = 0,
        renderer: RendererChoice = None,
        clock: Clock = SYSTEM_CLOCK,
        seed: int = 0,
        render_seconds: RenderSeconds | None = None,
        avatar_seconds: float = 0.0,
        faults: Faults | Iterable[FaultRule] = (),
        result_lifetime: float | None = None,
        shapes: Literal["live", "documented"] = "live",
        credits: int = 10_000,  # noqa: A002 - the word of the service
        fetch_inputs: bool | None = None,
        fetch_seconds: float = 10.0,
        allow_remote: bool = False,
    ) -> None:
        if not allow_remote and not _is_loopback(host):
            raise ValueError(f"{host} is not a loopback address; allow_remote=True lets other machines in")
        self._address = host, port
        self._clock = clock
        self._settings = Settings(
            rate=rate,
            akool_rate=akool_rate,
            renderer=renderer,
            render_seconds=render_seconds,
            avatar_seconds=avatar_seconds,
            seed=seed,
            result_lifetime=result_lifetime,
            shapes=shapes,
            credits=credits,
            fetch_inputs=fetch_inputs,
            fetch_seconds=fetch_seconds,
        )
        # 32 bytes, because the whole API key is the key of the webhook's AES.
        self._credentials = Credentials(
            token=token or secrets.token_urlsafe(24),
            api_key=api_key or secrets.token_urlsafe(24),
            client_id=client_id or secrets.token_urlsafe(18),
        )
        self._ledger = Ledger()
        self._faults = faults if isinstance(faults, Faults) else Faults(seed, rules=list(faults))
        self._requests = RequestLog()
        self._backstage: Backstage | None = None
        self._exits = AsyncExitStack()

    @property
    def url(self) -> str:
        """The address to give a client as its ``base_url``."""
        return self._running.url

    @property
    def token(self) -> str:
        """Surreal's token."""
        return self._credentials.token

    @property
    def api_key(self) -> str:
        """Akool's API key."""
        return self._credentials.api_key

    @property
    def client_id(self) -> str:
        """Akool's client id."""
        return self._credentials.client_id

    @property
    def client_secret(self) -> str:
        """Akool's client secret, which is its API key."""
        return self._credentials.api_key

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self._faults

    @property
    def requests(self) -> RequestLog:
        """The requests it has seen."""
        return self._requests

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Every job it has accepted, by id."""
        return self._ledger.jobs

    @property
    def creates(self) -> Counter[str]:
        """How many creates were accepted, by family: ``surreal.v2v``, ``akool.talking_avatar``."""
        return self._ledger.creates

    @property
    def webhooks(self) -> Postman:
        """Akool's webhooks: what was delivered, and how many *copies* are sent."""
        return self._running.postman

    @property
    def credits(self) -> int:
        """What is left of Akool's credits."""
        return self._running.credits

    @credits.setter  # noqa: A003 - as above
    def credits(self, value: int) -> None:
        self._running.credits = value

    async def idle(self) -> None:
        """Return once the renderer has worked on every job it was given; their planned ends may still lie ahead."""
        await self._running.workshop.idle()

    async def upload(self, path: Path) -> str:
        """Keep a copy of a local file and give the URL by which requests can name it, like ``POST /uploads``."""
        name = f"{secrets.token_urlsafe(12)}{path.suffix.lower() or '.bin'}"
        content = await asyncio.to_thread(path.read_bytes)
        await self._running.shelf.put(f"upload-{name}", content)
        return f"{self.url}/uploads/{name}"

    def expire_tokens(self) -> int:
        """Make every token from Akool's getToken illegal and say how many there were."""
        return self._credentials.expire_tokens()

    def send_webhook(self, job_id: str, *, status: int | None = None) -> None:
        """Post a job's webhook once more, with its true status or another."""
        job = self.jobs[job_id]
        message = self._running.message(job, status)
        self.webhooks.post(job.request["webhookUrl"], lambda: message)

    async def start(self) -> Self:
        """Begin to serve."""
        if self._backstage is not None:
            raise RuntimeError("the sandbox is running already")
        async with AsyncExitStack() as exits:
            backstage = assemble(self._settings, clock=self._clock, credentials=self._credentials, ledger=self._ledger)
            exits.push_async_callback(backstage.close)
            await backstage.crew.open()
            backstage.url = await self._serve(self._application(backstage), exits)
            self._backstage, self._exits = backstage, exits.pop_all()
        return self

    async def aclose(self) -> None:
        """Stop serving, give up what is under way and remove every file."""
        self._backstage = None
        await self._exits.aclose()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def _running(self) -> Backstage:
        if self._backstage is None:
            raise RuntimeError("the sandbox is not running: use async with, or await start()")
        return self._backstage

    def _application(self, backstage: Backstage) -> web.Application:
        closing = asyncio.Event()
        entrance = door(clock=self._clock, faults=self._faults, log=self._requests, closing=closing)
        app = web.Application(middlewares=[entrance], client_max_size=BODY_BYTES)
        app.on_shutdown.append(_setter(closing))
        app.add_subapp("/v1", surreal.application(backstage))
        app.add_subapp("/api/open", akool.application(backstage))
        app.add_routes([*Files(backstage).routes(), *Pages(backstage).routes()])
        return app

    async def _serve(self, app: web.Application, exits: AsyncExitStack) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        exits.push_async_callback(runner.cleanup)
        host, port = self._address
        site = web.TCPSite(runner, host, port)
        await site.start()
        return _address_of(runner, host)


def _setter(closing: asyncio.Event) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_app: web.Application) -> None:
        closing.set()

    return close


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address_of(runner: web.AppRunner, host: str) -> str:
    port = runner.addresses[0][1]
    # An unspecified address is bound, yet nobody can connect to it by that name.
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"
