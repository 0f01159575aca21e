"""Whatever goes wrong on the way, in whatever order: jobs settle in time, nothing goes back, no limit is tripped."""

import asyncio
from collections import defaultdict
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from talking_avatar import AudioElement, AvatarElement, JobRef, JobWatcher, TalkingAvatar, TalkingPhoto
from talking_avatar.errors import TalkingAvatarError, Unreachable
from talking_avatar.sandbox import Fault, Lognormal
from talking_avatar.testing import Lab
from talking_avatar.watch.events import Event, StatusChanged

DEADLINE = 1500.0

FAULTS = {
    "429": Fault.too_many(),
    "429, come back": Fault.too_many(retry_after="20"),
    "500": Fault.server_error(500),
    "503": Fault.server_error(503),
    "html": Fault.html(502),
    "html with 200": Fault.html(200),
    "garbage": Fault.garbage(),
    "half": Fault.truncated_json(),
    "slow": Fault.slow(20.0),
    "hangs": Fault.lost_reply(),
    "reset before": Fault.reset_before(),
    "reset after": Fault.reset_after(),
    "unknown word": Fault.unknown_status(),
    "stale list": Fault.stale_list(3),
    "empty list": Fault.stale_list(1000),
    "fails": Fault.failed_render(),
}
# Each of these costs real time, because a virtual clock waits for sockets a little before it moves on.
WAITED_FOR = {"slow", "hangs"}
ENDPOINTS = ["video.list", "video.get", "video.generate", "create", "infobymodelid", None]


@attrs.frozen
class Script:
    """One rule of what goes wrong."""

    fault: str
    endpoint: str | None
    nth: int
    times: int | None
    probability: float


scripts = st.lists(
    st.builds(
        Script,
        fault=st.sampled_from(sorted(FAULTS)),
        endpoint=st.sampled_from(ENDPOINTS),
        nth=st.integers(1, 12),
        times=st.sampled_from([1, 3, 12, None]),
        probability=st.sampled_from([0.2, 0.6, 1.0]),
    ),
    max_size=4,
)


@given(scripts, st.integers(0, 5))
@example([Script("500", None, 1, None, 1.0)], 0)
@example([Script("empty list", "video.list", 1, None, 1.0), Script("429", "video.get", 1, None, 0.6)], 1)
@example([Script("hangs", "video.list", 2, None, 1.0), Script("html", "infobymodelid", 3, 12, 1.0)], 2)
@example([Script("unknown word", None, 1, None, 1.0)], 3)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_job_settles_by_its_deadline_without_going_back_paying_twice_or_tripping_the_limit(
    script: list[Script], seed: int
) -> None:
    asyncio.run(play(script, seed))


async def play(script: list[Script], seed: int) -> None:
    async with Lab(
        render_seconds=Lognormal(200.0, 0.6), seed=seed, sandbox={"akool_rate": 60}, watcher={"deadline": DEADLINE}
    ) as lab:
        for rule in script:
            when = attrs.asdict(rule)
            if rule.fault in WAITED_FOR:
                when["times"] = min(rule.times or 6, 6)
            lab.sandbox.faults.add(FAULTS[when.pop("fault")], **when)
        told: list[Event] = []
        listening = asyncio.create_task(collect(lab.watcher, told))
        photo = TalkingPhoto(image_url=lab.photo, audio_url=lab.speech)
        avatar = TalkingAvatar(elements=[AvatarElement(url=lab.photo), AudioElement(url=lab.speech)])
        requests = [photo, avatar] * 8
        settled_at: dict[JobRef, float] = {}
        jobs = []
        async for job in lab.watcher.render_all(requests):
            jobs.append(job)
            if job.ref is not None:
                settled_at[job.ref] = lab.clock.monotonic()
        assert len(jobs) == len(requests)
        assert lab.watcher.jobs == ()
        for job in jobs:
            assert job.video or isinstance(job.error, TalkingAvatarError)
            if job.ref is not None:
                assert settled_at[job.ref] <= job.deadline_at + 0.01
        assert_nothing_goes_back(told)
        assert sum(lab.sandbox.creates.values()) <= lab.watcher.stats.creates == len(requests)
        assert_creates_left_at_most_once(lab)
        listening.cancel()
        for service, limit in (("surreal", 30), ("akool", 60)):
            assert_limit_holds([seen.at for seen in lab.sandbox.requests.matching(service=service)], limit)


async def collect(watcher: JobWatcher, told: list[Event]) -> None:
    async for event in watcher.events(size=10_000):
        told.append(event)  # noqa: PERF401 - its test looks at them before the end


def assert_nothing_goes_back(told: list[Event]) -> None:
    ranks = defaultdict(list)
    for event in told:
        if isinstance(event, StatusChanged):
            ranks[event.ref].append(event.status.rank)
    for of_one in ranks.values():
        assert of_one == sorted(of_one)


def assert_creates_left_at_most_once(lab: Any) -> None:
    """A create that was handled, or might have been, is never followed by another try of the same request."""
    turned_away = {"answer 429", "too many", "reset before"}
    creates = [seen for name in ("video.generate", "create") for seen in lab.sandbox.requests.matching(endpoint=name)]
    assert sum(seen.fault not in turned_away and seen.status != 429 for seen in creates) <= lab.watcher.stats.creates


def assert_limit_holds(moments: list[float], limit: int) -> None:
    moments = sorted(moments)
    for first, last in zip(moments, moments[limit:], strict=False):
        assert last - first >= 60.0 - 1e-6


def test_a_read_that_breaks_off_is_not_repeated_behind_the_budgets_back() -> None:
    async def read() -> tuple[int, int]:
        async with Lab() as lab:
            job = await lab.watcher.submit(TalkingPhoto(image_url=lab.photo, audio_url=lab.speech))
            await lab.surreal.v2v.get_video(job.ref.id)  # leaves a connection to reuse
            lab.sandbox.faults.add(Fault.reset_after(), endpoint="video.get", times=None)
            before = len(lab.sandbox.requests)
            (product,) = (product for product in lab.surreal.products if product.family == "v2v")
            with pytest.raises(Unreachable):
                await product.read(job.ref.id)
            return before, len(lab.sandbox.requests)

    before, after = asyncio.run(read())
    assert after == before + 1
