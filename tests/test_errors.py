import copy
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from talking_avatar import errors
from talking_avatar.errors import TalkingAvatarError

ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
PUBLIC = [kind for kind in ERRORS if not kind.__name__.startswith("_")]
BUILT_IN = {
    "AuthError": PermissionError,
    "ConfigurationError": ValueError,
    "DecodeError": ValueError,
    "DownloadError": OSError,
    "InvalidRequest": ValueError,
    "JobTimeout": TimeoutError,
    "NotFound": LookupError,
    "Unreachable": ConnectionError,
}


def parameters(kind: type[Any]) -> Iterator[inspect.Parameter]:
    for ancestor in kind.__mro__:
        if "__init__" in vars(ancestor) and issubclass(ancestor, TalkingAvatarError):
            yield from inspect.signature(ancestor.__init__).parameters.values()


def context_of(kind: type[Any]) -> dict[str, Any]:
    """A telling value for every keyword of an error."""
    found = {}
    for parameter in parameters(kind):
        if parameter.kind is parameter.KEYWORD_ONLY and not parameter.name.startswith("_"):
            found[parameter.name] = False if isinstance(parameter.default, bool) else f"<{parameter.name}>"
    return found


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_derives_from_the_root(kind: type[Exception]) -> None:
    assert issubclass(kind, TalkingAvatarError)


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_public_error_is_listed_and_says_what_it_means(kind: type[Exception]) -> None:
    assert kind.__name__ in errors.__all__
    assert kind.__doc__


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_leaf_is_also_the_built_in_that_fits(name: str) -> None:
    assert issubclass(getattr(errors, name), BUILT_IN[name])


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_keyword_has_a_default(kind: type[Exception]) -> None:
    for parameter in parameters(kind):
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert parameter.default is not parameter.empty, parameter.name
    assert str(kind()) == ""


@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])  # noqa: S301
@pytest.mark.parametrize("kind", PUBLIC)
def test_every_error_pickles_and_copies_with_its_words_and_context(kind: type[Exception], again: Any) -> None:
    context = context_of(kind)
    error = kind("what happened", **context)
    twin = again(error)
    assert type(twin) is kind
    assert str(twin) == "what happened"
    assert twin.args == error.args
    assert {name: getattr(twin, name) for name in context} == context
    assert {name: getattr(error, name) for name in context} == context


def test_what_was_learned_later_is_kept_too() -> None:
    error = errors.ServerFault("x")
    error.refused = True
    assert pickle.loads(pickle.dumps(error)).refused  # noqa: S301
    assert not errors.ServerFault("y").refused


def test_only_a_broken_service_leaves_it_open_whether_it_accepted() -> None:
    kinds = [kind for kind in PUBLIC if issubclass(kind, errors.ApiError)]
    assert {kind.__name__ for kind in kinds if not kind.refused} == {"ServerFault", "DecodeError"}


def test_a_long_body_is_kept_as_an_excerpt() -> None:
    assert len(errors.ApiError("x", body="y" * 100_000).body) == errors.BODY_EXCERPT
