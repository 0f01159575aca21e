"""A program that submits three renders, is killed at the moment its arguments name, and can be started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from talking_avatar import JobWatcher, Surreal, TalkingPhoto
from talking_avatar.download.part import PartFile
from talking_avatar.journal import Journal, SqliteJournal, commits
from talking_avatar.watch.resumption import Resumed

KEYS = ("order-0", "order-1", "order-2")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@attrs.define
class Countdown:
    """Dies at the *nth* call."""

    nth: int

    def __call__(self) -> None:
        self.nth -= 1
        if self.nth == 0:
            die()


def around(owner: Any, name: str, *, before: Callable[[], None] | None, after: Callable[[], None] | None) -> None:
    """Call something before or after each call of an async method."""
    method = getattr(owner, name)

    async def wrapped(*given: Any, **named: Any) -> Any:
        if before is not None:
            before()
        answer = await method(*given, **named)
        if after is not None:
            after()
        return answer

    setattr(owner, name, wrapped)


def doom(moment: str, nth: int, surreal: Surreal) -> Any:
    """Arrange the end; gives the client to use."""
    end = Countdown(nth)
    match moment:
        case "before the intent":
            around(SqliteJournal, "plan", before=end, after=None)
        case "after the intent":
            around(SqliteJournal, "plan", before=None, after=end)
        case "before the create":
            around(SqliteJournal, "sent", before=None, after=end)
        case "after the answer":
            around(SqliteJournal, "accepted", before=end, after=None)
        case "after the id":
            around(SqliteJournal, "accepted", before=None, after=end)
        case "finished":
            around(SqliteJournal, "finished", before=end, after=None)
        case "downloaded":
            around(SqliteJournal, "downloaded", before=end, after=None)
        case "in the create":
            return Doomed(surreal, create=end)
        case "polling":
            return Doomed(surreal, listing=end)
        case "in a download":
            append = PartFile.append

            def cut(part: PartFile, chunks: list[bytes]) -> None:
                append(part, [b"".join(chunks)[:1_000]])
                end()

            setattr(PartFile, "append", cut)  # noqa: B010 - on purpose, and no business of a type checker's
        case "in a commit":
            connect = vars(commits)["connect_writer"]

            def watched(*given: Any) -> Any:
                connection = connect(*given)
                connection.set_trace_callback(lambda sql: end() if sql == "COMMIT" else None)
                return connection

            vars(commits)["connect_writer"] = watched
    return surreal


class Doomed:
    """A client whose calls end the program while they are on the wire."""

    def __init__(self, surreal: Surreal, **ends: Countdown) -> None:
        self.account_name = surreal.account_name
        self.products = tuple(
            attrs.evolve(product, **{name: self._doomed(getattr(product, name), end) for name, end in ends.items()})
            for product in surreal.products
        )

    @staticmethod
    def _doomed(call: Any, end: Countdown) -> Any:
        async def on_the_wire(*given: Any) -> Any:
            under_way = asyncio.ensure_future(call(*given))
            await asyncio.wait({under_way}, timeout=0.2)
            end()
            return await under_way

        return on_the_wire


async def decided(watcher: JobWatcher, resumed: Resumed) -> int:
    """What nobody can know is sent again, on this caller's word."""
    for error in resumed.unknown:
        await error.resubmit()
    return len(resumed.unknown)


async def main(url: str, token: str, folder: Path, moment: str, nth: int) -> None:
    request = TalkingPhoto(image_url=f"{url}/samples/portrait.jpg", audio_url=f"{url}/samples/speech.wav")
    async with Surreal(token, base_url=url) as surreal:
        client = doom(moment, nth, surreal)
        journal: Journal = SqliteJournal(folder / "renders.db")
        async with JobWatcher(client, journal=journal, download_dir=folder / "videos", cadence=0.1) as watcher:
            resubmitted = await decided(watcher, await watcher.resume())
            jobs = [await watcher.submit(request, key=key) for key in KEYS]
            await asyncio.gather(*jobs)
            await asyncio.gather(*(job.download(f"{folder}/videos/") for job in jobs))
        states = [(await entry_state(journal, key)) for key in KEYS]
        await journal.aclose()
    print(json.dumps({"resubmitted": resubmitted, "states": states}))  # noqa: T201 - to the test that started it


async def entry_state(journal: Journal, key: str) -> str:
    entry = await journal.by_key("surreal", "default", key)
    return "" if entry is None else entry.state


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
