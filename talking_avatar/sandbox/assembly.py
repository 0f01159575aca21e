"""Puts the parts of a sandbox together."""

import importlib.util
import random
from typing import Literal

import attrs

from talking_avatar.clock import Clock
from talking_avatar.sandbox.backstage import Backstage
from talking_avatar.sandbox.cast import Cast
from talking_avatar.sandbox.credentials import Credentials
from talking_avatar.sandbox.engine import Planner, RenderSeconds
from talking_avatar.sandbox.fetch import Fetcher
from talking_avatar.sandbox.inputs import Inputs
from talking_avatar.sandbox.ledger import Ledger
from talking_avatar.sandbox.limits import FixedWindow
from talking_avatar.sandbox.rendering.contract import Renderer
from talking_avatar.sandbox.storage import Shelf
from talking_avatar.sandbox.studio_pool import Crew, InlineCrew, StudioPool, ThreadCrew
from talking_avatar.sandbox.webhook import Postman
from talking_avatar.sandbox.workshop import Workshop

__all__ = ["RendererChoice", "Settings", "assemble"]

RendererChoice = Renderer | Literal["instant", "studio"] | None

# The samples' addresses (000) were good for about an hour, Akool's results are for seven days (004).
SURREAL_LIFETIME = 3_600.0
AKOOL_LIFETIME = 7 * 86_400.0


@attrs.frozen(kw_only=True)
class Settings:
    """How a sandbox behaves; `Sandbox` says what each means."""

    rate: int = attrs.field(validator=attrs.validators.ge(0))
    akool_rate: int = attrs.field(validator=attrs.validators.ge(0))
    renderer: RendererChoice
    render_seconds: RenderSeconds | None
    avatar_seconds: float
    seed: int
    result_lifetime: float | None
    shapes: Literal["live", "documented"] = attrs.field(validator=attrs.validators.in_(("live", "documented")))
    credits: int
    fetch_inputs: bool | None
    fetch_seconds: float

    @property
    def fetches(self) -> bool:
        """Whether images and recordings are looked at; the instant renderer would not."""
        return self.renderer != "instant" if self.fetch_inputs is None else self.fetch_inputs


def _crew(choice: RendererChoice, clock: Clock) -> Crew:
    if choice is None or choice == "studio":
        _require_studio()
        return StudioPool(clock)
    if choice == "instant":
        from talking_avatar.sandbox.rendering.instant import InstantRenderer  # noqa: PLC0415 - only when asked for

        return InlineCrew(InstantRenderer())
    return ThreadCrew(choice, clock)


def _require_studio() -> None:
    # Said here rather than by a process later, whose words would end up in a job.
    missing = [name for name in ("av", "cv2", "espeakng_loader", "numpy") if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"real rendering needs {', '.join(missing)}: pip install 'talking-avatar[sandbox]', or renderer='instant'"
        )


def assemble(settings: Settings, *, clock: Clock, credentials: Credentials, ledger: Ledger) -> Backstage:
    """Everything behind the two services; call it inside the event loop that will serve them."""
    rng = random.Random(settings.seed)  # noqa: S311 - a seed must give the same plans again
    # First what may fail, then the folder that somebody has to remove.
    crew = _crew(settings.renderer, clock)
    shelf = Shelf()
    fetcher = Fetcher(clock=clock, seconds=settings.fetch_seconds)
    return Backstage(
        clock=clock,
        credentials=credentials,
        ledger=ledger,
        planner=Planner(rng=rng, render_seconds=settings.render_seconds),
        shelf=shelf,
        crew=crew,
        cast=Cast(crew, shelf),
        inputs=Inputs(fetcher=fetcher, crew=crew, fetch=settings.fetches),
        workshop=Workshop(clock=clock, shelf=shelf),
        postman=Postman(clock=clock, credentials=credentials, fetcher=fetcher, rng=rng),
        surreal_limit=FixedWindow(settings.rate),
        akool_limit=FixedWindow(settings.akool_rate),
        surreal_lifetime=settings.result_lifetime or SURREAL_LIFETIME,
        akool_lifetime=settings.result_lifetime or AKOOL_LIFETIME,
        avatar_seconds=settings.avatar_seconds,
        documented=settings.shapes == "documented",
        credits=settings.credits,
    )
