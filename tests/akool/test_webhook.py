import base64
import builtins
import hashlib
import json
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import example, given
from hypothesis import strategies as st

from talking_avatar.akool import webhook
from talking_avatar.akool.webhook import (
    Notification,
    WebhookReceiver,
    WebhookRefused,
    open_envelope,
    read_notification,
)
from talking_avatar.errors import ConfigurationError, TalkingAvatarError
from talking_avatar.models.results import RenderStatus

CLIENT_ID = "ZHVtbXktY2xpZW50LWlkIQ=="
SECRET = "dummy-secret-24-chars-xx"
SENT = 1710757981609
# Recorded deliveries, made with dummy credentials and checked with two crypto libraries.
VECTORS = {
    SECRET: {
        "signature": "db9b185483d38bf29ade6836db6382642205460d",
        "dataEncrypt": (
            "Zj8Wb93EdoTPsv6qKdF7E92yHsh8avg0bes3yjwRNqtxy7c1FklR1LLHfEAm8+qWidmr8DSaUhm/mVuYHLeeWW/2uLQMF1MxhMywH5xf"
            "FvntUKtXz03BAWX59xZ81AdnEpl9sJHxsEsmqJpCSCXezovp+wxLx5jj5k1Jyo3CzUA="
        ),
        "timestamp": SENT,
        "nonce": "1529",
    },
    "dummy-secret-with-32-characters!": {
        "signature": "2852e4ab83fd49a678937988e2e7f20eb5dc0ec6",
        "dataEncrypt": (
            "LoeqzKKdRHyIF7sBpedhTPpEUOH045YtWho/IhBWJcsUjySv3NHIO8AqL8VdNgqScbjU6Nk5QqE2BBu7NH5GgxB1ON2Buqrcte0/bj0q"
            "QBN1U7zNGN1ufNsiwbfzvxOvZd+dyfJs283ESMAP94YBx5slXu2HBSH/ljm3ipcy4fc="
        ),
        "timestamp": SENT,
        "nonce": "1529",
    },
}
DELIVERY = json.dumps(VECTORS[SECRET]).encode()
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def sealed(content: bytes | Mapping[str, Any], *, secret: str = SECRET, nonce: Any = "1529", sent: Any = SENT) -> bytes:
    """A delivery as Akool makes it."""
    plain = content if isinstance(content, bytes) else json.dumps(content).encode()
    padding = 16 - len(plain) % 16
    cipher = Cipher(algorithms.AES(secret.encode()), modes.CBC(CLIENT_ID.encode()[:16])).encryptor()
    data = base64.b64encode(cipher.update(plain + bytes([padding]) * padding) + cipher.finalize()).decode()
    return signed(data, nonce=nonce, sent=sent)


def signed(data: str, *, nonce: Any = "1529", sent: Any = SENT) -> bytes:
    signature = hashlib.sha1("".join(sorted([CLIENT_ID, str(sent), str(nonce), data])).encode()).hexdigest()  # noqa: S324
    return json.dumps({"signature": signature, "dataEncrypt": data, "timestamp": sent, "nonce": nonce}).encode()


def read(body: bytes, **options: Any) -> Notification:
    return read_notification(body, client_id=CLIENT_ID, client_secret=SECRET, **options)


@pytest.mark.parametrize("secret", VECTORS)
def test_the_recorded_deliveries_are_read(secret: str) -> None:
    body = json.dumps(VECTORS[secret]).encode()
    notification = read_notification(body, client_id=CLIENT_ID, client_secret=secret, now_ms=SENT + 5_000)
    assert notification == Notification(
        id="67491cdb4d9d1664a9782292",
        status=RenderStatus.FINISHED,
        type="avatar",
        url="https://example.com/out.mp4",
        raw={
            "_id": "67491cdb4d9d1664a9782292",
            "status": 3,
            "type": "avatar",
            "url": "https://example.com/out.mp4",
            "deduction_credit": 10,
        },
    )
    assert "example.com" not in repr(notification)


@pytest.mark.parametrize("secret", ["s" * 16, "s" * 24, "s" * 32])
def test_the_secrets_length_chooses_the_cipher(secret: str) -> None:
    body = sealed({"_id": "a", "status": 2}, secret=secret)
    assert read_notification(body, client_id=CLIENT_ID, client_secret=secret).status is RenderStatus.PROCESSING


@pytest.mark.parametrize("nonce", ["1529", 1529, "x", ""])
@pytest.mark.parametrize("sent", [SENT, str(SENT)])
def test_a_nonce_is_a_string_or_a_number(nonce: Any, sent: Any) -> None:
    assert read(sealed({"_id": "a", "status": 4}, nonce=nonce, sent=sent), now_ms=SENT).status is RenderStatus.FAILED


