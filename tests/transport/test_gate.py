import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext

import attrs
import pytest

from talking_avatar import Akool, Surreal
from talking_avatar.errors import Throttled
from talking_avatar.transport.budget import Budget, Permit, Purpose
from talking_avatar.transport.gate import Gate, shared_gate
from tests.doubles import LeapingClock

pytestmark = pytest.mark.anyio

CREATE, READ = Purpose.CREATE, Purpose.READ


@attrs.define(eq=False)
class HandClock:
    """Time that passes when a test says so."""

    now: float = 1_000.0
    sleepers: list[tuple[float, asyncio.Future[None]]] = attrs.field(factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        awake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, awake))
        await awake

    def busy(self) -> AbstractContextManager[object]:
        return nullcontext()

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        await settle()
        while due := [each for each in self.sleepers if each[0] <= end and not each[1].done()]:
            self.now, awake = min(due, key=lambda each: each[0])
            awake.set_result(None)
            await settle()
        self.now = end


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def gate(clock: HandClock) -> Gate:
    return Gate(Budget(limit=2), clock)


@attrs.define
class Line:
    """Who came through the gate, in which order."""

    gate: Gate
    passed: list[str] = attrs.field(factory=list)
    tasks: list[asyncio.Task[None]] = attrs.field(factory=list)

    async def join(self, name: str, purpose: Purpose = CREATE) -> asyncio.Task[None]:
        async def go() -> None:
            permit = await self.gate.acquire(purpose)
            self.passed.append(name)
            self.gate.settle(permit)

        task = asyncio.create_task(go())
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task


@pytest.fixture
async def line(gate: Gate) -> AsyncIterator[Line]:
    made = Line(gate)
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_places_are_given_in_the_order_they_were_asked_for(line: Line, clock: HandClock) -> None:
    for number in range(6):
        await line.join(str(number))
    assert line.passed == ["0", "1"]
    await clock.advance(60)
    assert line.passed == ["0", "1", "2", "3"]
    await clock.advance(60)
    assert line.passed == [str(number) for number in range(6)]


async def test_nobody_slips_in_between_two_who_wait(line: Line, clock: HandClock) -> None:
    for number in range(4):
        await line.join(str(number))
    clock.now += 60
    # A place is free, and the first in line has not woken yet.
    await line.join("newcomer")
    await clock.advance(120)
    assert line.passed == ["0", "1", "2", "3", "newcomer"]


async def test_a_cancelled_waiter_takes_no_place_with_it(line: Line, clock: HandClock) -> None:
    tasks = [await line.join(str(number)) for number in range(5)]
    for gone in (tasks[2], tasks[3]):
        gone.cancel()
    await settle()
    await clock.advance(60)
    assert line.passed == ["0", "1", "4"]
    assert line.gate.budget.creates_waiting == 0
    assert line.gate.budget.granted == 3


async def test_a_waiter_cancelled_as_its_place_comes_free_leaves_it_to_the_next(line: Line, clock: HandClock) -> None:
    tasks = [await line.join(str(number)) for number in range(4)]
    clock.now += 60
    for _, awake in clock.sleepers:
        awake.set_result(None)
    tasks[2].cancel()
    await clock.advance(1)
    assert line.passed == ["0", "1", "3"]


async def test_creates_go_before_reads_that_came_earlier(line: Line, clock: HandClock) -> None:
    for name in ("0", "1"):
        await line.join(name)
    await line.join("read", READ)
    await line.join("create", CREATE)
    await clock.advance(60)
    assert line.passed[2] == "create"
    await clock.advance(60)
    assert line.passed == ["0", "1", "create", "read"]


async def test_a_haste_refusal_inside_the_block_slows_the_account_and_gives_the_place_back(gate: Gate) -> None:
    with pytest.raises(Throttled):
        async with gate.passing(READ):
            raise Throttled("x", retry_after=30.0)
    assert gate.budget.refused == 1
    assert gate.ready_in(READ) >= 30.0
    with pytest.raises(ValueError, match="other"):
        async with gate.settling(Permit()):
            raise ValueError("other")
    assert gate.budget.refused == 1


async def test_a_place_in_flight_is_waited_for_by_looking_again(gate: Gate, clock: HandClock) -> None:
    held = [await gate.acquire(READ), await gate.acquire(READ)]
    waiting = asyncio.create_task(gate.acquire(READ))
    await clock.advance(10)
    assert not waiting.done()
    gate.settle(held[0])
    await clock.advance(60)
    assert waiting.done()


def test_a_gate_works_in_one_event_loop_after_another() -> None:
    gate = Gate(Budget(limit=1), LeapingClock())

    async def crowd() -> None:
        async def go() -> None:
            async with gate.passing(CREATE):
                await asyncio.sleep(0)

        await asyncio.gather(*(go() for _ in range(3)))

    asyncio.run(crowd())
    asyncio.run(crowd())
    assert gate.budget.granted == 6
    assert gate.budget.creates_waiting == 0
    assert len(gate._turns._things) == 1


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (lambda: Surreal("token-a"), lambda: Surreal("token-a", account="studio"), True),
        (lambda: Surreal("token-a"), lambda: Surreal("token-b"), False),
        (lambda: Surreal("token-a"), lambda: Surreal("token-a", base_url="http://127.0.0.1:1"), False),
        (lambda: Akool("key-a"), lambda: Akool(client_id="id", client_secret="key-a"), True),
    ],
)
def test_clients_of_one_credential_share_one_budget(
    one: Callable[[], Surreal], other: Callable[[], Surreal], *, shared: bool
) -> None:
    first, second = one(), other()
    assert (first._channel.gate is second._channel.gate) == shared


def test_the_registry_keeps_neither_gates_nor_credentials() -> None:
    clock = LeapingClock()
    made = id(shared_gate("surreal", "https://x", "sentinel", clock, 30))
    from talking_avatar.transport import gate as module  # noqa: PLC0415 - its inside is the subject

    assert "sentinel" not in repr(list(module._gates.keys()))
    assert made
    assert not [key for key in module._gates if key[1] == "https://x"]
