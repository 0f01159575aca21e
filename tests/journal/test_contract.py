"""One suite for every journal."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from talking_avatar.errors import JournalConflict, JournalError
from talking_avatar.journal import Entry, EntryState, Intent, Journal, TransitionRefused
from talking_avatar.models.refs import JobRef

pytestmark = pytest.mark.anyio
Make = Callable[..., Intent]


async def all_of(entries: AsyncIterator[Entry]) -> list[Entry]:
    return [entry async for entry in entries]


async def one(journal: Journal, intent: Intent, **options: Any) -> Entry:
    (entry,) = await journal.plan([intent], **options)
    return entry


async def accepted(journal: Journal, intent: Intent, job_id: str, **options: Any) -> int:
    number = (await one(journal, intent, **options)).number
    await journal.sent(number)
    await journal.accepted(number, job_id)
    return number


async def state_of(journal: Journal, number: int) -> EntryState:
    entry = await journal.get(number)
    assert entry is not None
    return entry.state


async def test_an_intent_comes_back_as_it_was_planned(journal: Journal, intent: Make) -> None:
    asked = intent("order-1", account="studio", webhook_token="t-1")
    planned = await one(journal, asked)
    assert planned == await journal.get(planned.number)
    for name in ("service", "account", "family", "key", "payload", "fingerprint", "webhook_token"):
        assert getattr(planned, name) == getattr(asked, name)
    assert (planned.state, planned.planned_at, planned.ref) == (EntryState.PLANNED, 1_000.0, None)


async def test_the_whole_life_of_a_render_keeps_its_times(journal: Journal, intent: Make, clock: Any) -> None:
    number = (await one(journal, intent())).number
    for told in (
        journal.sent(number),
        journal.accepted(number, "j-1"),
        journal.finished(number, 9_000.0),
        journal.downloaded(number, "/films/a.mp4"),
    ):
        clock.now += 1
        await told
    entry = await journal.get(number)
    assert entry is not None
    times = (entry.sent_at, entry.accepted_at, entry.settled_at, entry.downloaded_at, entry.expires_at)
    assert times == (1_001.0, 1_002.0, 1_003.0, 1_004.0, 9_000.0)
    assert (entry.state, entry.path) == (EntryState.DOWNLOADED, "/films/a.mp4")
    assert str(entry.ref) == "surreal.v2v:j-1"


async def test_a_key_seen_before_gives_its_entry_in_any_state(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent("k"), "j-1")
    again = await one(journal, intent("k"))
    assert (again.number, again.state, again.job_id) == (number, EntryState.ACCEPTED, "j-1")
    await journal.failed(number, "no face")
    assert (await one(journal, intent("k"))).state is EntryState.FAILED


async def test_one_key_twice_in_a_batch_is_one_entry(journal: Journal, intent: Make) -> None:
    first, second, other = await journal.plan([intent("k"), intent("k"), intent()])
    assert first == second
    assert other.number != first.number


async def test_without_a_key_each_intent_is_its_own(journal: Journal, intent: Make) -> None:
    numbers = {entry.number for entry in await journal.plan([intent()] * 3)}
    assert len(numbers) == 3


async def test_a_key_belongs_to_its_account(journal: Journal, intent: Make) -> None:
    entries = await journal.plan([intent("k"), intent("k", account="studio"), intent("k", service="akool")])
    assert len({entry.number for entry in entries}) == 3
    found = await journal.by_key("surreal", "studio", "k")
    assert found == entries[1]
    assert await journal.by_key("surreal", "nobody", "k") is None


@pytest.mark.parametrize("other", [{"fingerprint": "another photo"}, {"family": "a2v"}])
async def test_a_key_for_another_request_conflicts_and_leaves_no_half_batch(
    journal: Journal, intent: Make, other: dict[str, str]
) -> None:
    await one(journal, intent("k"))
    with pytest.raises(JournalConflict, match="'k' already stands for a different request") as caught:
        await journal.plan([intent("new"), intent(), intent("k", **other)], holder="me", until=2_000.0)
    assert caught.value.key == "k"
    assert await journal.by_key("surreal", "default", "new") is None
    assert len(await all_of(journal.open_entries())) == 1
    assert not await journal.renew("me", 3_000.0)
    assert (await one(journal, intent("new"))).state is EntryState.PLANNED


async def test_two_requests_for_one_key_in_a_batch_conflict(journal: Journal, intent: Make) -> None:
    with pytest.raises(JournalConflict):
        await journal.plan([intent("k"), intent("k", fingerprint="x")])
    assert await all_of(journal.open_entries()) == []


async def test_only_one_may_send(journal: Journal, intent: Make) -> None:
    number = (await one(journal, intent("k"))).number
    await journal.sent(number)
    with pytest.raises(TransitionRefused, match="is sent and cannot become sent") as caught:
        await journal.sent(number)
    assert (caught.value.number, caught.value.state) == (number, "sent")
    await journal.unsent(number)
    await journal.sent(number)


async def test_a_refusal_names_both_states_and_changes_nothing(journal: Journal, intent: Make) -> None:
    number = (await one(journal, intent())).number
    with pytest.raises(JournalError, match=r"is planned and cannot become downloaded"):
        await journal.downloaded(number, "a.mp4")
    assert await state_of(journal, number) is EntryState.PLANNED
    with pytest.raises(JournalError, match="no entry 99"):
        await journal.sent(99)


async def test_an_accepted_create_is_never_sent_again(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent("k"), "j-1")
    for again in (journal.sent, journal.unsent, journal.resubmitted):
        with pytest.raises(TransitionRefused):
            await again(number)
    await journal.failed(number, "no face")
    with pytest.raises(TransitionRefused, match=r"surreal\.v2v:j-1"):
        await journal.resubmitted(number)


async def test_a_refused_create_may_be_sent_again_and_forgets_the_refusal(journal: Journal, intent: Make) -> None:
    number = (await one(journal, intent("k"))).number
    await journal.sent(number)
    await journal.failed(number, "no credits")
    await journal.resubmitted(number)
    entry = await journal.get(number)
    assert entry is not None
    assert (entry.state, entry.error, entry.sent_at, entry.settled_at) == (EntryState.PLANNED, None, None, None)


async def test_a_job_id_is_never_traded_for_another(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(), "j-1")
    await journal.accepted(number, "j-1")
    with pytest.raises(TransitionRefused, match="'j-2'"):
        await journal.accepted(number, "j-2")


async def test_the_same_fact_told_twice_changes_nothing(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(), "j-1", holder="me", until=2_000.0)
    before = await journal.get(number)
    await journal.accepted(number, "j-1")
    assert await journal.get(number) == before


async def test_an_unknown_create_is_adopted_but_never_anothers_job(journal: Journal, intent: Make) -> None:
    await accepted(journal, intent(), "j-1")
    lost = (await one(journal, intent())).number
    await journal.sent(lost)
    await journal.unknown(lost, "connection reset")
    entry = await journal.get(lost)
    assert entry is not None
    assert entry.error == "connection reset"
    with pytest.raises(TransitionRefused, match="belongs to entry 1"):
        await journal.adopted(lost, "j-1")
    await journal.adopted(lost, "j-2")
    await journal.adopted(lost, "j-2")
    entry = await journal.get(lost)
    assert entry is not None
    assert (entry.state, entry.job_id, entry.error) == (EntryState.ADOPTED, "j-2", None)
    await journal.finished(lost)


async def test_a_reply_that_comes_after_all_settles_an_unknown_create(journal: Journal, intent: Make) -> None:
    number = (await one(journal, intent())).number
    await journal.sent(number)
    await journal.unknown(number, "its process is gone")
    await journal.accepted(number, "j-1")
    assert await state_of(journal, number) is EntryState.ACCEPTED


async def test_an_unknown_create_can_be_abandoned_until_its_caller_wants_it_after_all(
    journal: Journal, intent: Make
) -> None:
    number = (await one(journal, intent(), holder="me", until=2_000.0)).number
    await journal.sent(number)
    await journal.unknown(number, "reset")
    await journal.abandoned(number, "the caller gave it up")
    for late in (journal.adopted, journal.accepted):
        with pytest.raises(TransitionRefused):
            await late(number, "j")
    entry = await journal.get(number)
    assert entry is not None
    assert (entry.error, entry.holder) == ("the caller gave it up", None)
    await journal.resubmitted(number)
    assert await state_of(journal, number) is EntryState.PLANNED


async def test_only_what_was_not_sent_can_be_withdrawn_and_it_may_be_submitted_again(
    journal: Journal, intent: Make
) -> None:
    number = (await one(journal, intent(), holder="me", until=2_000.0)).number
    await journal.withdrawn(number, "its caller was cancelled")
    entry = await journal.get(number)
    assert entry is not None
    assert (entry.state, entry.job_id, entry.holder) == (EntryState.FAILED, None, None)
    await journal.resubmitted(number)
    await journal.sent(number)
    with pytest.raises(TransitionRefused):
        await journal.withdrawn(number, "too late")


async def test_a_finished_link_can_be_renewed(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(), "j-1")
    await journal.finished(number, 5_000.0)
    await journal.finished(number, 6_000.0)
    entry = await journal.get(number)
    assert entry is not None
    assert (entry.expires_at, entry.settled_at) == (6_000.0, 1_000.0)


async def test_text_that_is_no_unicode_is_kept_readable(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(), "j-1")
    await journal.finished(number)
    await journal.downloaded(number, "/films/caf\udce9.mp4")
    entry = await journal.get(number)
    assert entry is not None
    assert entry.path == "/films/caf\\udce9.mp4"


async def test_a_job_from_elsewhere_is_attached_once(journal: Journal, intent: Make) -> None:
    ref = JobRef.parse("surreal@studio.v2v:j-9")
    entry = await journal.attached(ref, holder="me", until=2_000.0)
    assert (entry.ref, entry.state, entry.key, entry.holder) == (ref, EntryState.ACCEPTED, None, "me")
    assert await journal.attached(ref) == entry
    ours = await accepted(journal, intent(), "j-1")
    assert (await journal.attached(JobRef.parse("surreal.v2v:j-1"))).number == ours


async def test_entries_are_found_by_job_and_token(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(webhook_token="t-1"), "j-1")
    await accepted(journal, intent(family="a2v"), "j-1")
    for found in (await journal.by_job(JobRef.parse("surreal.v2v:j-1")), await journal.by_token("t-1")):
        assert found is not None
        assert found.number == number
    assert await journal.by_job(JobRef.parse("surreal@x.v2v:j-1")) is None
    assert await journal.by_token("t-2") is None
    assert await journal.get(99) is None


async def test_open_entries_are_each_read_once_while_they_move(journal: Journal, intent: Make) -> None:
    await journal.plan([intent() for _ in range(7)])
    seen = []
    async for entry in journal.open_entries(page=2):
        seen.append(entry.number)
        await journal.sent(entry.number)
    assert seen == list(range(1, 8))


async def test_open_entries_leave_out_what_is_at_an_end(journal: Journal, intent: Make) -> None:
    numbers = [await accepted(journal, intent(), f"j-{i}") for i in range(4)]
    await journal.finished(numbers[0])
    await journal.failed(numbers[1], "no face")
    await accepted(journal, intent(account="studio"), "j-5", holder="me", until=2_000.0)
    numbers.append(5)
    assert [entry.number async for entry in journal.open_entries(page=1)] == numbers[2:]
    assert [e.number async for e in journal.open_entries(accounts=[("surreal", "studio")])] == [5]
    assert [e.number async for e in journal.open_entries(holder="me")] == [5]
    assert [e.number async for e in journal.open_entries(accounts=[])] == []


async def test_what_waits_for_its_download_comes_earliest_to_expire_first(journal: Journal, intent: Make) -> None:
    for i, expires_at in enumerate([None, 7_000.0, 5_000.0, 5_000.0, 6_000.0]):
        await journal.finished(await accepted(journal, intent(), f"j-{i}"), expires_at)
    await journal.downloaded(5, "a.mp4")
    for page in (1, 2, 100):
        assert [entry.number async for entry in journal.finished_entries(page=page)] == [3, 4, 2, 1]
    assert [e async for e in journal.finished_entries(accounts=[("akool", "default")])] == []


async def test_a_claimed_entry_is_nobody_elses_until_the_lease_ends(journal: Journal, intent: Make) -> None:
    await journal.plan([intent() for _ in range(5)])
    mine = await journal.claim("me", until=1_030.0, now=1_000.0, limit=2)
    assert [(e.number, e.holder, e.lease_until) for e in mine] == [(1, "me", 1_030.0), (2, "me", 1_030.0)]
    assert await journal.get(1) == mine[0]
    assert [e.number for e in await journal.claim("you", until=1_060.0, now=1_010.0)] == [3, 4, 5]
    assert await journal.claim("you", until=1_060.0, now=1_029.0) == []
    assert [e.number for e in await journal.claim("you", until=1_060.0, now=1_030.0, after=1)] == [2]
    assert [e.number for e in await journal.claim("you", until=1_060.0, now=1_030.0)] == [1]


async def test_a_renewed_lease_lasts_and_a_lost_one_says_so(journal: Journal, intent: Make) -> None:
    await one(journal, intent(), holder="me", until=1_030.0)
    assert await journal.renew("me", 1_090.0)
    assert await journal.claim("you", until=1_060.0, now=1_040.0) == []
    # Past its end, but nobody has claimed meanwhile.
    assert await journal.renew("me", 1_200.0)
    assert [e.number for e in await journal.claim("you", until=1_300.0, now=1_200.0)] == [1]
    assert not await journal.renew("me", 1_300.0)
    assert await journal.claim("me", until=1_300.0, now=1_250.0) == []


async def test_what_a_lost_lease_held_is_claimed_anew(journal: Journal, intent: Make) -> None:
    await journal.plan([intent(), intent()], holder="me", until=1_030.0)
    await journal.claim("you", until=1_060.0, now=1_040.0, limit=1)
    again = await journal.claim("me", until=1_090.0, now=1_041.0)
    assert [(e.number, e.holder) for e in again] == [(2, "me")]


async def test_released_entries_and_turns_are_free_at_once(journal: Journal, intent: Make) -> None:
    await one(journal, intent(), holder="me", until=1_030.0)
    assert await journal.take_turn("surreal.v2v", "me", until=1_030.0, now=1_000.0)
    await journal.release("me")
    assert await journal.take_turn("surreal.v2v", "you", until=1_030.0, now=1_000.0)
    assert [e.holder for e in await journal.claim("you", until=1_030.0, now=1_000.0)] == ["you"]


async def test_a_claim_keeps_to_its_accounts(journal: Journal, intent: Make) -> None:
    await journal.plan([intent(), intent(service="akool"), intent(account="studio")])
    both = [("akool", "default"), ("surreal", "studio")]
    assert [e.number for e in await journal.claim("me", until=1_030.0, now=1_000.0, accounts=both)] == [2, 3]
    assert await journal.claim("me", until=1_030.0, now=1_000.0, accounts=[]) == []


async def test_single_entries_are_claimed_also_when_finished(journal: Journal, intent: Make) -> None:
    for i in range(4):
        await accepted(journal, intent(), f"j-{i}")
    await journal.finished(1)
    await journal.failed(2, "no face")
    await journal.claim("you", until=1_030.0, now=1_000.0, limit=1)
    mine = await journal.claim_these("me", [4, 3, 2, 1, 99], until=1_030.0, now=1_000.0)
    assert [(e.number, e.holder) for e in mine] == [(1, "me"), (4, "me")]
    assert mine == await journal.claim_these("me", [1, 4], until=1_030.0, now=1_000.0)
    assert sorted(await journal.holders()) == ["me", "you"]
    (seized,) = await journal.claim_these("me", [3], until=1_030.0, now=1_000.0, seize=True)
    assert (seized.number, seized.holder) == (3, "me")


async def test_a_settled_entry_is_held_by_nobody(journal: Journal, intent: Make) -> None:
    number = await accepted(journal, intent(), "j-1", holder="me", until=1_030.0)
    await journal.finished(number)
    entry = await journal.get(number)
    assert entry is not None
    assert entry.holder == "me"
    await journal.downloaded(number, "a.mp4")
    entry = await journal.get(number)
    assert entry is not None
    assert (entry.holder, entry.lease_until) == (None, None)


async def test_a_turn_is_one_holders_at_a_time(journal: Journal) -> None:
    assert await journal.take_turn("surreal.v2v", "me", until=1_030.0, now=1_000.0)
    assert await journal.take_turn("surreal.v2v", "me", until=1_040.0, now=1_010.0)
    assert not await journal.take_turn("surreal.v2v", "you", until=1_060.0, now=1_039.0)
    assert await journal.take_turn("surreal.a2v", "you", until=1_060.0, now=1_039.0)
    await journal.give_turn("surreal.v2v", "you")
    assert not await journal.take_turn("surreal.v2v", "you", until=1_060.0, now=1_039.0)
    await journal.give_turn("surreal.v2v", "me")
    assert await journal.take_turn("surreal.v2v", "you", until=1_060.0, now=1_039.0)
    assert await journal.take_turn("surreal.v2v", "me", until=1_090.0, now=1_060.0)


async def test_known_ids_are_the_remembered_and_the_journaled(journal: Journal, intent: Make) -> None:
    await journal.remember_ids("surreal.v2v", "default", ["old-1", "old-2", "old-1"])
    await journal.remember_ids("surreal.v2v", "default", iter(["old-2"]))
    await accepted(journal, intent(), "j-1")
    await accepted(journal, intent(family="a2v"), "j-2")
    await accepted(journal, intent(account="studio"), "j-3")
    assert await journal.known_ids("surreal.v2v", "default") == {"old-1", "old-2", "j-1"}
    assert await journal.known_ids("akool.talking_avatar", "default") == set()


async def test_learned_durations_replace_the_last_ones(journal: Journal) -> None:
    await journal.save_durations("surreal.v2v", [(60.0, 1.0), (61.0, 2.0), (62.0, 3.0)])
    await journal.save_durations("surreal.v2v", [(70.0, 4.0), (60.0, 5.0)])
    assert await journal.load_durations("surreal.v2v") == [(70.0, 4.0), (60.0, 5.0)]
    assert await journal.load_durations("surreal.a2v") == []


async def test_a_repr_shows_no_input_and_no_token(journal: Journal, intent: Make) -> None:
    entry = await one(journal, intent(webhook_token="secret-token"))
    assert "files.example" not in repr(entry)
    assert "secret-token" not in repr(entry)


async def test_it_can_be_opened_twice_and_again(journal: Journal, intent: Make) -> None:
    await journal.open()
    await one(journal, intent("k"))
    await journal.aclose()
    await journal.aclose()
    await journal.open()
    assert await journal.by_key("surreal", "default", "k") is not None
