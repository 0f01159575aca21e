import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from talking_avatar.backoff import Backoff
from talking_avatar.clock import Clock
from talking_avatar.download.patience import Patience
from talking_avatar.download.progress import Meter, Progress
from talking_avatar.download.verdict import Again, Body, Origin, Refused, Stale, Verdict, Whole, judge

NOTHING = Origin()
HERE = Origin(validator='"v1"', total=100)
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER = "Tue, 14 Nov 2023 22:13:18 GMT"


def judged(status: int, headers: dict[str, str] | None = None, *, kept: int = 0, origin: Origin = NOTHING) -> Verdict:
    return judge(status, CIMultiDict(headers or {}), kept=kept, origin=origin, largest=1_000, now=1_700_000_000.0)


def test_a_whole_file_starts_at_its_beginning() -> None:
    headers = {"Content-Length": "100", "ETag": '"v1"', "Content-Type": "video/mp4"}
    assert judged(200, headers, kept=40, origin=HERE) == Body(start=0, end=100, origin=HERE)


def test_a_file_of_unknown_length_is_accepted() -> None:
    assert judged(200) == Body(start=0, end=None, origin=Origin())


def test_a_range_goes_on() -> None:
    headers = {"Content-Range": "bytes 40-99/100", "Content-Length": "60", "ETag": '"v1"'}
    assert judged(206, headers, kept=40, origin=HERE) == Body(start=40, end=100, origin=HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Range": "bytes 0-99/100"},
        {"Content-Range": "bytes 40-39/100"},
        {"Content-Range": "bytes 40-99/90"},
        {"Content-Range": "bytes 40-99/100", "ETag": '"v2"'},
        {"Content-Range": "bytes 40-109/110"},
        {"Content-Range": "bytes 40-99/100", "Content-Length": "59"},
        {"Content-Type": "multipart/byteranges; boundary=x"},
    ],
)
def test_a_range_that_does_not_fit_starts_over(headers: dict[str, str]) -> None:
    verdict = judged(206, headers, kept=40, origin=HERE)
    assert isinstance(verdict, Again)
    assert verdict.afresh


def test_a_date_validator_is_held_against_the_answer() -> None:
    origin = Origin(validator=EARLIER, total=100)
    verdict = judged(206, {"Content-Range": "bytes 40-99/100", "Last-Modified": DATE}, kept=40, origin=origin)
    assert isinstance(verdict, Again)


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"v"'}, '"v"'),
        ({"ETag": 'W/"v"'}, ""),
        ({"ETag": 'W/"v"', "Last-Modified": EARLIER, "Date": DATE}, EARLIER),
        ({"Last-Modified": DATE, "Date": DATE}, ""),
        ({"Last-Modified": EARLIER}, ""),
        ({"Last-Modified": "yesterday", "Date": DATE}, ""),
        ({"Last-Modified": EARLIER, "Date": "Tue, 14 Nov 2023 22:13:20 -0000"}, EARLIER),
    ],
)
def test_only_a_strong_validator_resumes(headers: dict[str, str], validator: str) -> None:
    verdict = judged(200, headers)
    assert isinstance(verdict, Body)
    assert verdict.origin.validator == validator


def test_no_bytes_beyond_the_end_means_whole() -> None:
    assert judged(416, {"Content-Range": "bytes */100"}, kept=100, origin=Origin(validator='"v1"')) == Whole()


@pytest.mark.parametrize("headers", [{}, {"Content-Range": "bytes */90"}])
def test_an_end_before_what_is_here_starts_over(headers: dict[str, str]) -> None:
    verdict = judged(416, headers, kept=95, origin=HERE)
    assert isinstance(verdict, Again)
    assert verdict.afresh


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refused_link_is_stale(status: int) -> None:
    assert judged(status) == Stale(f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "after", "pause"), [(429, "7", 7), (503, "9999", 60), (500, "", 0), (502, "soon", 0)]
)
def test_a_passing_fault_is_tried_again_when_the_host_asks_for_it(status: int, after: str, pause: float) -> None:
    verdict = judged(status, {"Retry-After": after})
    assert isinstance(verdict, Again)
    assert verdict.pause == pause


@pytest.mark.parametrize("status", [204, 300, 304, 405, 451])
def test_any_other_status_is_refused(status: int) -> None:
    assert isinstance(judged(status), Refused)


@pytest.mark.parametrize(
    "media", ["text/html; charset=utf-8", "application/json", "Application/XML", "application/a+json"]
)
def test_a_page_is_no_video(media: str) -> None:
    assert isinstance(judged(200, {"Content-Type": media}), Refused)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_answer_is_refused_before_it_unfolds(encoding: str) -> None:
    assert isinstance(judged(200, {"Content-Encoding": encoding}), Refused)


def test_a_file_said_to_be_too_large_is_refused() -> None:
    assert isinstance(judged(200, {"Content-Length": "1001"}), Refused)
    assert isinstance(judged(206, {"Content-Range": "bytes 0-9/1001"}), Refused)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(
            ["Content-Length", "Content-Range", "Content-Type", "Content-Encoding", "ETag", "Last-Modified", "Date"]
        ),
        st.one_of(st.text(max_size=40), st.sampled_from(["bytes 0-9/10", "bytes */5", "bytes 1-²/3", DATE, '"x"'])),
    ),
    st.integers(0, 200),
)
def test_every_answer_gets_a_verdict(status: int, headers: dict[str, str], kept: int) -> None:
    assert isinstance(judged(status, headers, kept=kept, origin=HERE), Body | Again | Stale | Refused | Whole)


@given(st.lists(st.integers(0, 1 << 20), max_size=60))
def test_patience_ends_unless_bytes_come(sizes: list[int]) -> None:
    patience = Patience(3, Backoff(jitter=0.0), random.Random(0))  # noqa: S311 - jitter
    in_vain, furthest = 0, 0
    for size in sizes:
        further = patience.reached(size)
        assert further == (size >= furthest + 16 * 1024)
        in_vain = 0 if further else in_vain
        furthest = size if further else furthest
        in_vain += 1
        wait = patience.after_failure(at_least=0.25)
        assert (wait is None) == (in_vain >= 3)
        if wait is None:
            return
        assert wait == 2.0 ** (in_vain - 1)


class TestProgress:
    def test_it_is_told_sparingly_and_at_the_end(self, clock: Clock, slept: list[float]) -> None:
        told: list[Progress] = []
        meter = Meter(clock, [told.append])
        for size in range(10):
            meter.at(size, 100)
        slept.append(0.3)
        meter.at(50, 100)
        meter.end(100)
        assert [progress.received for progress in told] == [0, 50, 100]
        assert told[-1].total == 100

    def test_a_listener_that_breaks_is_left_out(self, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
        told: list[Progress] = []

        def broken(progress: Progress) -> None:
            raise RuntimeError("no terminal")

        meter = Meter(clock, [broken, told.append])
        meter.at(1, None)
        meter.end(2)
        assert [progress.received for progress in told] == [1, 2]
        assert len(caplog.records) == 1
