import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.akool.codes import DIALECT as AKOOL
from talking_avatar.errors import (
    ApiError,
    AuthError,
    DecodeError,
    InvalidRequest,
    NotFound,
    QuotaError,
    ServerFault,
    Throttled,
)
from talking_avatar.surreal.vocabulary import DIALECT as SURREAL
from talking_avatar.transport.call import Answer, Call
from talking_avatar.transport.hints import RateHint
from talking_avatar.wire.envelope import Dialect, open_envelope
from tests.doubles import answer

PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
CREATE: Call[Any] = Call(method="POST", path="/v1/v2v/video.generate", parse=lambda data: data, idempotent=False)
READ: Call[Any] = Call(method="GET", path="/v1/v2v/video.get", parse=lambda data: data)
AKOOL_CREATE: Call[Any] = Call(
    method="POST", path="/api/open/v3/talkingavatar/create", parse=lambda data: data, idempotent=False
)
AKOOL_BALANCE: Call[Any] = Call(method="GET", path="/api/open/v3/faceswap/quota/info", parse=lambda data: data)

AKOOL_CODES: dict[type[ApiError], tuple[int, ...]] = {
    InvalidRequest: (1003, 1007, 1010, 1011, 1013, *range(1202, 1213), 1222),
    AuthError: (1004, 1009, 1101, 1102, 1200),
    Throttled: (1005,),
    QuotaError: (1006, 1103, 1104, 1213, 1221),
    NotFound: (1008, 1014),
    ServerFault: (1015, 1016, 1017, 1105, 1108, 1110, 1111, 1112, 1201, *range(1214, 1221), 1223),
}
BY_CODE = [(code, error) for error, codes in AKOOL_CODES.items() for code in codes]


def refused(content: Any, status: int = 200, *, call: Call[Any] = CREATE, dialect: Dialect = SURREAL) -> ApiError:
    with pytest.raises(ApiError) as caught:
        open_envelope(answer(content, status), call, dialect)
    return caught.value


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        ({"code": 0, "data": {"a": 1}, "message": "success"}, SURREAL),
        ({"code": "0", "data": {"a": 1}}, SURREAL),
        ({"data": {"a": 1}}, SURREAL),
        ({"code": 1000, "msg": "ok", "data": {"a": 1}}, AKOOL),
        ({"code": "1000", "data": {"a": 1}}, AKOOL),
        (b'\xef\xbb\xbf{"code": 0, "data": {"a": 1}}', SURREAL),
    ],
)
def test_a_success_gives_its_data_however_the_code_is_spelled(content: Any, dialect: Dialect) -> None:
    assert open_envelope(answer(content), READ, dialect) == {"a": 1}


@pytest.mark.parametrize(("code", "error"), BY_CODE)
@pytest.mark.parametrize("spell", [int, str])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_every_code_of_akool_is_the_error_that_says_what_to_do(
    code: int, error: type[ApiError], spell: Any, status: int
) -> None:
    caught = refused({"code": spell(code), "msg": "Words Of Akool"}, status, call=AKOOL_CREATE, dialect=AKOOL)
    assert type(caught) is error
    assert (caught.code, caught.words, caught.http_status, caught.service) == (code, "Words Of Akool", status, "akool")
    assert caught.call == "POST /api/open/v3/talkingavatar/create"
    assert caught.refused
    assert str(code) in str(caught)
    assert "Words Of Akool" in str(caught)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/api/open/v3/talkingavatar/create", ServerFault),
        ("/api/open/v3/content/video/infobymodelid", ServerFault),
        ("/api/open/v3/avatar/create", ServerFault),
        ("/api/open/v3/faceswap/quota/info", AuthError),
        ("/api/open/v3/getToken", AuthError),
        ("/api/open/v3/avatar/list", AuthError),
    ],
)
def test_1109_means_what_the_call_it_answered_says(path: str, error: type[ApiError]) -> None:
    call: Call[Any] = Call(method="GET", path=path, parse=lambda data: data)
    assert type(refused({"code": 1109, "msg": "x"}, call=call, dialect=AKOOL)) is error


def test_only_codes_about_the_token_ask_for_another_token() -> None:
    told = {code: refused({"code": code}, dialect=AKOOL).token_expired for code, _ in BY_CODE}
    assert {code for code, expired in told.items() if expired} == {1101, 1102}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequest),
        (401, AuthError),
        (402, QuotaError),
        (403, AuthError),
        (404, NotFound),
        (408, ServerFault),
        (413, InvalidRequest),
        (418, ApiError),
        (422, InvalidRequest),
        (429, Throttled),
        (500, ServerFault),
        (503, ServerFault),
    ],
)
def test_an_undocumented_code_goes_by_the_http_status(status: int, error: type[ApiError]) -> None:
    assert type(refused({"code": "10001", "message": "nope"}, status)) is error