def test_a_number_is_signed_as_javascript_spells_it() -> None:
    body = sealed({"_id": "a", "status": 3}).replace(str(SENT).encode(), f"{SENT}.0".encode())
    assert read(body).id == "a"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (1, RenderStatus.PENDING),
        ("3", RenderStatus.FINISHED),
        (9, RenderStatus.UNKNOWN),
        (True, RenderStatus.UNKNOWN),
        (None, RenderStatus.UNKNOWN),
        ([3], RenderStatus.UNKNOWN),
    ],
)
def test_a_status_that_is_not_documented_is_unknown(word: Any, status: RenderStatus) -> None:
    assert read(sealed({"_id": "a", "status": word})).status is status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"signature": "\xc3\xa9", "dataEncrypt": "", "timestamp": 1, "nonce": 1}',
        b'{"signature": "\\ud800", "dataEncrypt": "\\ud800", "timestamp": 1, "nonce": "\\ud800"}',
        DELIVERY.replace(b"1529", b"1530"),
        DELIVERY.replace(b"db9b", b"db9c"),
        DELIVERY.replace(str(SENT).encode(), b"1e400"),
        DELIVERY.replace(str(SENT).encode(), b"NaN"),
        DELIVERY.replace(str(SENT).encode(), b"true"),
        DELIVERY.replace(str(SENT).encode(), b"9" * 5_000),
        signed(""),
        signed("AAAA"),
        signed("not base64 ä"),
        signed(base64.b64encode(bytes(32)).decode()),
        sealed(b""),
        sealed(b"[]"),
        sealed(b"\xff"),
        sealed({"status": 3}),
        sealed({"_id": "", "status": 3}),
        sealed({"_id": 7, "status": 3}),
        sealed({"_id": "a\nb", "status": 3}),
        sealed({"_id": "a" * 201, "status": 3}),
        sealed({"_id": "a", "status": 3}, secret="another-secret24-chars-x"),
    ],
)
def test_junk_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefused):
        read(body, now_ms=SENT)


@pytest.mark.parametrize(
    ("seconds", "fits"), [(0, True), (86_000, True), (-86_000, True), (87_000, False), (-87_000, False)]
)
def test_age_is_bounded_both_ways(seconds: float, fits: bool) -> None:
    if fits:
        assert read(DELIVERY, now_ms=SENT + seconds * 1000).id
    else:
        with pytest.raises(WebhookRefused, match="too old"):
            read(DELIVERY, now_ms=SENT + seconds * 1000)
    assert read(DELIVERY, now_ms=SENT + seconds * 1000, max_age=None).id


@given(st.binary(max_size=300) | any_json.map(lambda value: json.dumps(value).encode()))
@example(b'{"a":' * 20_000)
def test_any_body_gives_a_notification_or_the_one_error(body: bytes) -> None:
    with suppress(WebhookRefused):
        read(body, now_ms=SENT)


@given(any_json, any_json, any_json, any_json)
def test_any_envelope_gives_a_notification_or_the_one_error(one: Any, two: Any, three: Any, four: Any) -> None:
    envelope = {"signature": one, "dataEncrypt": two, "timestamp": three, "nonce": four}
    with suppress(WebhookRefused):
        read(json.dumps(envelope).encode(), now_ms=SENT)


@given(st.one_of(st.binary(max_size=64), any_json.map(lambda value: json.dumps(value).encode())))
def test_whatever_was_encrypted_gives_a_notification_or_the_one_error(content: bytes) -> None:
    with suppress(WebhookRefused):
        read(sealed(content))


@given(st.dictionaries(st.sampled_from(["_id", "status", "type", "url", "x"]), any_json))
def test_any_content_gives_a_notification_or_the_one_error(content: dict[str, Any]) -> None:
    try:
        notification = read(sealed(content))
    except WebhookRefused:
        return
    assert notification.id == content["_id"]


@given(st.binary(max_size=96).map(lambda data: base64.b64encode(data).decode()))
def test_any_cipher_text_gives_a_notification_or_the_one_error(data: str) -> None:
    with pytest.raises(WebhookRefused):
        open_envelope(json.loads(signed(data)), client_id=CLIENT_ID, client_secret=SECRET)


@pytest.mark.parametrize("secret", ["", "short", "x" * 25, "ä" * 12 + "x"])
def test_a_secret_of_another_length_is_a_configuration_error(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="16, 24 or 32"):
        WebhookReceiver(client_id=CLIENT_ID, client_secret=secret, wake=print)


def test_a_short_client_id_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="client id"):
        WebhookReceiver(client_id="short", client_secret=SECRET, wake=print)


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"talking-avatar\[webhook\]"):
        WebhookReceiver(client_id=CLIENT_ID, client_secret=SECRET, wake=print)


