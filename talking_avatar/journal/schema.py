"""The tables, and the numbered steps that lead to them; a released step is never edited, only followed by another."""

import sqlite3

__all__ = ["APPLICATION_ID", "MIGRATIONS", "OPEN", "migrate"]

# "TAVJ": tells our file from any other SQLite database somebody points us at.
APPLICATION_ID = 0x5441564A

# An entry is open until it is settled. Said by its time and not its state, because a move between open states then
# leaves the index alone: a page less in every commit. Queries that use the index repeat this word for word.
OPEN = "settled_at IS NULL"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Rows are never deleted, so numbers are not used twice without AUTOINCREMENT, which costs a page a commit.
        """CREATE TABLE entries (
            number INTEGER PRIMARY KEY,
            service TEXT NOT NULL,
            account TEXT NOT NULL,
            family TEXT NOT NULL,
            payload TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            key TEXT,
            webhook_token TEXT,
            state TEXT NOT NULL,
            job_id TEXT,
            planned_at REAL NOT NULL,
            sent_at REAL,
            accepted_at REAL,
            settled_at REAL,
            downloaded_at REAL,
            expires_at REAL,
            error TEXT,
            path TEXT,
            lease INTEGER
        )""",
        "CREATE UNIQUE INDEX entries_by_key ON entries (service, account, key) WHERE key IS NOT NULL",
        "CREATE INDEX entries_by_job ON entries (job_id) WHERE job_id IS NOT NULL",
        "CREATE INDEX entries_by_token ON entries (webhook_token) WHERE webhook_token IS NOT NULL",
        "CREATE INDEX entries_open ON entries (number) WHERE settled_at IS NULL",
        "CREATE INDEX entries_finished ON entries (ifnull(expires_at, 9e999), number) WHERE state = 'finished'",
        # A lease is a row of its own, so renewing one of 100,000 entries writes one row; its number is never used
        # again, so entries of an ended lease are free without being touched.
        """CREATE TABLE leases (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            holder TEXT NOT NULL UNIQUE,
            until REAL NOT NULL
        )""",
        "CREATE TABLE turns (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID",
        """CREATE TABLE known_ids (
            product TEXT NOT NULL,
            account TEXT NOT NULL,
            job_id TEXT NOT NULL,
            PRIMARY KEY (product, account, job_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE durations (
            product TEXT NOT NULL,
            position INTEGER NOT NULL,
            seconds REAL NOT NULL,
            noted REAL NOT NULL,
            PRIMARY KEY (product, position)
        ) WITHOUT ROWID""",
        f"PRAGMA application_id = {APPLICATION_ID}",
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, each step whole or not at all."""
    for version, statements in enumerate(MIGRATIONS, start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Asked inside the transaction: a second process may have migrated while this one waited.
            if connection.execute("PRAGMA user_version").fetchone()[0] < version:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
