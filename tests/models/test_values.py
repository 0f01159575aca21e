import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talking_avatar import Avatar, JobRef, Pose, RenderStatus, Speech, Surreal, Video, Voice

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
words = st.text(st.characters(exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cs")), min_size=1, max_size=12).filter(
    lambda text: not any(character.isspace() for character in text)
)
accounts = words.filter(lambda text: not set(text) & set(".:@"))


@given(service=names, family=names, identity=words, account=accounts)
def test_a_ref_reads_back_as_it_was_written(service: str, family: str, identity: str, account: str) -> None:
    ref = JobRef(service, family, identity, account)
    assert JobRef.parse(str(ref)) == ref
    assert JobRef.parse(ref) == ref
    assert ref.product == f"{service}.{family}"


def test_the_default_account_is_not_spelled_out() -> None:
    assert str(JobRef("surreal", "v2v", "7f3a")) == "surreal.v2v:7f3a"
    assert str(JobRef("surreal", "v2v", "7f3a", "studio")) == "surreal@studio.v2v:7f3a"


@pytest.mark.parametrize("text", ["", "7f3a", "surreal:7f3a", "surreal.v2v:", "Surreal.v2v:x", "surreal.v2v:a b"])
def test_what_is_no_ref_is_refused_with_its_form_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"surreal\.v2v:<id>"):
        JobRef.parse(text)


def test_only_finished_and_failed_are_final() -> None:
    assert {status for status in RenderStatus if status.is_final} == {RenderStatus.FINISHED, RenderStatus.FAILED}


def test_a_status_ranks_by_how_far_it_is() -> None:
    far = sorted(RenderStatus, key=lambda status: status.rank)
    assert far[-2:] == [RenderStatus.FINISHED, RenderStatus.FAILED]
    assert RenderStatus.PENDING.rank < RenderStatus.PROCESSING.rank == RenderStatus.UNKNOWN.rank


LINK = "https://x/y.mp4?Signature=sentinel"
RESULTS: list[Any] = [
    Video(id="v", ref=JobRef("surreal", "v2v", "v"), status=RenderStatus.FINISHED, video_url=LINK, extra={"a": [1]}),
    Avatar(id="a", preview_url=LINK, poses=(Pose(pose_id="p", preview_url=LINK),), extra={"a": {}}),
    Voice(id="v", preview_url=LINK, tags=("a",)),
    Speech(id="s", url=LINK),
]


@pytest.mark.parametrize("value", RESULTS, ids=lambda value: type(value).__name__)
def test_a_result_is_hashable_pickles_evolves_and_hides_its_links(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == attrs.evolve(value) == value  # noqa: S301 - our own bytes
    assert hash(attrs.evolve(value)) == hash(value)
    assert "sentinel" not in repr(value)


def test_products_name_their_family_and_result() -> None:
    names = [(product.name, product.result_type) for product in Surreal("secret-token").products]
    assert names == [("surreal.cg_avatar", Video), ("surreal.a2v", Video), ("surreal.v2v", Video)]
