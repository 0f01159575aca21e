"""A credential that can be sent but not shown."""

__all__ = ["Secret"]


class Secret(str):
    """A string whose repr, and so every log line, traceback local or container that shows it, is masked.

    Only ``str(secret)``, formatting and encoding give the value, which is what a header needs.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
