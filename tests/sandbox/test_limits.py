from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.sandbox.limits import FixedWindow


def test_thirty_requests_a_minute_and_then_none() -> None:
    limiter = FixedWindow(30)
    verdicts = [limiter.take(1000 + second) for second in range(31)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 30 + [False]
    assert [verdict.left for verdict in verdicts] == [*range(29, -1, -1), 0]


def test_the_window_opens_with_its_first_request() -> None:
    limiter = FixedWindow(1)
    assert limiter.take(1000).reset == 1060
    assert not limiter.take(1059.9).allowed
    assert limiter.take(1060).allowed


def test_headers_are_the_three_of_the_guide() -> None:
    assert FixedWindow(30).take(1000.5).headers() == {
        "X-Ratelimit-Total": "30",
        "X-Ratelimit-Left": "29",
        "X-Ratelimit-Reset": "1061",
    }


def test_zero_is_no_limit_and_no_headers() -> None:
    limiter = FixedWindow(0)
    verdicts = [limiter.take(0) for _ in range(100)]
    assert all(verdict.allowed and not verdict.headers() for verdict in verdicts)


@given(st.lists(st.floats(min_value=0, max_value=1e4), max_size=200), st.integers(1, 5))
def test_no_window_ever_lets_more_through_than_its_limit(moments: list[float], limit: int) -> None:
    limiter = FixedWindow(limit, seconds=60)
    verdicts = [limiter.take(moment) for moment in sorted(moments)]
    for reset in {verdict.reset for verdict in verdicts}:
        assert sum(verdict.allowed for verdict in verdicts if verdict.reset == reset) <= limit


def test_a_clock_that_was_set_back_opens_a_new_window() -> None:
    limiter = FixedWindow(1)
    limiter.take(1_000_000)
    assert limiter.take(10).allowed
