import asyncio
import io
import subprocess
import sys
import time
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talking_avatar.sandbox import Fault, FaultRule, Lognormal, Sandbox
from talking_avatar.sandbox.serve import serve

pytestmark = pytest.mark.anyio

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *("image_url", "audio_url", "avatar_id", "pose_id", "with_mask", "text", "voice_name", "url", "type", "elements"),
    *("width", "height", "avatar_from", "input_text", "voice_id", "source_voice_file", "clientId", "webhookUrl"),
)
CREATES = (
    "/v1/cg_avatar/avatar.generate",
    "/v1/cg_avatar/video.generate",
    "/v1/a2v/video.generate",
    "/v1/v2v/video.generate",
    "/v1/tts/voice.generate",
    "/api/open/v3/avatar/create",
    "/api/open/v3/talkingavatar/create",
    "/api/open/v3/getToken",
    "/api/open/v4/voice/tts",
    "/api/open/v4/voice/clone",
)


def test_importing_it_loads_no_renderer_and_no_cryptography() -> None:
    heavy = "{'cv2', 'av', 'numpy', 'cryptography'}"
    program = f"import sys, talking_avatar.sandbox; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "set()"


def test_other_machines_are_let_in_only_when_asked_for() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        with pytest.raises(ValueError, match="allow_remote=True"):
            Sandbox(host=host)
        Sandbox(host=host, allow_remote=True)
    for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        Sandbox(host=host)


def test_credentials_are_random_unless_given_and_never_shown() -> None:
    first, second = Sandbox(), Sandbox(token="given", api_key="also given")
    assert first.token != Sandbox().token
    assert (second.token, second.api_key, second.client_secret) == ("given", "also given", "also given")
    assert len(first.client_secret) == 32
    assert "given" not in repr(second._credentials)


def test_what_cannot_be_is_refused_when_it_is_made() -> None:
    for wrong in ({"rate": -1}, {"shapes": "round"}, {"akool_rate": -1}):
        options: dict[str, Any] = wrong
        with pytest.raises(ValueError):  # noqa: PT011 - attrs words it
            Sandbox(**options)


async def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ImportError, match=r"talking-avatar\[sandbox\].*renderer='instant'"):
        await Sandbox().start()
    monkeypatch.setattr("talking_avatar.sandbox.storage.tempfile.mkdtemp", lambda **_options: pytest.fail("a folder"))
    with pytest.raises(ImportError):
        await Sandbox().start()
    monkeypatch.undo()
    async with Sandbox(renderer="instant") as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")


async def test_faults_can_be_given_when_it_is_made(renderer: Any) -> None:
    rules = [FaultRule(fault=Fault.html(), times=None)]
    async with Sandbox(renderer=renderer, faults=rules) as sandbox, ClientSession() as session:
        async with session.get(f"{sandbox.url}/health") as response:
            assert response.status == 502
        sandbox.faults.clear()
        async with session.get(f"{sandbox.url}/health") as response:
            assert response.status == 200


async def test_it_can_be_started_and_closed_without_a_block(renderer: Any) -> None:
    sandbox = Sandbox(renderer=renderer)
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    await sandbox.start()
    with pytest.raises(RuntimeError, match="running already"):
        await sandbox.start()
    folder = sandbox._running.shelf.folder
    assert folder.exists()
    await sandbox.aclose()
    await sandbox.aclose()
    assert not folder.exists()
    await sandbox.start()
    await sandbox.aclose()


async def test_a_port_that_is_taken_leaves_nothing_behind(sandbox: Sandbox, renderer: Any) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    other = Sandbox(renderer=renderer, port=port)
    with pytest.raises(OSError, match="address"):
        await other.start()
    await other.aclose()


async def test_serving_ends_when_it_is_cancelled(renderer: Any) -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(
        serve(Sandbox(renderer=renderer), on_ready=lambda sandbox: ready.set_result(sandbox.url))
    )
    url = await ready
    async with ClientSession() as session, session.get(f"{url}/health") as response:
        assert response.status == 200
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_any_json_is_answered_in_an_envelope(caller: Any) -> None:
    # Hypothesis cannot await, so it draws the requests and they are sent afterwards.
    drawn: list[tuple[str, Any]] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.sampled_from(CREATES), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
    def draw(path: str, body: Any) -> None:
        drawn.append((path, body))

    draw()
    for path, body in drawn:
        answer = await caller.post(path, body)
        assert answer.status in {200, 400}, (path, body)
        assert answer.body["code"] != 0, (path, body)


async def test_bodies_that_are_not_json_are_refused(caller: Any) -> None:
    for path in CREATES:
        for body in (b"\xff\xfe", b"{", b"[" * 100_000, b""):
            answer = await caller.call("POST", path, data=body)
            assert (answer.status in {200, 400}, answer.body["code"] in {0, 1000}) == (True, False)
        answer = await caller.call("POST", path, data=io.BytesIO(b" " * (5 * 2**20)))
        assert answer.status in {200, 400, 413}


class TestJobsThatNobodyRenders:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"fetch_inputs": False, "render_seconds": Lognormal(120, 0.5)}

    async def test_ten_thousand_jobs_are_cheap_and_listed_quickly(self, caller: Any, clock: Any) -> None:
        backstage = caller.sandbox._running
        body = {"image_url": "http://127.0.0.1:9/a", "audio_url": "http://127.0.0.1:9/b"}
        await caller.data("/v1/v2v/video.generate", body)
        tasks = len(asyncio.all_tasks())

        async def nothing() -> dict[str, bytes]:
            return {}

        for number in range(9_999):
            backstage.accept({}, f"{number:032x}", family="surreal.v2v", body=body, order=nothing)
        assert len(asyncio.all_tasks()) == tasks
        clock.advance(120)
        began = time.perf_counter()
        rows = await caller.data("/v1/v2v/video.list")
        assert time.perf_counter() - began < 2
        finished = sum(row["status"] == "finished" for row in rows)
        # Half of them, for 120 s is the median.
        assert 4_700 < finished < 5_300
