"""What is owed: every create from before it is sent until its file is here."""

from talking_avatar.journal.entries import OPEN_STATES, SETTLED_STATES, Entry, EntryState, Intent
from talking_avatar.journal.memory import MemoryJournal
from talking_avatar.journal.moves import TransitionRefused
from talking_avatar.journal.protocol import Accounts, Journal
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
