import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar import Akool, Surreal
from talking_avatar.errors import ConfigurationError
from talking_avatar.wire.account import checked_base_url


@pytest.mark.parametrize("kind", [Surreal, Akool])
def test_plain_http_to_another_host_warns_at_the_callers_line(kind: type[Surreal] | type[Akool]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind("secret-token", base_url="http://render.example")
    (warning,) = caught
    assert warning.filename == __file__
    assert "http://render.example is not encrypted" in str(warning.message)


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "http://a.localhost", "https://render.example"],
)
def test_loopback_and_https_do_not_warn(base_url: str) -> None:
    assert checked_base_url(f" {base_url}/ ") == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "render.example",
        "ftp://render.example",
        "https://",
        "https://user:pass@render.example",
        "https://render.example/?a=1",
        "https://render.example/#a",
        "https://render.example:99999",
        "https://[::1",
        f"https://{'a' * 70}.example",
    ],
)
def test_an_address_that_cannot_work_is_refused_before_anything_is_sent(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        Surreal("secret-token", base_url=base_url)


def test_the_password_in_an_address_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Surreal("secret-token", base_url="https://user:sentinel@render.example")
    assert "sentinel" not in str(caught.value)


@given(base_url=st.text(max_size=30) | st.from_regex(r"https?://.{0,20}", fullmatch=True))
def test_whatever_is_given_as_an_address_is_taken_or_refused(base_url: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            taken = checked_base_url(base_url)
        except ConfigurationError:
            return
    assert taken.startswith(("http://", "https://", "HTTP", "Http"))


@pytest.mark.parametrize("account", ["", "a b", "a.b", "a:b", "a@b"])
def test_a_name_that_no_ref_could_hold_is_refused(account: str) -> None:
    with pytest.raises(ConfigurationError, match="account"):
        Surreal("secret-token", account=account)


def test_where_and_who_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURREAL_TOKEN", "from-the-environment")
    monkeypatch.setenv("SURREAL_BASE_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("AKOOL_API_KEY", "from-the-environment")
    monkeypatch.setenv("AKOOL_BASE_URL", "http://127.0.0.1:9/")
    assert repr(Surreal()) == "<Surreal http://127.0.0.1:9 account='default'>"
    assert Akool(account="studio").base_url == "http://127.0.0.1:9"


def test_a_client_without_a_token_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SURREAL_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match="SURREAL_TOKEN"):
        Surreal("  ")
