from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from talking_avatar.download import mask_path, suffix_of, target_path
from talking_avatar.download.naming import safe_name, shortened
from talking_avatar.models.refs import JobRef

REF = JobRef("surreal", "v2v", "abc123")
HOSTILE = [
    "..",
    ".",
    "",
    "/",
    "\\",
    "a/../../b",
    "/etc/passwd",
    "C:\\x",
    "nul",
    "CON.mp4",
    "com1",
    "a\0b",
    "a\nb",
    "x" * 500,
]
keys = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.characters().map(lambda c: f"order{c}42"))


def nowhere(path: Path) -> bool:
    return False


def named(path: str, key: str | None = None) -> Path:
    return target_path(path, ref=REF, key=key, is_folder=nowhere)


@given(keys)
@example("\ud800")
@example("é" * 150)
def test_a_key_never_leaves_its_folder(key: str) -> None:
    for path in (named("out/", key), named("out/{key}.mp4", key), named("out/{key}", key)):
        assert path.parent == Path("out")
        assert path.name not in {"", ".", ".."}
        assert not set(path.name) & set('/\\\0\n:*?"<>|')
        assert len(path.name.encode()) <= 230
        assert not path.name.startswith(".")


@given(keys, keys)
def test_different_keys_have_different_files(one: str, other: str) -> None:
    for pattern in ("out/", "out/{key}.mp4", "{product}-{key}-{ref}.mp4"):
        assert (named(pattern, one) == named(pattern, other)) == (one == other)


@given(keys)
def test_a_name_made_safe_is_no_other_keys_name(key: str) -> None:
    assert named("out/", safe_name(key)) != named("out/", key) or safe_name(key) == key
    assert named("out/", f"{key}.mask") != mask_path(named("out/", key))


@given(keys, keys)
def test_different_keys_stay_different_where_case_does_not_count(one: str, other: str) -> None:
    first, second = safe_name(one, folds_case=True), safe_name(other, folds_case=True)
    assert (first.upper().casefold() == second.upper().casefold()) == (one == other)


@given(keys)
def test_the_same_key_always_gives_the_same_file(key: str) -> None:
    assert named("out/", key) == named("out/", key)


@pytest.mark.parametrize("key", ["order-42", "Bestellung 7", "注文", "a.b", "order_1~x"])
def test_a_harmless_key_is_its_own_name(key: str) -> None:
    assert safe_name(key, folds_case=False) == key


@pytest.mark.parametrize("name", ["con", "NUL.txt", "com1", "LPT9.mp4", "aux .x"])
def test_names_windows_reserves_are_not_used(name: str) -> None:
    assert safe_name(name).startswith("_")


def test_a_folder_exists_or_ends_with_a_slash(tmp_path: Path) -> None:
    assert target_path(tmp_path, ref=REF, key="k") == tmp_path / "k.mp4"
    assert named("out/") == Path("out/surreal.v2v-abc123.mp4")
    assert named("out/{product}/", "k") == Path("out/surreal.v2v/k.mp4")
    assert target_path("out/", ref=REF, key="k", default_name="../x", suffix=".wav").parent == Path("out")


def test_a_plain_file_is_taken_as_it_is() -> None:
    assert named("../films/hello.mp4") == Path("../films/hello.mp4")
    assert named("hello") == Path("hello")
    assert named("a{{b}}.mp4") == Path("a{b}.mp4")


def test_a_pattern_is_filled_in() -> None:
    assert named("{product}/{key}-{id}.mp4", "k") == Path("surreal.v2v/k-abc123.mp4")
    assert named("out/{ref}") == Path("out/surreal.v2v-abc123.mp4")


def test_a_job_without_a_key_goes_by_its_id() -> None:
    assert named("{key}.mp4") == Path("abc123.mp4")


@pytest.mark.parametrize("pattern", ["{job}", "{}", "{0}", "{ref.id}", "{ref!r}", "{key:>9}", "{key", "key}"])
def test_an_unknown_field_says_which_are_known(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\{key\}, \{ref\}|not a file pattern"):
        named(pattern)


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        named("a\0b")


@given(st.text(min_size=1, max_size=400))
def test_a_shortened_name_fits(name: str) -> None:
    assert len(shortened(name).encode("utf-8", "surrogatepass")) <= 200


def test_a_shortened_name_keeps_its_suffix() -> None:
    assert shortened("x" * 300 + ".mp4").endswith(".mp4")


def test_a_mask_lies_beside_its_video() -> None:
    assert mask_path(Path("out/hello.mp4")) == Path("out/hello.mask.mp4")


@pytest.mark.parametrize(
    ("url", "suffix"),
    [
        ("https://h/a/b.MOV?sig=x.wav", ".mov"),
        ("https://h/a/b.php", ".mp4"),
        ("https://h", ".mp4"),
        ("http://[", ".mp4"),
    ],
)
def test_a_suffix_follows_the_link(url: str, suffix: str) -> None:
    assert suffix_of(url) == suffix
