"""What a watcher needs to know of one kind of job, whichever service renders it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

import attrs

from talking_avatar.models.results import RenderStatus

__all__ = ["JobResult", "Listing", "Product", "Request"]

R = TypeVar("R")
T = TypeVar("T", bound="JobResult", covariant=True)


class JobResult(Protocol):
    """What every job's answer tells: `Video`, `Avatar`, `Speech` and `Voice` do."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> RenderStatus: ...
    @property
    def raw_status(self) -> str: ...
    @property
    def error_code(self) -> str | None: ...
    @property
    def error_reason(self) -> str | None: ...


class Request(Generic[T]):
    """What starts a job whose result is a *T*; deriving from it only tells type checkers so."""

    __slots__ = ()


class Listing(Protocol):
    """Every job of a family at one moment, decoded only where it is looked at."""

    @property
    def words(self) -> Mapping[str, str]:
        """Status word by job id, as the service spelled it."""
        ...

    def decode(self, job_id: str) -> JobResult:
        """The whole answer for one id."""
        ...


@attrs.frozen(kw_only=True)
class Product(Generic[R, T]):
    """One kind of job: the request that starts it and the calls that read it.

    *create*, *read* and *listing* send one request each, unbudgeted and unrepeated: whoever calls them decides both.
    *deadline* is how long a job may take before its watcher gives up, *patience* how long an unknown id may be
    not-found before that is believed.
    """

    service: str
    family: str
    account: str = "default"
    request_type: type[R]
    result_type: type[T]
    create: Callable[[R], Awaitable[T]] = attrs.field(repr=False)
    read: Callable[[str], Awaitable[T]] = attrs.field(repr=False)
    listing: Callable[[], Awaitable[Listing]] | None = attrs.field(default=None, repr=False)
    # The account's transport gate; Any, because values do not know the floor above them.
    gate: Any = attrs.field(default=None, repr=False)
    deadline: timedelta = timedelta(hours=6)
    patience: timedelta = timedelta(minutes=2)

    @property
    def name(self) -> str:
        """``surreal.v2v``."""
        return f"{self.service}.{self.family}"
