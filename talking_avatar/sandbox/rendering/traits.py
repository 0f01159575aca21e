"""What makes one drawn person different from another."""

from collections.abc import Mapping
from typing import Literal, Self, get_args

import attrs

from talking_avatar.sandbox.rendering.colour import Colour, bgra

__all__ = ["Gender", "HairStyle", "Outfit", "Traits"]

Gender = Literal["male", "female"]
HairStyle = Literal["bob", "long", "bun", "curly", "parted", "quiff", "crop", "waves"]
Outfit = Literal["blazer", "sweater", "shirt", "blouse"]


def _colour(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:  # noqa: ARG001 - attrs asks so
    bgra(value)


@attrs.frozen(kw_only=True)
class Traits:
    """A person's looks."""

    gender: Gender = attrs.field(default="female", validator=attrs.validators.in_(get_args(Gender)))
    skin: Colour = attrs.field(default="#f0c3a0", validator=_colour)
    hair: Colour = attrs.field(default="#4a3028", validator=_colour)
    iris: Colour = attrs.field(default="#5a3d2b", validator=_colour)
    clothes: Colour = attrs.field(default="#2f5d7c", validator=_colour)
    accent: Colour = attrs.field(default="#f4efe6", validator=_colour)
    background: Colour = attrs.field(default="#f3d9c0", validator=_colour)
    hair_style: HairStyle = attrs.field(default="bob", validator=attrs.validators.in_(get_args(HairStyle)))
    outfit: Outfit = attrs.field(default="blazer", validator=attrs.validators.in_(get_args(Outfit)))
    glasses: bool = False
    beard: bool = False
    earrings: bool = False

    @classmethod
    def from_dict(cls, traits: Mapping[str, object]) -> Self:
        """From what `to_dict` gave; keys of a later version are left out, a value that cannot be drawn raises."""
        known = {field.name for field in attrs.fields(cls)}
        chosen: dict[str, object] = {name: value for name, value in traits.items() if name in known}
        build: type[Self] = cls
        return build(**chosen)  # type: ignore[arg-type] # the validators check what a journal may have changed

    def to_dict(self) -> dict[str, object]:
        """A JSON object."""
        return attrs.asdict(self)