def test_the_refusal_is_one_of_ours_and_travels() -> None:
    assert issubclass(WebhookRefused, TalkingAvatarError)
    refusal = pickle.loads(pickle.dumps(WebhookRefused("x", http_status=413)))  # noqa: S301 - made here
    assert (str(refusal), refusal.http_status) == ("x", 413)


class TestReceiver:
    @pytest.fixture
    def woken(self) -> list[tuple[str, RenderStatus]]:
        return []

    @pytest.fixture
    def settled(self) -> list[tuple[str, str]]:
        return []

    @pytest.fixture
    def receiver(self, woken: list[tuple[str, RenderStatus]], settled: list[tuple[str, str]]) -> WebhookReceiver:
        return WebhookReceiver(
            client_id=CLIENT_ID,
            client_secret=SECRET,
            wake=lambda job, status: woken.append((job, status)),
            settle=lambda token, job: settled.append((token, job)),
            max_age=None,
        )

    def test_a_delivery_wakes_the_poller_and_nothing_else(
        self, receiver: WebhookReceiver, woken: list[tuple[str, RenderStatus]], settled: list[tuple[str, str]]
    ) -> None:
        answer = receiver.handle({"Content-Type": "application/json"}, DELIVERY)
        assert (answer.status, answer.body) == (200, b"")
        assert woken == [("67491cdb4d9d1664a9782292", RenderStatus.FINISHED)]
        assert settled == []

    def test_repeats_are_answered_and_passed_on_once(
        self, receiver: WebhookReceiver, woken: list[tuple[str, RenderStatus]]
    ) -> None:
        deliveries = [sealed({"_id": "a", "status": status}) for status in (2, 3, 2, 3)]
        assert [receiver.handle({}, body).status for body in deliveries] == [200] * 4
        assert woken == [("a", RenderStatus.PROCESSING), ("a", RenderStatus.FINISHED)]

    def test_a_token_settles_before_the_job_is_woken(
        self, receiver: WebhookReceiver, settled: list[tuple[str, str]]
    ) -> None:
        receiver.handle({}, DELIVERY)
        receiver.handle({}, DELIVERY, token="t-1")
        receiver.handle({}, DELIVERY, token="t-1")
        assert settled == [("t-1", "67491cdb4d9d1664a9782292")]

    @pytest.mark.parametrize("token", ["", "a b", "x" * 201, "../x", "ä"])
    def test_a_token_of_another_form_is_none(
        self, receiver: WebhookReceiver, settled: list[tuple[str, str]], token: str
    ) -> None:
        assert receiver.handle({}, DELIVERY, token=token).status == 200
        assert settled == []

    @pytest.mark.parametrize(
        ("headers", "body", "status"),
        [
            ({}, b"junk", 400),
            ({}, b" " * 65_537, 413),
            ({"content-encoding": "gzip"}, DELIVERY, 415),
            ({}, DELIVERY.replace(b"db9b", b"0000"), 400),
        ],
    )
    def test_junk_is_answered_without_details(
        self,
        receiver: WebhookReceiver,
        woken: list[tuple[str, RenderStatus]],
        headers: dict[str, str],
        body: bytes,
        status: int,
    ) -> None:
        answer = receiver.handle(headers, body)
        assert (answer.status, answer.body) == (status, b"")
        assert woken == []

    def test_an_old_delivery_is_refused_by_the_receivers_clock(self) -> None:
        receiver = WebhookReceiver(client_id=CLIENT_ID, client_secret=SECRET, wake=print)
        assert receiver.handle({}, DELIVERY).status == 400

    def test_what_could_not_be_passed_on_is_asked_for_again(self, caplog: pytest.LogCaptureFixture) -> None:
        calls: list[str] = []

        def wake(job: str, status: RenderStatus) -> None:
            calls.append(job)
            if len(calls) == 1:
                raise RuntimeError("the watcher is starting")

        receiver = WebhookReceiver(client_id=CLIENT_ID, client_secret=SECRET, wake=wake, max_age=None)
        assert [receiver.handle({}, DELIVERY).status for _ in range(3)] == [500, 200, 200]
        assert len(calls) == 2
        assert "example.com" not in caplog.text

    def test_memory_of_what_was_seen_is_bounded(
        self, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, woken: list[tuple[str, RenderStatus]]
    ) -> None:
        monkeypatch.setattr(webhook, "REMEMBERED", 3)
        for number in range(9):
            receiver.handle({}, sealed({"_id": f"job{number}", "status": 3}))
        assert len(receiver._seen) == 3
        assert len(woken) == 9

    def test_no_secret_shows(self, receiver: WebhookReceiver) -> None:
        assert SECRET not in repr(receiver)
        assert CLIENT_ID not in repr(receiver)
        assert SECRET not in repr(receiver.client_secret)
