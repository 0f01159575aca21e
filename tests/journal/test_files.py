"""What a person meets when the file is not as it should be, said before anything is sent."""

# ruff: noqa: ASYNC240 - a test that waits for a file holds up nobody

import os
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from talking_avatar.errors import JournalError
from talking_avatar.journal import Intent, SqliteJournal, schema

pytestmark = pytest.mark.anyio
Make = Callable[..., Intent]
Run = Callable[[str, Path], "subprocess.CompletedProcess[str]"]


async def refusal(path: Path, **options: Any) -> str:
    """The words of the error, which names the file."""
    with pytest.raises(JournalError) as caught:
        await SqliteJournal(path, **options).open()
    assert str(path) in str(caught.value)
    assert caught.value.path == str(path)
    return str(caught.value)


async def filled(path: Path, intent: Make, count: int = 200) -> None:
    async with SqliteJournal(path) as journal:
        await journal.plan([intent(f"k-{i}") for i in range(count)])


@pytest.mark.parametrize("umask", [0o000, 0o077])
async def test_only_its_owner_may_read_any_part_of_it(path: Path, intent: Make, umask: int) -> None:
    before = os.umask(umask)
    try:
        async with SqliteJournal(path) as journal:
            await journal.plan([intent()])
            parts = sorted(path.parent.iterdir())
            assert [part.name for part in parts] == ["renders.db", "renders.db-shm", "renders.db-wal"]
            assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o600}
    finally:
        os.umask(before)


