import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.wire import json_speed


@pytest.fixture(params=["orjson", "json"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    monkeypatch.setattr(json_speed, "_loads", None)
    return iter(())


pytestmark = pytest.mark.usefixtures("_reader")

DEEP = b"[" * 200_000 + b"]" * 200_000


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"[Infinity]", b"\xff\xfe", b'{"a": 1} x', b"'a'", DEEP])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the reader's
        json_speed.read_json(body)


@pytest.mark.parametrize("body", [b'{"a":[1,2.5,null,"\\u00e9"]}', b'\xef\xbb\xbf{"a":[1,2.5,null,"\xc3\xa9"]}'])
def test_json_is_read_with_or_without_a_byte_order_mark(body: bytes) -> None:
    assert json_speed.read_json(body) == {"a": [1, 2.5, None, "é"]}


@given(value=st.recursive(st.integers(-(2**53), 2**53) | st.text() | st.booleans() | st.none(), st.lists, max_leaves=5))
def test_every_reader_gives_what_was_written(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    assert json_speed.read_json(body) == value
