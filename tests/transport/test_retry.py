# ruff: noqa: S311 - chance that repeats is what a test wants

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar import Backoff
from talking_avatar.errors import AuthError, InvalidRequest, NotFound, ServerFault, Throttled, Unreachable
from talking_avatar.transport.retry import Retry

UNSENT, SENT = Unreachable("x", sent=False), Unreachable("x", sent=True)


def tries(*outcomes: Any, idempotent: bool, waits: list[float] | None = None) -> tuple[int, Any]:
    """How often a call was tried, and what came of it."""
    rng = random.Random(1)
    for tried, outcome in enumerate(outcomes, start=1):
        if not isinstance(outcome, Exception):
            return tried, outcome
        wait = Retry().wait_after(outcome, tried, idempotent=idempotent, rng=rng)
        if wait is None:
            return tried, outcome
        if waits is not None:
            waits.append(wait)
    raise AssertionError("it would go on")


@pytest.mark.parametrize("error", [UNSENT, SENT, ServerFault("x"), Throttled("x")])
def test_a_read_is_tried_again_after_what_may_pass(error: Exception) -> None:
    assert tries(error, error, "fine", idempotent=True) == (3, "fine")


@pytest.mark.parametrize("error", [AuthError("x"), InvalidRequest("x"), NotFound("x"), ValueError("x")])
def test_nothing_is_tried_again_after_what_will_not_pass(error: Exception) -> None:
    assert tries(error, "fine", idempotent=True) == (1, error)
    assert tries(error, "fine", idempotent=False) == (1, error)


@pytest.mark.parametrize("error", [SENT, ServerFault("x")])
def test_a_create_that_may_have_arrived_is_sent_once(error: Exception) -> None:
    assert tries(error, "fine", idempotent=False) == (1, error)


@pytest.mark.parametrize("error", [UNSENT, Throttled("x")])
def test_a_create_that_never_left_or_was_turned_away_for_haste_may_go_again(error: Exception) -> None:
    assert tries(error, "fine", idempotent=False) == (2, "fine")


def test_the_last_error_is_told_when_the_tries_are_used_up() -> None:
    errors = [ServerFault(str(number)) for number in range(9)]
    assert tries(*errors, idempotent=True) == (4, errors[3])


def test_the_service_may_ask_for_a_longer_wait_but_not_for_a_shorter_one() -> None:
    waits: list[float] = []
    tries(Throttled("x", retry_after=50.0), Throttled("x", retry_after=0.0), "fine", idempotent=True, waits=waits)
    assert waits[0] == 50.0
    assert 0 < waits[1] <= 1.0


@given(
    initial=st.floats(0.01, 10),
    maximum=st.floats(0.01, 100),
    factor=st.floats(1, 1e9),
    jitter=st.floats(0, 1),
    attempt=st.integers(0, 5_000),
    seed=st.integers(),
)
def test_a_wait_lies_between_nothing_and_its_ceiling(
    initial: float, maximum: float, factor: float, jitter: float, attempt: int, seed: int
) -> None:
    backoff = Backoff(initial=initial, maximum=maximum, factor=factor, jitter=jitter)
    wait = backoff.wait(attempt, random.Random(seed))
    assert 0 < wait <= backoff.ceiling(attempt) <= maximum
    assert backoff.ceiling(attempt) <= backoff.ceiling(attempt + 1)


def test_full_jitter_draws_from_the_whole_range() -> None:
    rng = random.Random(7)
    waits = [Backoff(initial=10, maximum=10).wait(0, rng) for _ in range(2_000)]
    assert min(waits) < 0.5
    assert max(waits) > 9.5
    assert abs(sum(waits) / len(waits) - 5) < 0.3


def test_without_jitter_the_waits_double_up_to_the_maximum() -> None:
    waits = Backoff(initial=1, maximum=5, jitter=0).waits(random.Random())
    assert [next(waits) for _ in range(5)] == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    "wrong", [{"initial": 0}, {"maximum": -1}, {"factor": 0.5}, {"jitter": 1.5}, {"initial": float("nan")}]
)
def test_a_backoff_that_could_spin_or_shrink_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Backoff(**wrong)


def test_a_retry_without_a_single_attempt_is_refused() -> None:
    with pytest.raises(ValueError, match="attempts"):
        Retry(attempts=0)
