"""What is owed: every create from before it is sent until its file is here."""

from typing import TYPE_CHECKING, Any

from talking_avatar.journal.entries import OPEN_STATES, SETTLED_STATES, Entry, EntryState, Intent
from talking_avatar.journal.memory import MemoryJournal
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.journal.protocol import Accounts, Journal

if TYPE_CHECKING:
    from talking_avatar.journal.sqlite import SqliteJournal

__all__ = [
    "OPEN_STATES",
    "SETTLED_STATES",
    "Accounts",
    "Entry",
    "EntryState",
    "Intent",
    "Journal",
    "MemoryJournal",
    "SqliteJournal",
    "TransitionRefused",
]


def __getattr__(name: str) -> Any:
    # Not everybody keeps a journal in a file, and some builds of Python have no sqlite3.
    if name == "SqliteJournal":
        from talking_avatar.journal.sqlite import SqliteJournal  # noqa: PLC0415 - as above

        return SqliteJournal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
