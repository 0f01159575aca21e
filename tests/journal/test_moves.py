"""The transition table, without any store."""

import pickle
from contextlib import suppress
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.errors import JournalError
from talking_avatar.journal import OPEN_STATES, SETTLED_STATES, Entry, EntryState, TransitionRefused
from talking_avatar.journal.moves import MOVES, moved

FRESH = Entry(number=7, service="surreal", family="v2v", payload="{}", fingerprint="f", planned_at=1.0, holder="me")
FACTS: dict[str, Any] = {
    "accepted": {"job_id": "j"},
    "adopted": {"job_id": "j"},
    "unknown": {"why": "reset"},
    "failed": {"why": "no face"},
    "downloaded": {"path": "a.mp4"},
}
stories = st.lists(st.sampled_from(sorted(MOVES)), max_size=12)


def told(story: list[str]) -> list[Entry]:
    """Every entry on the way, leaving out what was refused."""
    entries = [FRESH]
    for at, name in enumerate(story, start=2):
        with suppress(TransitionRefused):
            entries.append(moved(entries[-1], name, float(at), **FACTS.get(name, {})))
    return entries


@given(st.sampled_from(sorted(MOVES)), st.sampled_from(list(EntryState)))
def test_a_refusal_names_the_state_it_is_in_and_the_one_it_wanted(name: str, state: EntryState) -> None:
    entry = attrs.evolve(FRESH, state=state)
    if state in MOVES[name].sources:
        assert moved(entry, name, 2.0, **FACTS.get(name, {})).state is MOVES[name].target
        return
    with pytest.raises(TransitionRefused, match=f"entry 7 is {state} and cannot become {MOVES[name].target}"):
        moved(entry, name, 2.0, **FACTS.get(name, {}))


@given(stories)
def test_an_open_entry_is_exactly_one_that_was_not_settled(story: list[str]) -> None:
    for entry in told(story):
        assert (entry.state in OPEN_STATES) == (entry.settled_at is None)


@given(stories)
def test_what_has_a_job_keeps_it_and_is_never_planned_again(story: list[str]) -> None:
    entries = told(story)
    for before, after in pairwise(entries):
        if before.job_id is not None:
            assert after.job_id == before.job_id
            assert after.state not in {EntryState.PLANNED, EntryState.SENT, EntryState.UNKNOWN}


@given(stories)
def test_a_settled_entry_stays_settled_unless_it_never_had_a_job(story: list[str]) -> None:
    entries = told(story)
    for before, after in pairwise(entries):
        if before.state in SETTLED_STATES and after.state is not before.state:
            assert before.state in {EntryState.FAILED, EntryState.ABANDONED}
            assert (before.job_id, after.state) == (None, EntryState.PLANNED)


@given(stories)
def test_nobody_holds_what_is_settled(story: list[str]) -> None:
    for entry in told(story):
        assert entry.state not in SETTLED_STATES or entry.holder is None


def test_every_state_can_be_reached() -> None:
    assert {move.target for move in MOVES.values()} == set(EntryState)


def test_the_longest_reason_is_cut() -> None:
    entry = attrs.evolve(FRESH, state=EntryState.SENT)
    assert len(moved(entry, "unknown", 2.0, why="x" * 1_000_000).error or "") == 2_000


def test_a_refusal_survives_a_process_boundary() -> None:
    with pytest.raises(JournalError) as caught:
        moved(FRESH, "finished", 2.0)
    copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(copied), copied.number, copied.state) == (str(caught.value), 7, "planned")
