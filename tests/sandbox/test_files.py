import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.sandbox.storage import Shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
async def result(caller: Any, clock: Any) -> str:
    """The address of a finished video."""
    body = {"pose_id": "kem_03", "audio_url": await caller.uploaded(b"SOUND:10")}
    made = await caller.data("/v1/a2v/video.generate", body)
    await caller.sandbox.idle()
    clock.advance(60)
    return str((await caller.data("/v1/a2v/video.get", video_id=made["video_id"]))["video_url"])


async def test_a_range_is_answered_with_that_part(caller: Any, result: str) -> None:
    _, whole, headers = await caller.download(result)
    status, part, ranged = await caller.download(result, Range="bytes=4-7")
    assert (status, part, ranged["Content-Range"]) == (206, b"ftyp", f"bytes 4-7/{len(whole)}")
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Type"] == "video/mp4"


async def test_the_rest_is_sent_while_the_file_is_the_same_and_else_all_of_it(caller: Any, result: str) -> None:
    _, whole, headers = await caller.download(result)
    rest = await caller.download(result, Range="bytes=10-", If_Range=headers["ETag"])
    assert (rest[0], rest[1]) == (206, whole[10:])
    changed = await caller.download(result, Range="bytes=10-", If_Range='"another"')
    assert (changed[0], changed[1]) == (200, whole)
    assert (await caller.download(result, If_None_Match=headers["ETag"]))[0] == 304


async def test_head_tells_the_size_without_the_file(caller: Any, result: str) -> None:
    _, whole, _ = await caller.download(result)
    async with caller.session.head(result) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(whole)))
        assert await response.read() == b""


async def test_an_address_that_was_tampered_with_is_refused(caller: Any, result: str) -> None:
    for forged in (
        result.replace("Expires=1", "Expires=2"),
        result[:-1] + ("A" if result[-1] != "A" else "B"),
        result.partition("?")[0],
        re.sub("[0-9a-f]{32}", "0" * 32, result),
        re.sub(r"Expires=\d+", "Expires=%C2%B2", result),
    ):
        status, body, _ = await caller.download(forged)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True), forged


async def test_a_file_can_be_uploaded_raw_or_by_a_form(caller: Any) -> None:
    raw = await caller.call("POST", "/uploads?name=My Photo.JPG", headers={}, data=b"FACE:200")
    form = FormData()
    form.add_field("note", "hello")
    form.add_field("file", b"SOUND:1", filename="a.mp3", content_type="audio/mpeg")
    sent = await caller.call("POST", "/uploads", headers={}, data=form)
    assert (raw.body["bytes"], raw.body["url"][-4:], sent.body["url"][-4:]) == (8, ".jpg", ".mp3")
    assert (await caller.download(raw.body["url"]))[1] == b"FACE:200"
    assert (await caller.download(sent.body["url"]))[1] == b"SOUND:1"


async def test_an_upload_that_is_empty_or_has_no_file_is_refused(caller: Any) -> None:
    assert (await caller.call("POST", "/uploads", headers={}, data=b"")).status == 400
    form = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await caller.call("POST", "/uploads", headers=headers, data=form)).status == 400


async def test_an_upload_has_a_limit(caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talking_avatar.sandbox.files.UPLOAD_BYTES", 1000)
    answer = await caller.call("POST", "/uploads", headers={}, data=b"x" * 1001)
    assert (answer.status, "larger" in answer.body["error"]) == (413, True)


async def test_an_uploaded_page_does_not_run_as_one(caller: Any) -> None:
    answer = await caller.call("POST", "/uploads?name=a.html", headers={}, data=b"<script>")
    _, _, headers = await caller.download(answer.body["url"])
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")


async def test_the_index_and_health_say_what_this_is(caller: Any) -> None:
    async with caller.session.get(caller.sandbox.url) as response:
        page = await response.text()
    assert "sandbox" in page
    assert caller.sandbox.token not in page
    assert (await caller.get("/health")).body == {"status": "ok", "jobs": 0}


@given(st.text(max_size=50))
def test_a_name_never_leaves_the_folder(name: str) -> None:
    shelf = Shelf(Path("/shelf"))
    path = shelf.path(name)
    assert path.parent == shelf.folder
    assert path.name not in {"", ".", ".."}


@given(st.text(max_size=20), st.text(max_size=40), st.floats(0, 1e10))
def test_only_what_was_signed_is_believed(expires: str, signature: str, now: float) -> None:
    shelf = Shelf(Path("/shelf"))
    assert shelf.judge("a.mp4", expires, signature, now=now) == "forged"