def test_surreals_1009_is_haste_and_akools_a_permission() -> None:
    too_many = {"code": 1009, "message": "Too Many Request", "data": None}
    assert type(refused(too_many, 429)) is Throttled
    assert type(refused(too_many, 200)) is Throttled
    assert type(refused({"code": 1009, "msg": "x"}, dialect=AKOOL)) is AuthError


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        ({"status": 404, "msg": "not here"}, 200, NotFound),
        ({"status": 404, "msg": "not here"}, 404, NotFound),
        ({"status": 503, "msg": "down"}, 200, ServerFault),
        ({"status": 401, "data": None}, 200, AuthError),
        ({"message": "no Route matched"}, 404, DecodeError),
        ({"msg": "?"}, 200, DecodeError),
        ({"code": True, "msg": "?"}, 200, DecodeError),
        ([], 200, DecodeError),
        ("null", 200, DecodeError),
        (b"", 200, DecodeError),
        (b"\x00\xff garbage", 200, DecodeError),
        (PAGE, 200, DecodeError),
        (PAGE, 404, DecodeError),
        (PAGE, 302, DecodeError),
        (PAGE, 400, InvalidRequest),
        (PAGE, 429, Throttled),
        (PAGE, 502, ServerFault),
    ],
)
def test_what_is_no_envelope_is_told_for_what_it_is(content: Any, status: int, error: type[ApiError]) -> None:
    assert type(refused(content, status)) is error


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"code": 10001, "message": "bad photo"}, 200),
        ({"code": "10001"}, 400),
        ({"code": 1201}, 500),
        ({"code": 404, "message": "x"}, 200),
        ({"message": "x"}, 404),
        ({"status": 404, "msg": "x"}, 200),
        ({"code": "BadRequest"}, 200),
        (PAGE, 404),
        (PAGE, 403),
        (PAGE, 429),
        ({"code": 0, "data": {}}, 400),
        ([], 400),
    ],
)
def test_a_create_was_refused_where_the_service_turned_it_away_itself(content: Any, status: int) -> None:
    error = refused(content, status, dialect=AKOOL if content == {"code": 1201} else SURREAL)
    assert error.refused
    assert "Nothing was started" in str(error)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (PAGE, 502),
        (PAGE, 200),
        (PAGE, 302),
        (b"", 200),
        (b"\x00garbage", 200),
        ({"code": 0, "data": {}}, 500),
        ({"code": 10001, "message": "?"}, 500),
        ({"code": "InternalError"}, 503),
        ({"code": 502}, 200),
        ({"status": 503}, 200),
        ({"status": 500, "error": "internal"}, 500),
        ({"message": "?"}, 200),
    ],
)
def test_the_outcome_of_a_create_is_open_where_only_a_gateway_or_nonsense_answered(content: Any, status: int) -> None:
    error = refused(content, status)
    assert not error.refused
    assert "may have been accepted and paid" in str(error)
    assert "look at the service before you send it again" in str(error)


def test_a_message_says_what_happened_what_it_means_and_what_to_do() -> None:
    error = refused({"code": 1104, "msg": "Insufficient balance"}, call=AKOOL_CREATE, dialect=AKOOL)
    assert str(error) == (
        'akool refused POST /api/open/v3/talkingavatar/create: 1104 "Insufficient balance" (HTTP 200). '
        "Nothing was started; the credit balance is too low; top it up."
    )
    read = refused({"status": 503}, call=AKOOL_BALANCE, dialect=AKOOL)
    assert "What runs at the service goes on" in str(read)


def test_a_redirect_is_told_without_its_query() -> None:
    moved = Answer(302, {"Location": "https://elsewhere/x?token=1"}, b"")
    with pytest.raises(DecodeError, match="redirect to https://elsewhere/x, which is not followed") as caught:
        open_envelope(moved, READ, SURREAL)
    assert "token=1" not in str(caught.value)


def test_the_body_is_kept_as_an_excerpt() -> None:
    error = refused(b"\xff" + b"x" * 10_000, 502)
    assert error.body.startswith("\ufffdxxx")
    assert len(error.body) == 2_000


@pytest.mark.parametrize(
    ("status", "hint", "seconds"),
    [
        (429, RateHint(retry_after=7.0, reset_in=20.0), 7.0),
        (429, RateHint(reset_in=20.0), 20.0),
        (429, RateHint(retry_after=0.0, reset_in=20.0), 0.0),
        (503, RateHint(retry_after=7.0), 7.0),
        (503, RateHint(reset_in=20.0), None),
    ],
)
def test_the_end_of_the_window_matters_only_to_who_asked_too_often(
    status: int, hint: RateHint, seconds: float | None
) -> None:
    with pytest.raises(ApiError) as caught:
        open_envelope(answer({"code": 9}, status), READ, SURREAL, hint=hint)
    assert caught.value.retry_after == seconds


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
envelopes = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("code", "message", "msg", "data", "status", "error"), json_values)
)


@given(
    body=st.binary(max_size=60) | envelopes.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 201, 204, 301, 400, 401, 404, 429, 500, 502]),
    dialect=st.sampled_from([SURREAL, AKOOL]),
)
def test_any_bytes_give_a_payload_or_an_api_error(body: bytes, status: int, dialect: Dialect) -> None:
    try:
        open_envelope(Answer(status, {}, body), CREATE, dialect)
    except ApiError as error:
        told = error
    else:
        assert status < 300
        return
    assert told.http_status == status
    assert told.refused or not 400 <= status < 500
