from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.transport.hints import LONGEST_WAIT, LONGEST_WINDOW, NOTHING_SAID, read_hint

NOW = 1_800_000_000.0


def test_silence_says_nothing() -> None:
    assert read_hint({"Content-Type": "text/html"}, NOW) is NOTHING_SAID


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20),
        ("0", 0),
        (f"{NOW + 20:.0f}", 20),
        (f"{(NOW + 20) * 1000:.0f}", 20),
        (f"{NOW - 5:.0f}", 0),
        (f"{NOW + 86_400:.0f}", LONGEST_WINDOW),
        ("99999", LONGEST_WINDOW),
        ("-3", 0),
        ("soon", None),
        ("inf", None),
        ("", None),
    ],
)
def test_the_reset_is_read_in_every_unit_and_clamped(value: str, seconds: float | None) -> None:
    assert read_hint({"X-Ratelimit-Reset": value}, NOW).reset_in == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After-Ms": "1500"}, 1.5),
        ({"Retry-After": "9", "Retry-After-Ms": "1500"}, 1.5),
        ({"Retry-After": "9", "Retry-After-Ms": "soon"}, 9),
        ({"Retry-After": formatdate(NOW + 30, usegmt=True)}, 30),
        ({"Retry-After": formatdate(NOW - 30, usegmt=True)}, 0),
        ({"Retry-After": formatdate(NOW + 86_400, usegmt=True)}, LONGEST_WAIT),
        ({"Retry-After": f"{NOW + 12:.0f}"}, 12),
        ({"Retry-After": f"{(NOW + 12) * 1000:.0f}"}, 12),
        ({"Retry-After": "86400"}, LONGEST_WAIT),
        ({"Retry-After-Ms": "1e12"}, LONGEST_WAIT),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "tomorrow"}, None),
        ({"Retry-After": "nan"}, None),
    ],
)
def test_retry_after_is_read_in_seconds_milliseconds_and_as_a_date_and_clamped(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert read_hint(headers, NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("total", "left", "read"),
    [("30", "29", (30, 29)), ("30", "0", (30, 0)), ("0", "-1", (None, None)), ("many", "1e400", (None, None))],
)
def test_the_limit_and_what_is_left_of_it_are_counts(
    total: str, left: str, read: tuple[int | None, int | None]
) -> None:
    hint = read_hint({"X-Ratelimit-Total": total, "X-Ratelimit-Left": left}, NOW)
    assert (hint.total, hint.left) == read


NAMES = ("X-Ratelimit-Total", "X-Ratelimit-Left", "X-Ratelimit-Reset", "Retry-After", "Retry-After-Ms")


@given(headers=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30) | st.floats().map(str)))
def test_whatever_a_header_says_no_wait_is_negative_or_long(headers: dict[str, str]) -> None:
    hint = read_hint(headers, NOW)
    assert hint.reset_in is None or 0 <= hint.reset_in <= LONGEST_WINDOW
    assert hint.retry_after is None or 0 <= hint.retry_after <= LONGEST_WAIT
    assert hint.left is None or hint.left >= 0
    assert hint.total is None or hint.total >= 1
