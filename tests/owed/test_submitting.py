"""What becomes of one submission, whoever is cancelled, refused or never answered."""

import asyncio
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from talking_avatar import JobWatcher
from talking_avatar.errors import (
    Closed,
    ConfigurationError,
    InvalidRequest,
    JournalConflict,
    JournalError,
    SubmissionUnknown,
    Unreachable,
)
from talking_avatar.journal import EntryState, MemoryJournal, SqliteJournal, TransitionRefused
from talking_avatar.testing import VirtualClock
from talking_avatar.watch.events import Adopted
from tests.owed.model import LATENCY, Scene, Service

pytestmark = pytest.mark.anyio

Start = Callable[..., Any]
A, B = Scene(text="a"), Scene(text="b")


async def state_of(journal: MemoryJournal, number: int = 1) -> EntryState:
    entry = await journal.get(number)
    assert entry is not None
    return entry.state


class TestCancelling:
    async def test_before_it_left_takes_it_back(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(LATENCY / 2)  # the baseline is being listed
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await clock.sleep(1)
        entry = await journal.get(1)
        assert entry is not None
        assert (entry.state, entry.job_id) == (EntryState.FAILED, None)
        assert (await watcher.resume()).jobs == ()
        assert service.sent == 0
        await (await watcher.submit(A, key="k"))
        assert service.charges == {"a": 1}

    @pytest.mark.parametrize("moment", [0.0, 1e-9])
    async def test_while_it_is_planned_takes_it_back(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock, moment: float
    ) -> None:
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A))
        await clock.sleep(moment)
        call.cancel()
        await asyncio.wait({call})
        await clock.sleep(5)
        assert service.sent == 0
        assert [entry async for entry in journal.open_entries()] == []

    async def test_in_the_post_keeps_the_job(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(1.5 * LATENCY)
        assert service.sent == 1
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await clock.sleep(5)
        (job,) = watcher.jobs
        assert await journal.by_job(job.ref) is not None
        assert await watcher.submit(A, key="k") is job
        assert service.charges == {"a": 1}

    async def test_in_the_post_that_never_left_does_not_try_again(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        service.fates = ["hasty"]
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(1.5 * LATENCY)
        call.cancel()
        await asyncio.wait({call})
        await clock.sleep(60)
        assert service.sent == 1
        assert await state_of(journal) is EntryState.FAILED

    async def test_one_of_two_who_share_a_key_leaves_the_other_its_job(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        watcher = await start()
        first, second = (asyncio.ensure_future(watcher.submit(A, key="k")) for _ in range(2))
        await clock.sleep(0.1)
        first.cancel()
        job = await second
        assert first.cancelled()
        assert (await job).id == "job-0"
        assert service.charges == {"a": 1}

    async def test_a_newcomer_to_a_key_that_is_just_given_up_begins_anew(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        watcher = await start()
        first = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(1.5 * LATENCY)
        first.cancel()
        second = asyncio.ensure_future(watcher.submit(A, key="k"))
        await asyncio.wait({first})
        assert (await second).ref.id == "job-0"
        assert service.charges == {"a": 1}

    async def test_closing_sees_what_has_left_accepted_and_sends_nothing_more(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        watcher = await start()
        calls = [asyncio.ensure_future(watcher.submit(scene, key=scene.text)) for scene in (A, B)]
        await clock.sleep(1.5 * LATENCY)
        await watcher.aclose()
        assert (await calls[0]).ref.id == "job-0"
        with pytest.raises(Closed):
            await calls[1]
        assert await state_of(journal, 1) is EntryState.ACCEPTED
        assert await state_of(journal, 2) is EntryState.FAILED
        assert service.sent == 1


class TestRefusals:
    async def test_reach_everyone_who_shares_the_key_and_leave_it_free(
        self, start: Start, service: Service, journal: MemoryJournal
    ) -> None:
        service.fates = ["refused"]
        watcher = await start()
        outcomes = await asyncio.gather(*(watcher.submit(A, key="k") for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [InvalidRequest] * 3
        assert await state_of(journal) is EntryState.FAILED
        await watcher.submit(A, key="k")
        assert service.charges == {"a": 1}

    async def test_of_haste_are_waited_out(self, start: Start, service: Service) -> None:
        service.fates = ["hasty", "unsent", "hasty"]
        watcher = await start()
        await watcher.submit(A, key="k")
        assert (service.sent, service.charges) == (4, {"a": 1})

    async def test_a_service_out_of_reach_is_told_of_and_owes_nothing(
        self, start: Start, service: Service, journal: MemoryJournal
    ) -> None:
        service.fates = ["unsent"] * 5
        watcher = await start()
        with pytest.raises(Unreachable):
            await watcher.submit(A, key="k")
        assert await state_of(journal) is EntryState.FAILED
        assert (await watcher.resume()).jobs == ()
        assert service.sent == 5

    async def test_another_request_under_the_key_is_a_conflict_at_any_time(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(0)
        with pytest.raises(JournalConflict, match="nothing was sent"):
            await watcher.submit(B, key="k")
        await call
        with pytest.raises(JournalConflict):
            await watcher.submit(B, key="k")
        assert service.sent == 1

    @pytest.mark.parametrize("key", ["", 7, "\ud800"])
    async def test_what_is_no_key_is_refused(self, start: Start, service: Service, key: Any) -> None:
        watcher = await start()
        with pytest.raises(ConfigurationError):
            await watcher.submit(A, key=key)
        assert service.sent == 0


class TestLostReplies:
    async def test_the_one_new_job_is_adopted_and_told_of(self, start: Start, service: Service) -> None:
        service.accept(Scene(text="somebody else's"))
        service.fates = ["lost"]
        watcher = await start()
        events = watcher.events()
        job = await watcher.submit(A, key="k")
        assert job.ref.id == "job-1"
        assert any(isinstance(events._unread[i], Adopted) for i in range(len(events._unread)))
        assert service.charges["a"] == 1

    async def test_a_list_that_lags_a_little_is_asked_again(self, start: Start, service: Service) -> None:
        service.fates, service.lag = ["lost"], 4.0
        watcher = await start()
        assert (await watcher.submit(A)).ref.id == "job-0"

    async def test_a_stranger_that_came_meanwhile_makes_it_the_callers_choice(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.fates = ["lost"]
        watcher = await start()
        call = asyncio.ensure_future(watcher.submit(A, key="k"))
        await clock.sleep(2.2 * LATENCY)
        service.accept(Scene(text="somebody else's"))
        with pytest.raises(SubmissionUnknown) as caught:
            await call
        error = caught.value
        assert [ref.id for ref in error.candidates] == ["job-0", "job-1"]
        assert (error.key, error.request) == ("k", A)
        copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert (copied.candidates, str(copied)) == (error.candidates, str(error))
        job = await error.adopt(error.candidates[0])
        assert job is await watcher.submit(A, key="k")
        with pytest.raises(TransitionRefused):
            await error.adopt(error.candidates[1])
        with pytest.raises(ConfigurationError, match="no client"):
            await error.adopt("other.thing:1")

    async def test_what_was_there_an_hour_before_the_create_is_nobodys(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        watcher = await start()
        await (await watcher.submit(A, key="a"))
        await clock.sleep(3_600)
        service.accept(Scene(text="somebody else's"))
        await clock.sleep(3_600)
        service.fates = ["stray"]
        with pytest.raises(SubmissionUnknown) as caught:
            await watcher.submit(B, key="b")
        assert caught.value.candidates == ()

    async def test_two_of_them_are_not_told_apart(
        self, start: Start, service: Service, journal: MemoryJournal, clock: VirtualClock
    ) -> None:
        service.fates, service.lag = ["lost", "lost"], 60.0
        watcher = await start()
        for scene in (A, B):
            with pytest.raises(SubmissionUnknown, match="0 jobs"):
                await watcher.submit(scene, key=scene.text)
        await clock.sleep(100)
        for scene in (A, B):
            with pytest.raises(SubmissionUnknown, match="2 jobs"):
                await watcher.submit(scene, key=scene.text)
        assert service.sent == 2

    async def test_one_that_shows_up_late_is_found_by_the_next_who_asks(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.fates, service.lag = ["lost"], 60.0
        watcher = await start()
        with pytest.raises(SubmissionUnknown):
            await watcher.submit(A, key="a")
        await clock.sleep(100)
        # Other creates and their lists go on, and must not take it for a stranger.
        others = [await watcher.submit(Scene(text=str(i)), key=str(i)) for i in range(3)]
        await asyncio.gather(*others)
        await clock.sleep(100)
        assert (await watcher.submit(A, key="a")).ref.id == "job-0"

    async def test_one_given_up_is_not_adopted_by_the_next(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.fates, service.lag = ["lost", "stray"], 60.0
        watcher = await start()
        with pytest.raises(SubmissionUnknown) as caught:
            await watcher.submit(A, key="a")
        await caught.value.abandon()
        await clock.sleep(100)
        with pytest.raises(SubmissionUnknown, match="0 jobs"):
            await watcher.submit(B, key="b")
        with pytest.raises(SubmissionUnknown, match="given up") as again:
            await watcher.submit(A, key="a")
        service.lag = 0.0
        assert (await again.value.resubmit()).ref.id == "job-1"
        assert service.charges == {"a": 2}

    async def test_only_the_caller_sends_it_again(self, start: Start, service: Service) -> None:
        service.fates = ["stray"]
        watcher = await start()
        with pytest.raises(SubmissionUnknown):
            await watcher.submit(A, key="a")
        with pytest.raises(SubmissionUnknown) as caught:
            await watcher.submit(A, key="a")
        assert service.sent == 1
        job = await caught.value.resubmit()
        assert job is await watcher.submit(A, key="a")
        assert service.charges == {"a": 1}

    async def test_one_sent_again_and_lost_again_offers_its_choices_again(self, start: Start, service: Service) -> None:
        service.fates = ["stray", "stray"]
        watcher = await start()
        first = await unknown(watcher.submit(A))
        second = await unknown(first.resubmit())
        assert (await second.resubmit()).ref.id == "job-0"

    async def test_a_list_that_cannot_be_read_is_no_refusal(
        self, start: Start, service: Service, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watcher = await start()
        await watcher.submit(A, key="a")
        service.fates = ["lost"]

        async def unreachable() -> Any:
            raise Unreachable("the network is down", sent=False)

        monkeypatch.setattr(Service, "listing", lambda self: unreachable())
        with pytest.raises(SubmissionUnknown, match="could not be listed"):
            await watcher.submit(B, key="b")
        assert await state_of(journal, 2) is EntryState.UNKNOWN

    async def test_any_other_error_of_a_service_counts_as_lost(
        self, start: Start, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(scene: Scene) -> Any:
            service.accept(scene)
            raise KeyError("id")

        watcher = await start()
        monkeypatch.setattr(Service, "create", lambda self, scene: broken(scene))
        assert (await watcher.submit(A)).ref.id == "job-0"

    async def test_without_a_list_it_is_the_callers_choice(self, start: Start, service: Service) -> None:
        service.can_list, service.fates = False, ["lost"]
        watcher = await start()
        with pytest.raises(SubmissionUnknown, match="cannot list") as caught:
            await watcher.submit(A, key="a")
        job = await caught.value.adopt("model.scene:job-0")
        assert (await job).id == "job-0"

    async def test_without_a_journal_the_choices_are_the_same(self, start: Start, service: Service) -> None:
        watcher = await start(journal=None)
        service.fates = ["stray", "lost", "lost"]
        first = await unknown(watcher.submit(A, key="a"))
        assert await unknown(watcher.submit(A, key="a")) is first
        second = await unknown(first.resubmit())
        job = await second.adopt("model.scene:job-0")
        assert await watcher.submit(A, key="a") is job
        third = await unknown(watcher.submit(B, key="b"))
        await third.abandon()
        assert (await watcher.submit(B, key="b")).ref.id == "job-2"


class TestCallbacks:
    async def test_a_callback_settles_what_no_list_can(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.can_list, service.fates = False, ["lost"]
        watcher = await start(webhook_url="https://me.example/hook?tenant=7")
        events = watcher.events()
        with pytest.raises(SubmissionUnknown):
            await watcher.submit(A, key="a")
        url = service.webhooks["job-0"]
        assert url.startswith("https://me.example/hook?tenant=7&job=")
        watcher.settle("not-a-token", "job-9")
        watcher.settle(url.partition("&job=")[2], "job-0")
        await clock.sleep(1)
        assert [event async for event in _unread(events) if isinstance(event, Adopted)]
        job = await watcher.submit(A, key="a")
        assert (await job).id == "job-0"
        assert service.charges == {"a": 1}

    async def test_a_callback_before_the_answer_is_lost_settles_it_too(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.can_list, service.fates = False, ["lost"]
        watcher = await start(webhook_url="https://me.example/hook")
        call = asyncio.ensure_future(watcher.submit(A, key="a"))
        await clock.sleep(1.2 * LATENCY)
        watcher.settle(service.webhooks["job-0"].partition("?job=")[2], "job-0")
        assert (await call).ref.id == "job-0"

    async def test_a_program_that_only_receives_settles_another_ones(
        self, start: Start, service: Service, clock: VirtualClock
    ) -> None:
        service.can_list, service.fates = False, ["lost"]
        worker = await start(webhook_url="https://me.example/hook")
        web = await start()
        with pytest.raises(SubmissionUnknown):
            await worker.submit(A, key="a")
        web.settle(service.webhooks["job-0"].partition("?job=")[2], "job-0")
        await clock.sleep(1)
        assert [job.ref.id for job in web.jobs] == ["job-0"]
        assert (await worker.submit(A, key="a")).ref.id == "job-0"


class FillingUp(MemoryJournal):
    """A disk with room for an intent, and no more."""

    is_full = True

    async def _move(self, number: int, name: str, **facts: Any) -> None:
        if self.is_full and name != "sent":
            raise JournalError("the disk is full")
        await super()._move(number, name, **facts)


class TestJournalTrouble:
    async def test_a_failed_note_of_the_id_leaves_the_job_watched_and_stops_creates(
        self,
        start: Start,
        service: Service,
        clock: VirtualClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        journal = FillingUp(clock=clock)
        watcher = await start(journal=journal)
        with caplog.at_level(logging.ERROR, "talking_avatar"):
            job = await watcher.submit(A, key="a")
        assert "model.scene:job-0 was accepted and is paid" in caplog.text
        with pytest.raises(JournalError, match="nothing more is submitted"):
            await watcher.submit(B, key="b")
        assert (await job).id == "job-0"
        assert service.sent == 1
        journal.is_full = False
        await clock.sleep(30)
        assert await state_of(journal) is EntryState.FINISHED
        await watcher.submit(B, key="b")
        assert service.charges == {"a": 1, "b": 1}

    @pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4_096])
    async def test_a_bad_file_is_told_of_before_anything_is_sent(
        self, start: Start, service: Service, tmp_path: Any, content: bytes
    ) -> None:
        path = tmp_path / "renders.db"
        path.write_bytes(content)
        with pytest.raises(JournalError, match=r"renders\.db"):
            await start(journal=path)
        assert service.sent == 0

    async def test_a_given_journal_stays_open_and_an_own_one_is_closed(
        self, start: Start, tmp_path: Any, clock: VirtualClock
    ) -> None:
        async with SqliteJournal(tmp_path / "renders.db", clock=clock) as shared:
            first, second = await start(journal=shared), await start(journal=shared)
            await first.aclose()
            await second.submit(A, key="a")
            assert await shared.by_key("model", "default", "a") is not None
        own: JobWatcher = await start(journal=tmp_path / "own.db")
        assert own._owed is not None
        kept = own._owed.books.journal
        await own.aclose()
        with pytest.raises(JournalError, match="not open"):
            await kept.get(1)


async def unknown(call: Any) -> SubmissionUnknown:
    with pytest.raises(SubmissionUnknown) as caught:
        await call
    return caught.value


async def _unread(feed: Any) -> Any:
    feed.close()
    async for event in feed:
        yield event
