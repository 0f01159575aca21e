"""Which family renders a request, and which one reads a ref."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from talking_avatar.errors import ConfigurationError
from talking_avatar.models.product import Product
from talking_avatar.models.refs import JobRef
from talking_avatar.watch.family import Family

__all__ = ["Client", "Roster"]


class Client(Protocol):
    """Anything with products: `Surreal`, `Akool`, or a service of yours."""

    @property
    def products(self) -> tuple[Product[Any, Any], ...]: ...


class Roster:
    """The families of one watcher, by service, account and name."""

    def __init__(self) -> None:
        self._families: dict[tuple[str, str, str], Family] = {}

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families.values())

    @property
    def by_place(self) -> Mapping[tuple[str, str, str], Family]:
        """Every family under (service, account, family)."""
        return MappingProxyType(self._families)

    def add(self, family: Family) -> None:
        """Take in a family; raises `ConfigurationError` when two clients would answer to one ref."""
        product = family.product
        place = (product.service, product.account, product.family)
        if place in self._families:
            raise ConfigurationError(
                f"two clients are both {product.service} account {product.account!r}; give one of them account="
            )
        self._families[place] = family

    def renders(self, request: Any, via: Any) -> Family:
        """The one family that takes *request*; *via* is a client or an account's name where several could."""
        able = [family for family in self if type(request) is family.product.request_type]
        if not able:
            kinds = ", ".join(sorted(family.product.request_type.__name__ for family in self))
            raise ConfigurationError(
                f"no client of this watcher renders a {type(request).__name__}; they take {kinds}. Nothing was sent"
            )
        if via is not None:
            name = via if isinstance(via, str) else via.account_name
            able = [family for family in able if family.product.account == name]
        if len(able) != 1:
            accounts = ", ".join(repr(family.product.account) for family in able) or "none has that name"
            raise ConfigurationError(
                f"say with via= which account renders this {type(request).__name__} ({accounts}). Nothing was sent"
            )
        return able[0]

    def reads(self, ref: JobRef) -> Family:
        """The family of *ref*."""
        family = self._families.get((ref.service, ref.account, ref.family))
        if family is None:
            known = ", ".join(sorted(f"{f.product.name} (account {f.product.account!r})" for f in self))
            raise ConfigurationError(f"no client of this watcher can read {ref}; it knows {known}")
        return family
