"""The drawn presenters and their poses."""

import attrs

from talking_avatar.sandbox.rendering.contract import BadInput, Presenter, PresenterPose
from talking_avatar.sandbox.rendering.framing import Framing
from talking_avatar.sandbox.rendering.traits import Traits

__all__ = ["PRESENTERS", "find_pose"]

_CLOSE = Framing(zoom=1.45, centre=(500, 425), scenery="halo")
_SEATED = Framing(stance="seated", scenery="window")
_STANDING = Framing(scenery="studio")


@attrs.frozen(kw_only=True)
class _Role:
    name: str
    traits: Traits
    poses: tuple[tuple[str, str, Framing], ...]


# 01_jason, 02_sooyon, kem_03 and liza_a0008 are the poses of Surreal's A2V guide, whose samples so work unchanged.
_CAST = (
    _Role(
        name="jason",
        traits=Traits(
            gender="male",
            skin="#e6b08a",
            hair="#3a2a22",
            clothes="#5f86ad",
            background="#cddfe4",
            hair_style="quiff",
            outfit="shirt",
            beard=True,
        ),
        poses=(
            ("01_jason", "Jason", _SEATED),
            ("jason_standing", "Jason standing", _STANDING),
            ("jason_close", "Jason close up", _CLOSE),
        ),
    ),
    _Role(
        name="sooyon",
        traits=Traits(
            gender="female",
            skin="#f5d2b3",
            hair="#1f1b24",
            clothes="#7f9c86",
            background="#f0dcd6",
            hair_style="bun",
            outfit="sweater",
            glasses=True,
        ),
        poses=(
            ("02_sooyon", "Sooyon", attrs.evolve(_STANDING, stance="presenting")),
            ("sooyon_seated", "Sooyon seated", attrs.evolve(_SEATED, scenery="shelf")),
        ),
    ),
    _Role(
        name="peter",
        traits=Traits(
            gender="male",
            skin="#efc4a2",
            hair="#8a6a3f",
            iris="#3f6f8c",
            clothes="#33415c",
            background="#dbe1ee",
            hair_style="parted",
            outfit="blazer",
            glasses=True,
        ),
        poses=(
            ("kem_03", "Peter 03", attrs.evolve(_SEATED, scenery="shelf")),
            ("kem_01", "Peter 01", Framing()),
        ),
    ),
    _Role(
        name="liza",
        traits=Traits(
            gender="female",
            skin="#f0c3a0",
            hair="#7a4a2a",
            iris="#4f7d5b",
            clothes="#c8553d",
            background="#f6dcc4",
            hair_style="long",
            outfit="blouse",
            earrings=True,
        ),
        poses=(
            ("liza_a0008", "Liza 08", Framing(stance="presenting", scenery="shelf")),
            ("liza_a0001", "Liza 01", _STANDING),
            ("liza_close", "Liza close up", _CLOSE),
        ),
    ),
    _Role(
        name="mira",
        traits=Traits(
            gender="female",
            skin="#a86c48",
            hair="#2b1d1a",
            iris="#3b2416",
            clothes="#e0a53c",
            background="#cfe3d4",
            hair_style="curly",
            outfit="sweater",
            earrings=True,
        ),
        poses=(
            ("mira_standing", "Mira standing", Framing()),
            ("mira_presenting", "Mira presenting", Framing(stance="presenting", scenery="window")),
        ),
    ),
    _Role(
        name="theo",
        traits=Traits(
            gender="male",
            skin="#8a5738",
            hair="#171313",
            iris="#3b2416",
            clothes="#3d6b66",
            background="#f2d9b8",
            hair_style="crop",
            outfit="blazer",
        ),
        poses=(
            ("theo_standing", "Theo standing", Framing()),
            ("theo_seated", "Theo seated", _SEATED),
        ),
    ),
)

PRESENTERS = tuple(
    Presenter(
        name=role.name,
        display_name=role.name.title(),
        gender=role.traits.gender,
        poses=tuple(PresenterPose(pose_id=pose_id, name=name) for pose_id, name, _ in role.poses),
    )
    for role in _CAST
)
_POSES = {pose_id: (role.traits, framing) for role in _CAST for pose_id, _, framing in role.poses}


def find_pose(pose_id: str) -> tuple[Traits, Framing]:
    """Who stands how in the pose of that id."""
    try:
        return _POSES[pose_id]
    except KeyError:
        raise BadInput(f"nobody in the cast has the pose {pose_id!r}", fault="unknown_name") from None
