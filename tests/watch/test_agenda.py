"""The agenda is a dictionary of times that can say what is due, however it is used."""

import gc
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from talking_avatar.watch.agenda import Agenda

keys = st.integers(0, 40)
times = st.integers(0, 50).map(float)


class AgendaIsADictOfTimes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.agenda: Agenda[int] = Agenda()
        self.model: dict[int, float] = {}

    @rule(key=keys, at=times)
    def schedule(self, key: int, at: float) -> None:
        self.agenda.schedule(key, at)
        self.model.pop(key, None)
        self.model[key] = at

    @rule(key=keys)
    def discard(self, key: int) -> None:
        self.agenda.discard(key)
        self.model.pop(key, None)

    @rule(some=st.lists(st.tuples(keys, times), min_size=30, max_size=120))
    def schedule_many(self, some: list[tuple[int, float]]) -> None:
        for key, at in some:
            self.schedule(key, at)

    @rule(now=times)
    def take(self, now: float) -> None:
        # Insertion order breaks ties, as dictionaries keep it.
        expected = sorted((key for key, at in self.model.items() if at <= now), key=lambda key: self.model[key])
        assert self.agenda.due(now) == expected
        for key in expected:
            del self.model[key]

    @invariant()
    def agrees(self) -> None:
        assert len(self.agenda) == len(self.model)
        assert self.agenda.next_at() == min(self.model.values(), default=None)
        assert all((key in self.agenda) == (key in self.model) for key in range(41))

    @invariant()
    def keeps_no_more_than_twice_what_is_due(self) -> None:
        assert len(self.agenda._heap) <= max(64, 2 * len(self.model))


TestAgenda = AgendaIsADictOfTimes.TestCase
TestAgenda.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class Key:
    pass


@given(st.integers(200, 400))
@settings(max_examples=5, deadline=None)
def test_what_is_discarded_is_let_go_of(count: int) -> None:
    agenda: Agenda[Key] = Agenda()
    held = [Key() for _ in range(count)]
    for key in held:
        agenda.schedule(key, 6 * 3600.0)
    agenda.schedule(Key(), 1.0)
    gone = [weakref.ref(key) for key in held]
    for key in held:
        agenda.discard(key)
    del held, key
    gc.collect()
    assert sum(ref() is not None for ref in gone) <= 64
