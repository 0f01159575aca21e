"""Health turns with the second failure in a row and back with the first answer, and never hammers."""

import random

from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.errors import Throttled, Unreachable
from talking_avatar.watch.health import Health

outcomes = st.lists(st.booleans(), max_size=40)


@given(outcomes, st.integers(0, 99))
def test_it_turns_exactly_when_two_failures_meet_and_when_an_answer_ends_them(outcomes: list[bool], seed: int) -> None:
    health, rng, in_a_row = Health(), random.Random(seed), 0  # noqa: S311
    for at, is_answer in enumerate(outcomes):
        turned = health.succeeded() if is_answer else health.failed(Unreachable("down"), at, rng)
        assert turned == (in_a_row >= 2 if is_answer else in_a_row == 1)
        in_a_row = 0 if is_answer else in_a_row + 1
        assert health.is_failing == (in_a_row >= 2)
        assert health.failing_since == (at - in_a_row + 1 if in_a_row else float("inf"))


@given(st.integers(1, 400), st.integers(0, 99))
def test_the_wait_for_the_next_probe_is_bounded(failures: int, seed: int) -> None:
    health, rng = Health(), random.Random(seed)  # noqa: S311
    for _ in range(failures):
        health.failed(Unreachable("down"), 100.0, rng)
        assert 100.0 < health.retry_at <= 160.0


def test_it_waits_as_long_as_the_service_asks() -> None:
    health = Health()
    health.failed(Throttled("slower", retry_after=45.0), 10.0, random.Random(0))  # noqa: S311
    assert health.retry_at >= 55.0
