"""The pytest plugin: one fixture, which any async plugin can use because nothing in it is async until it is entered."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from talking_avatar.testing.lab import Lab


@pytest.fixture
def avatar_lab() -> "Callable[..., Lab]":
    """Makes labs, by the options of `Lab`.

    ``async with avatar_lab(render_seconds=600) as lab: …``
    """

    def make(**options: Any) -> "Lab":
        from talking_avatar.testing.lab import Lab  # noqa: PLC0415 - pytest loads plugins before anybody wants this

        return Lab(**options)

    return make
