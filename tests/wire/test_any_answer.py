"""Whatever stands in any place of any documented answer is understood or told with its place."""

import copy
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar import Akool, Surreal
from talking_avatar.errors import ApiError, DecodeError
from talking_avatar.transport.budget import Budget
from talking_avatar.transport.gate import Gate
from talking_avatar.transport.retry import Retry
from talking_avatar.wire import json_speed
from tests.akool import payloads as akool_payloads
from tests.akool.payloads import success
from tests.doubles import LeapingClock, canned
from tests.surreal import payloads as surreal_payloads

PHOTO = "https://example.com/photo"

SURREAL: dict[str, tuple[Callable[[Surreal], Awaitable[Any]], Any]] = {
    "generate_avatar": (lambda it: it.cg_avatar.generate_avatar(PHOTO), surreal_payloads.AVATAR_RAW),
    "cg list_avatars": (lambda it: it.cg_avatar.list_avatars(), surreal_payloads.AVATAR_LIST),
    "a2v list_avatars": (lambda it: it.a2v.list_avatars(), surreal_payloads.PRESENTERS),
    "list_poses": (lambda it: it.a2v.list_poses("29"), surreal_payloads.POSES),
    "get_video": (lambda it: it.a2v.get_video("v"), surreal_payloads.FINISHED_MASKED_A2V),
    "list_videos": (lambda it: it.a2v.list_videos(), surreal_payloads.VIDEO_LIST_A2V),
    "list_voices": (lambda it: it.tts.list_voices(), surreal_payloads.VOICES),
    "generate_speech": (lambda it: it.tts.generate_speech("Hi", voice_name="v"), surreal_payloads.SPEECH),
}
AKOOL: dict[str, tuple[Callable[[Akool], Awaitable[Any]], Any]] = {
    "get_video": (lambda it: it.talking_avatar.get_video("v"), success(akool_payloads.VIDEO)),
    "list_avatars": (lambda it: it.avatars.list_avatars(), success({"result": [akool_payloads.AVATAR_LIST_ROW]})),
    "get_avatar": (lambda it: it.avatars.get_avatar("a"), success([akool_payloads.AVATAR_UPLOADED_ROW])),
    "list_voices": (lambda it: it.voices.list_voices(), success(akool_payloads.VOICE_LIST)),
    "get_speech": (lambda it: it.voices.get_speech("s"), success({"result": akool_payloads.SPEECH})),
    "get_voice": (lambda it: it.voices.get_voice("c"), success(akool_payloads.CLONED)),
    "credits": (lambda it: it.account.credits(), success({"credit": 3})),
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=6)
    | st.sampled_from(["", " ", "\ud83d", "1e999", "nan", 10**30, -1, 1e300, "a b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*here, key))


def with_value(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(content)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return changed


def without(content: Any, place: tuple[Any, ...]) -> Any:
    if not place:
        return {}
    changed = copy.deepcopy(content)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    del holder[place[-1]]
    return changed


def result_of(awaitable: Awaitable[Any]) -> Any:
    """Run what never really waits, without a loop."""
    steps = awaitable.__await__()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def client(kind: Any) -> Any:
    made = kind("secret-token-or-key", clock=LeapingClock(), retry=Retry(attempts=1))
    made._channel.gate = Gate(Budget(limit=None), made.clock)
    return made


@pytest.fixture(params=["orjson", "json"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    monkeypatch.setattr(json_speed, "_loads", None)


def understood_or_told(surface: Any, call: Callable[[Any], Awaitable[Any]], content: Any, *, at_root: bool) -> None:
    canned(surface, content)
    try:
        result_of(call(surface))
    except ApiError as error:
        told = error
    else:
        return
    # Only what stands beside the data can turn an answer into a refusal.
    assert at_root or isinstance(told, DecodeError)
    assert not isinstance(told, DecodeError) or told.path.startswith("$")
    assert told.call
    assert told.service
    assert told.body


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(("kind", "name"), [(Surreal, name) for name in SURREAL] + [(Akool, name) for name in AKOOL])
@given(data=st.data())
def test_any_json_value_in_any_place_gives_a_value_or_the_place_where_it_went_wrong(
    kind: Any, name: str, data: st.DataObject
) -> None:
    call, sample = (SURREAL if kind is Surreal else AKOOL)[name]
    place = data.draw(st.sampled_from(list(places(sample))))
    removed = bool(place) and data.draw(st.booleans())
    content = without(sample, place) if removed else with_value(sample, place, data.draw(json_values))
    understood_or_told(client(kind), call, content, at_root=place[:1] != ("data",))


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"video_id": "v", "status": ["finished"]}, "$.data.status"),
        ({"status": "finished"}, "$.data"),
        ({"video_id": "", "status": "finished"}, "$.data.video_id"),
        ({"video_id": "v", "video_url": {"a": 1}}, "$.data.video_url"),
        ([{}, {}], "$.data"),
        (None, "$.data"),
        ("v", "$.data"),
    ],
)
def test_the_place_of_a_fault_is_named(content: Any, path: str) -> None:
    surreal = client(Surreal)
    canned(surreal, {"code": 0, "data": content})
    with pytest.raises(DecodeError) as caught:
        result_of(surreal.v2v.get_video("v"))
    assert caught.value.path.startswith(path)
    assert caught.value.path in str(caught.value)


def test_the_place_of_a_fault_in_a_list_has_its_row() -> None:
    akool = client(Akool)
    rows = [akool_payloads.AVATAR_LIST_ROW, {**akool_payloads.AVATAR_LIST_ROW, "name": []}]
    canned(akool, success({"result": rows}))
    with pytest.raises(DecodeError) as caught:
        result_of(akool.avatars.list_avatars())
    assert caught.value.path == "$.data.result[1].name"


def test_the_place_of_a_fault_in_a_pose_has_its_avatar() -> None:
    surreal = client(Surreal)
    canned(surreal, {"code": 0, "data": [{"id": 1, "poses": [{"pose_id": "p"}, {"name": "x"}]}]})
    with pytest.raises(DecodeError) as caught:
        result_of(surreal.a2v.list_avatars())
    assert caught.value.path.startswith("$.data[0].poses[1]")


def test_an_answer_that_names_a_paid_job_unreadably_leaves_the_create_open() -> None:
    surreal = client(Surreal)
    canned(surreal, {"code": 0, "data": {"status": "pending"}})
    with pytest.raises(DecodeError, match="may have been accepted and paid") as caught:
        result_of(surreal.cg_avatar.generate_avatar(PHOTO))
    assert not caught.value.refused
