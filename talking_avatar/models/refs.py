"""The durable name of a job, short enough for a log line and complete enough to find the job again."""

import re
from typing import Self

import attrs

__all__ = ["JobRef"]

_FORM = re.compile(r"(?P<service>[a-z][a-z0-9_]*)(?:@(?P<account>[^.:@\s]+))?\.(?P<family>[a-z][a-z0-9_]*):(?P<id>\S+)")


@attrs.frozen(order=True, repr=False)
class JobRef:
    """``surreal.v2v:<id>``, or ``surreal@studio.v2v:<id>`` when the account has a name."""

    service: str
    family: str
    id: str
    account: str = "default"

    @classmethod
    def parse(cls, text: "str | JobRef") -> Self:
        """Read what `str` of a ref wrote; raises ValueError that shows the form."""
        match = _FORM.fullmatch(str(text).strip())
        if match is None:
            forms = "'surreal.v2v:<id>' or 'akool@studio.talking_avatar:<id>'"
            msg = f"{str(text)!r} is not a job ref; one looks like {forms}"
            raise ValueError(msg)
        parts = match.groupdict()
        return cls(parts["service"], parts["family"], parts["id"], parts["account"] or "default")

    @property
    def product(self) -> str:
        """The endpoint family with its service: ``surreal.v2v``."""
        return f"{self.service}.{self.family}"

    def __repr__(self) -> str:
        return f"JobRef({str(self)!r})"

    def __str__(self) -> str:
        account = "" if self.account == "default" else f"@{self.account}"
        return f"{self.service}{account}.{self.family}:{self.id}"