async def test_a_file_others_could_read_is_made_private(path: Path, intent: Make) -> None:
    await filled(path, intent)
    path.chmod(0o644)
    async with SqliteJournal(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_file_keeps_its_place_when_the_program_changes_folder(
    tmp_path: Path, intent: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    journal = SqliteJournal("renders.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    async with journal:
        await journal.plan([intent()])
    assert (tmp_path / "renders.db").exists()


async def test_it_is_written_ahead_and_synced_in_full(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        asked = [
            await journal._write(lambda connection, name=name: connection.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]
            for name in ("journal_mode", "synchronous")
        ]
        assert asked == ["wal", 2]


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"no folder {tmp_path / 'nowhere'}; create it" in await refusal(tmp_path / "nowhere" / "renders.db")
    assert not (tmp_path / "nowhere").exists()


async def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    assert "is a folder" in await refusal(tmp_path)


async def test_a_text_file_is_no_journal_and_stays_as_it_was(path: Path) -> None:
    path.write_text("shopping list\n" * 100)
    assert "choose another path" in await refusal(path)
    assert path.read_text() == "shopping list\n" * 100


async def test_another_programs_database_is_not_touched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    assert "another program's SQLite database" in await refusal(path)
    assert path.read_bytes() == before


async def test_a_damaged_page_is_found_before_anything_is_written(path: Path, intent: Make) -> None:
    await filled(path, intent)
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4_096):
        content[page * 4_096 : page * 4_096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    assert "is damaged" in await refusal(path)


async def test_a_file_cut_short_is_found(path: Path, intent: Make) -> None:
    await filled(path, intent)
    path.write_bytes(path.read_bytes()[:9_000])
    assert "is damaged" in await refusal(path)


async def test_a_journal_of_a_newer_version_asks_for_an_upgrade(path: Path, intent: Make) -> None:
    await filled(path, intent)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 7")
    assert "newer talking-avatar (journal version 7, this one knows 1); upgrade" in await refusal(path)


async def test_a_file_locked_for_too_long_says_who_to_look_for(path: Path, intent: Make) -> None:
    await filled(path, intent)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked by another program" in await refusal(path, busy_timeout=0.01)
    async with SqliteJournal(path):
        pass


async def test_a_full_disk_refuses_writes_but_not_reads_and_heals(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        await journal.plan([intent("k")])

        def pages(most: int) -> Any:
            return journal._write(lambda connection: connection.execute(f"PRAGMA max_page_count = {most}").fetchone())

        await pages(1)
        for _ in range(2):
            with pytest.raises(JournalError, match="disk is full"):
                await journal.plan([intent() for _ in range(500)])
        assert [entry.key async for entry in journal.open_entries()] == ["k"]
        await pages(100_000)
        assert len(await journal.plan([intent() for _ in range(500)])) == 500


async def test_a_file_deleted_or_replaced_in_use_stops_all_writes(path: Path, intent: Make) -> None:
    async with SqliteJournal(path) as journal:
        await journal.plan([intent("k")])
        path.rename(path.with_name("moved.db"))
        for _ in range(2):
            with pytest.raises(JournalError, match="moved, replaced or deleted while in use"):
                await journal.sent(1)


async def test_a_disk_that_fails_stops_all_writes_until_it_is_opened_again(path: Path, intent: Make, run: Run) -> None:
    await filled(path, intent)
    first, second, read = run(DISK_FAILS, path).stdout.splitlines()
    assert "could not be read or written by the disk" in first
    assert "takes no more writes until it is opened again" in second
    assert read == "1 planned"
    async with SqliteJournal(path) as journal:
        await journal.sent(1)


# A limit on the size of files stands for a quota that is used up: SQLite sees a failed write, not a full disk.
DISK_FAILS = """
import asyncio, resource, sys
from talking_avatar.errors import JournalError
from talking_avatar.journal import Intent, SqliteJournal

async def main():
    async with SqliteJournal(sys.argv[1]) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
        big = Intent(service="surreal", family="v2v", payload="x" * 100_000, fingerprint="f")
        for _ in range(2):
            try:
                await journal.plan([big])
            except JournalError as error:
                print(error)
        entry = await journal.get(1)
        print(entry.number, entry.state, flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

asyncio.run(main())
"""

# Root may write anywhere, so the program steps down to nobody once everything is imported.
AS_NOBODY = """
import asyncio, concurrent.futures.thread, os, sys
from talking_avatar.errors import JournalError
from talking_avatar.journal import SqliteJournal

if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    asyncio.run(SqliteJournal(sys.argv[1]).open())
except JournalError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "says"),
    [(0o444, 0o777, "read-only"), (0o666, 0o555, "read-only|cannot be opened"), (None, 0o555, "cannot be opened")],
    ids=["file", "folder", "folder without a file"],
)
async def test_what_cannot_be_written_says_so_when_it_is_opened(
    intent: Make, run: Run, file_mode: int | None, folder_mode: int, says: str
) -> None:
    # Not in the test's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "renders.db"
        if file_mode is not None:
            await filled(path, intent)
            path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        ended = run(AS_NOBODY, path)
        path.parent.chmod(0o700)
    assert ended.stdout.startswith(f"the journal {path} ")
    assert any(words in ended.stdout for words in says.split("|")), ended
    assert "writable" in ended.stdout or "choose another path" in ended.stdout


FIRST_RELEASE = Path(__file__).with_name("version_1.sql")


async def test_a_file_of_the_first_release_opens_with_all_it_held(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_RELEASE.read_text())
    async with SqliteJournal(path) as journal:
        entries = [entry async for entry in journal.open_entries()]
        assert [(e.key, e.state, e.job_id, e.holder) for e in entries] == [
            ("order-1", "accepted", "j-1", "watcher-1"),
            (None, "unknown", None, None),
        ]
        assert [entry.number async for entry in journal.finished_entries()] == [3]
        assert await journal.known_ids("surreal.v2v", "default") == {"j-0", "j-1", "j-3"}
        assert await journal.load_durations("surreal.v2v") == [(61.5, 1_000.0)]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)


async def test_a_released_step_is_never_edited(path: Path) -> None:
    async with SqliteJournal(path):
        pass
    with closing(sqlite3.connect(path)) as made, closing(sqlite3.connect(":memory:")) as released:
        released.executescript(FIRST_RELEASE.read_text())
        if len(schema.MIGRATIONS) == 1:
            assert tables(made) == tables(released)


def tables(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in rows}


async def test_later_steps_are_taken_once_and_a_broken_one_not_at_all(
    path: Path, intent: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path, intent, 1)
    second = ("ALTER TABLE entries ADD COLUMN note TEXT", "CREATE TABLE notes (text TEXT)")
    broken = ("CREATE TABLE half (done TEXT)", "CREATE TABLE notes (text TEXT)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, second, broken))
    assert "already exists" in await refusal(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert "notes" in tables(connection)
        assert "half" not in tables(connection)
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
    async with SqliteJournal(path) as journal:
        assert (await journal.plan([intent("k-0")]))[0].number == 1


async def test_no_column_is_meant_for_a_credential(path: Path) -> None:
    async with SqliteJournal(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        columns = {row[1] for name in tables(connection) for row in connection.execute(f"PRAGMA table_info({name})")}
    assert not {c for c in columns if any(w in c for w in ("api", "secret", "password", "client"))}
    assert {c for c in columns if "token" in c} == {"webhook_token"}
