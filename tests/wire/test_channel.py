import pytest

from talking_avatar import AudioToVideo, RenderStatus, Surreal, TalkingPhoto
from talking_avatar.errors import (
    DecodeError,
    InvalidRequest,
    NotFound,
    ServerFault,
    TalkingAvatarError,
    Unreachable,
)
from talking_avatar.sandbox import Fault, Sandbox
from tests.doubles import LeapingClock, answer, canned
from tests.surreal import payloads

pytestmark = pytest.mark.anyio

URL = "https://example.com/file"
PHOTO = TalkingPhoto(image_url=URL, audio_url=URL)
PAGE = b"<html>502 Bad Gateway</html>"


def patient(clock: LeapingClock | None = None) -> Surreal:
    # A clock of its own gives each test a budget of its own.
    return Surreal("secret-token", clock=clock or LeapingClock())


@pytest.mark.parametrize(
    "fault",
    [
        Unreachable("x", sent=True),
        answer(PAGE, 502),
        answer({"status": 503}, 503),
        answer(b"garbage"),
        answer({"code": 0, "data": {}}),
    ],
    ids=["lost", "html", "fault", "garbage", "no id"],
)
async def test_a_create_whose_outcome_is_open_is_sent_once_and_a_read_again(fault: object) -> None:
    surreal = patient()
    port = canned(surreal, fault, payloads.CREATED)
    with pytest.raises((Unreachable, ServerFault)):
        await surreal.v2v.generate_video(PHOTO)
    assert len(port.sent) == 1
    port = canned(surreal, fault, payloads.FINISHED)
    assert (await surreal.v2v.get_video("v")).status is RenderStatus.FINISHED
    assert len(port.sent) == 2


async def test_a_create_that_never_left_is_sent_again() -> None:
    surreal = patient()
    port = canned(surreal, Unreachable("x", sent=False), payloads.CREATED)
    assert (await surreal.v2v.generate_video(PHOTO)).status is RenderStatus.PENDING
    assert len(port.sent) == 2


async def test_a_refusal_is_not_argued_with() -> None:
    surreal = patient()
    port = canned(surreal, answer({"code": 10001, "message": "face too small"}, 400))
    with pytest.raises(InvalidRequest, match="face too small"):
        await surreal.v2v.generate_video(PHOTO)
    assert len(port.sent) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry_After": "40"}, 40.0), ({"X_Ratelimit_Reset": "35"}, 35.0), ({"Retry_After_Ms": "33000"}, 33.0)],
)
async def test_haste_is_waited_out_as_long_as_the_service_asks(headers: dict[str, str], wait: float) -> None:
    clock = LeapingClock()
    surreal = patient(clock)
    port = canned(surreal, answer(payloads.TOO_MANY, 429, **headers), payloads.CREATED)
    began = clock.now
    await surreal.v2v.generate_video(PHOTO)
    assert len(port.sent) == 2
    assert wait <= clock.now - began < wait + 61


async def test_the_rate_headers_of_every_answer_are_taken_in() -> None:
    surreal = patient()
    canned(surreal, answer(payloads.FINISHED, X_Ratelimit_Total="12", X_Ratelimit_Left="7", X_Ratelimit_Reset="50"))
    await surreal.v2v.get_video("v")
    budget = surreal._channel.gate.budget
    assert (budget.limit, budget._left) == (12, 7)


async def test_a_client_keeps_to_thirty_requests_a_minute_by_itself() -> None:
    clock = LeapingClock()
    surreal = patient(clock)
    canned(surreal, payloads.FINISHED)
    began = clock.now
    for _ in range(61):
        await surreal.v2v.get_video("v")
    assert clock.now - began >= 120


async def test_what_the_service_quotes_of_the_credential_is_masked() -> None:
    surreal = patient()
    canned(surreal, answer({"code": 401, "message": "token secret-token is illegal"}, 401))
    with pytest.raises(TalkingAvatarError) as caught:
        await surreal.v2v.get_video("v")
    assert "secret-token" not in str(caught.value) + str(vars(caught.value))
    assert '"token *** is illegal"' in str(caught.value)


FAULTS = {
    "503": (Fault.server_error(503), ServerFault),
    "html": (Fault.html(502), ServerFault),
    "garbage": (Fault.garbage(), DecodeError),
    "truncated": (Fault.truncated_json(), DecodeError),
    "reset before": (Fault.reset_before(), Unreachable),
    "reset after": (Fault.reset_after(), Unreachable),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_against_the_sandbox_a_create_is_sent_once_and_a_read_survives(name: str) -> None:
    fault, error = FAULTS[name]
    async with Sandbox(renderer="instant", rate=0) as sandbox:
        async with Surreal(sandbox.token, base_url=sandbox.url, clock=LeapingClock()) as surreal:
            video = await surreal.v2v.generate_video(PHOTO)
            sandbox.requests.clear()
            sandbox.faults.add(fault, endpoint="video.generate")
            sandbox.faults.add(fault, endpoint="video.get")
            with pytest.raises(error):
                await surreal.v2v.generate_video(PHOTO)
            assert (await surreal.v2v.get_video(video.id)).id == video.id
        assert len(sandbox.requests.matching(endpoint="video.generate")) == 1
        assert len(sandbox.requests.matching(endpoint="video.get")) == 2


async def test_against_the_sandbox_every_surreal_call_is_understood() -> None:
    async with Sandbox(renderer="instant", rate=0) as sandbox:  # noqa: SIM117 - the second needs the first
        async with Surreal(sandbox.token, base_url=sandbox.url) as surreal:
            avatar = await surreal.cg_avatar.generate_avatar(URL)
            assert avatar.id in {each.id for each in await surreal.cg_avatar.list_avatars()}
            presenter = (await surreal.a2v.list_avatars())[0]
            assert await surreal.a2v.list_poses(presenter.id)
            voice = (await surreal.tts.list_voices())[0]
            speech = await surreal.tts.generate_speech("Hello", voice_name=voice.name)
            assert speech.url
            masked = AudioToVideo(pose_id=presenter.poses[0].pose_id, audio_url=speech.url, with_mask=True)
            video = await surreal.a2v.generate_video(masked)
            assert video.id in {each.id for each in await surreal.a2v.list_videos()}
            with pytest.raises(NotFound):
                await surreal.a2v.get_video("nobody")
