"""The journal on disk does what the one in memory does, and both keep to a model that shares no code with them."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from talking_avatar.clock import SystemClock
from talking_avatar.errors import JournalError
from talking_avatar.journal import Entry, EntryState, Intent, Journal, MemoryJournal, SqliteJournal
from talking_avatar.models.refs import JobRef

# What may be told of an entry in each state, and where it leads; written by hand, on purpose.
MAY_FOLLOW = {
    "planned": {"sent": "sent", "failed": "failed", "withdrawn": "failed", "abandoned": "abandoned"},
    "sent": {"unsent": "planned", "accepted": "accepted", "unknown": "unknown", "failed": "failed"},
    "unknown": {
        "unsent": "planned",
        "resubmitted": "planned",
        "accepted": "accepted",
        "adopted": "adopted",
        "unknown": "unknown",
        "failed": "failed",
        "abandoned": "abandoned",
    },
    "accepted": {"accepted": "accepted", "finished": "finished", "failed": "failed"},
    "adopted": {"adopted": "adopted", "accepted": "accepted", "finished": "finished", "failed": "failed"},
    "finished": {"finished": "finished", "downloaded": "downloaded", "abandoned": "abandoned"},
    "failed": {"failed": "failed", "resubmitted": "planned"},
    "downloaded": {"downloaded": "downloaded"},
    "abandoned": {"abandoned": "abandoned", "resubmitted": "planned"},
}

numbers = st.integers(1, 6)
jobs = st.sampled_from(["j-1", "j-2", "j-3"])
holders = st.sampled_from(["me", "you"])
families = st.sampled_from(["v2v", "a2v"])
accounts = st.none() | st.lists(st.sampled_from([("surreal", "default"), ("surreal", "studio")]), unique=True)
intents = st.builds(
    Intent,
    service=st.just("surreal"),
    family=families,
    account=st.sampled_from(["default", "studio"]),
    key=st.none() | st.sampled_from(["a", "b"]),
    fingerprint=st.sampled_from(["f", "g"]),
    payload=st.text(st.characters(codec="utf-8"), max_size=3),
    webhook_token=st.none() | st.sampled_from(["t", "u"]),
)
FACTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "accepted": st.fixed_dictionaries({"job_id": jobs}),
    "adopted": st.fixed_dictionaries({"job_id": jobs}),
    "unknown": st.fixed_dictionaries({"why": st.text(max_size=2)}),
    "failed": st.fixed_dictionaries({"why": st.text(max_size=2)}),
    "withdrawn": st.fixed_dictionaries({"why": st.text(max_size=2)}),
    "finished": st.fixed_dictionaries({"expires_at": st.none() | st.sampled_from([5.0, 6.0])}),
    "downloaded": st.fixed_dictionaries({"path": st.sampled_from(["a.mp4", "b.mp4"])}),
    "abandoned": st.fixed_dictionaries({"why": st.none() | st.text(max_size=2)}),
}
tellings = st.sampled_from(["sent", "unsent", "resubmitted", *FACTS]).flatmap(
    lambda name: st.tuples(st.just(name), FACTS.get(name, st.just({})))
)


class StoppedClock(SystemClock):
    now = 0.0

    def time(self) -> float:
        return self.now


class TwoStores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = StoppedClock()
        self.memory = MemoryJournal(clock=self.clock)
        self.sqlite = SqliteJournal(self.folder / "renders.db", clock=self.clock)
        self.runner.run(self.sqlite.open())
        self.model: dict[int, tuple[str, str | None]] = {}
        self.allowed_to_send: Counter[int] = Counter()

    def teardown(self) -> None:
        self.runner.run(self.sqlite.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def both(self, call: Callable[[Journal], Awaitable[Any]]) -> Any:
        """What both answer alike, an error as its words."""

        async def ask(journal: Journal) -> Any:
            try:
                return await call(journal)
            except JournalError as error:
                return type(error), str(error)

        told, expected = self.runner.run(ask(self.sqlite)), self.runner.run(ask(self.memory))
        assert told == expected
        return told

    @rule(asked=st.lists(intents, max_size=3), holder=st.none() | holders, until=st.none() | st.floats(0, 20))
    def plan(self, asked: list[Intent], holder: str | None, until: float | None) -> None:
        entries = self.both(lambda journal: journal.plan(asked, holder=holder, until=until))
        if isinstance(entries, list):
            for entry in entries:
                assert self.model.setdefault(entry.number, ("planned", None)) == (entry.state, entry.job_id)

    @rule(number=numbers, telling=tellings)
    def tell(self, number: int, telling: tuple[str, dict[str, Any]]) -> None:
        name, facts = telling
        refused = self.both(lambda journal: getattr(journal, name)(number, **facts))
        state, job_id = self.model.get(number, ("nowhere", None))
        target = MAY_FOLLOW.get(state, {}).get(name)
        if refused is None:
            assert target is not None
            self.model[number] = (target, facts.get("job_id", job_id))
            # Proof that it never arrived, or its caller's word that it does not matter.
            refuted = state in {"sent", "unknown"} and target in {"planned", "failed", "abandoned"}
            self.allowed_to_send[number] += int(target == "sent") - int(refuted)
        elif target is not None:
            # What else may refuse is about the job: it is another, another's, or already there.
            assert job_id is not None or name == "adopted"

    @rule(job_id=jobs, family=families, holder=st.none() | holders)
    def attach(self, job_id: str, family: str, holder: str | None) -> None:
        ref = JobRef("surreal", family, job_id)
        entry = self.both(lambda journal: journal.attached(ref, holder=holder))
        assert entry.ref == ref
        assert self.model.setdefault(entry.number, ("accepted", job_id)) == (entry.state, job_id)

    @rule(holder=holders, lasts=st.floats(0, 9), after=st.integers(0, 3), limit=st.integers(0, 4), whose=accounts)
    def claim(self, holder: str, lasts: float, after: int, limit: int, whose: list[tuple[str, str]] | None) -> None:
        now = self.clock.now
        self.both(lambda j: j.claim(holder, until=now + lasts, now=now, after=after, limit=limit, accounts=whose))

    @rule(holder=holders, lasts=st.floats(0, 9), which=st.lists(numbers, max_size=3), seize=st.booleans())
    def claim_these(self, holder: str, lasts: float, which: list[int], seize: bool) -> None:
        now = self.clock.now
        self.both(lambda journal: journal.claim_these(holder, which, until=now + lasts, now=now, seize=seize))
        self.both(lambda journal: _sorted(journal.holders()))

    @rule(holder=holders, lasts=st.floats(0, 9))
    def renew(self, holder: str, lasts: float) -> None:
        self.both(lambda journal: journal.renew(holder, self.clock.now + lasts))

    @rule(holder=holders)
    def release(self, holder: str) -> None:
        self.both(lambda journal: journal.release(holder))

    @rule(name=families, holder=holders, lasts=st.floats(0, 9))
    def take_turn(self, name: str, holder: str, lasts: float) -> None:
        now = self.clock.now
        self.both(lambda journal: journal.take_turn(name, holder, until=now + lasts, now=now))

    @rule(name=families, holder=holders)
    def give_turn(self, name: str, holder: str) -> None:
        self.both(lambda journal: journal.give_turn(name, holder))

    @rule(family=families, ids=st.lists(jobs, max_size=2))
    def remember(self, family: str, ids: list[str]) -> None:
        self.both(lambda journal: journal.remember_ids(f"surreal.{family}", "default", ids))
        known = self.both(lambda journal: journal.known_ids(f"surreal.{family}", "default"))
        assert known >= set(ids)

    @rule(samples=st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), max_size=3))
    def learn(self, samples: list[tuple[float, float]]) -> None:
        self.both(lambda journal: journal.save_durations("surreal.v2v", samples))
        assert self.both(lambda journal: journal.load_durations("surreal.v2v")) == samples

    @rule(key=st.sampled_from(["a", "b"]), token=st.sampled_from(["t", "u"]), job_id=jobs, whose=accounts)
    def look(self, key: str, token: str, job_id: str, whose: list[tuple[str, str]] | None) -> None:
        self.both(lambda journal: journal.by_key("surreal", "default", key))
        self.both(lambda journal: journal.by_token(token))
        self.both(lambda journal: journal.by_job(JobRef("surreal", "v2v", job_id)))
        self.both(lambda journal: _listed(journal.open_entries(accounts=whose, page=2)))
        self.both(lambda journal: _listed(journal.open_entries(holder="me", page=1)))
        self.both(lambda journal: _listed(journal.open_entries(states={EntryState.SENT, EntryState.UNKNOWN}, page=1)))
        self.both(lambda journal: _listed(journal.finished_entries(accounts=whose, page=1)))

    @rule(seconds=st.floats(0, 5))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.sqlite.aclose())
        self.runner.run(self.sqlite.open())

    @invariant()
    def every_entry_is_where_the_model_has_it(self) -> None:
        async def stored(journal: Journal) -> list[Entry | None]:
            return [await journal.get(number) for number in range(1, 8)]

        for entry in self.both(stored):
            if entry is not None:
                assert self.model[entry.number] == (entry.state, entry.job_id)

    @invariant()
    def nothing_is_in_flight_twice(self) -> None:
        assert all(0 <= count <= 1 for count in self.allowed_to_send.values())


async def _sorted(names: Awaitable[list[str]]) -> list[str]:
    return sorted(await names)


async def _listed(entries: Any) -> list[Entry]:
    return [entry async for entry in entries]


TwoStores.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_both_stores_and_the_model_agree = TwoStores.TestCase
