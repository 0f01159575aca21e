"""The budget against a service that counts, with the network delaying whatever it likes."""

from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from talking_avatar.transport.budget import Budget, Permit, Purpose
from talking_avatar.transport.hints import RateHint

LIMIT, WINDOW = 5, 60.0
# So few that chance often fills a window.
FEW = 2


@attrs.define(eq=False)
class Flight:
    permit: Permit
    sent: float
    arrived: float | None = None


class SlidingService(RuleBasedStateMachine):
    """A service that counts arrivals over every window, wherever between send and answer each of them falls."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.budget = Budget(limit=FEW, window=WINDOW)
        self.flights: list[Flight] = []
        self.arrivals: list[float] = []

    @rule(purpose=st.sampled_from(Purpose))
    def send(self, purpose: Purpose) -> None:
        ready = self.budget.ready_at(self.now, purpose)
        permit = self.budget.try_acquire(self.now, purpose)
        assert (permit is not None) == (ready <= self.now)
        if permit is not None:
            self.flights.append(Flight(permit, self.now))

    @rule(seconds=st.sampled_from([0.01, 12.0, 30.0, 59.99, 60.0]) | st.floats(0, 130))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def wait_until_ready(self) -> None:
        ready = self.budget.ready_at(self.now, Purpose.CREATE)
        if ready != float("inf"):
            self.now = max(self.now, ready)
            assert self.budget.ready_at(self.now, Purpose.CREATE) <= self.now

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        flight = data.draw(st.sampled_from(self.flights))
        if flight.arrived is None:
            flight.arrived = self.now
            self.arrivals.append(self.now)

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        flight = data.draw(st.sampled_from(self.flights))
        self.flights.remove(flight)
        if flight.arrived is None:
            # Anywhere in between; it may also never have arrived, which only makes the service see less.
            self.arrivals.append(data.draw(st.floats(flight.sent, self.now)))
        self.budget.settle(flight.permit, self.now)
        self.budget.settle(flight.permit, self.now)

    @invariant()
    def no_window_holds_more_than_the_limit(self) -> None:
        for end in self.arrivals:
            assert sum(end - WINDOW < at <= end for at in self.arrivals) <= FEW


TestNoWindowHoldsMoreThanTheLimit = SlidingService.TestCase
TestNoWindowHoldsMoreThanTheLimit.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_request_counts_for_a_window_after_its_answer_however_long_it_was_under_way() -> None:
    budget = Budget(limit=1)
    permit = budget.try_acquire(0.0, Purpose.CREATE)
    assert permit is not None
    # It may have arrived at any moment of these hundred seconds.
    budget.settle(permit, 100.0)
    assert budget.ready_at(100.0, Purpose.CREATE) == 160.0


class SharedAccount(RuleBasedStateMachine):
    """A service with a fixed window that another program spends from too; its headers tell what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.budget = Budget(limit=30, window=WINDOW)
        self.opened, self.taken = float("-inf"), 0
        self.refused_in_a_row = 0

    def take(self) -> bool:
        if self.now - self.opened >= WINDOW:
            self.opened, self.taken = self.now, 0
        self.taken += 1
        return self.taken <= LIMIT

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(times=st.integers(1, LIMIT))
    def another_program_asks(self, times: int) -> None:
        for _ in range(times):
            self.take()

    @rule()
    def ask(self) -> None:
        permit = self.budget.try_acquire(self.now, Purpose.READ)
        if permit is None:
            return
        accepted = self.take()
        left = max(LIMIT - self.taken, 0)
        reset = self.opened + WINDOW - self.now
        self.budget.correct(self.now, RateHint(total=LIMIT, left=left, reset_in=reset))
        self.budget.settle(permit, self.now)
        self.refused_in_a_row = 0 if accepted else self.refused_in_a_row + 1
        if not accepted:
            self.budget.slow_down(self.now, reset)
        if left == 0 and reset > 0:
            # What the service says it has left binds, however much of it was spent by others.
            assert self.budget.try_acquire(self.now, Purpose.CREATE) is None
            assert self.budget.ready_at(self.now, Purpose.CREATE) >= self.now + reset - 1e-6

    @invariant()
    def the_limit_is_what_the_service_says(self) -> None:
        assert self.budget.limit in {30, LIMIT}
        assert 1 <= self.budget.allowed <= self.budget.limit

    @invariant()
    def one_refusal_is_enough(self) -> None:
        # Two in a row need another program to have spent a whole window in between.
        assert self.refused_in_a_row <= 1 or self.budget.allowed < LIMIT


TestWhatOthersSpendIsRespected = SharedAccount.TestCase
TestWhatOthersSpendIsRespected.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@attrs.define
class Traffic:
    """Creates and reads that want places at once; each request takes a second."""

    budget: Budget
    now: float = 0.0
    flying: list[tuple[float, Permit]] = attrs.field(factory=list)
    served: dict[Purpose, list[float]] = attrs.field(factory=lambda: {purpose: [] for purpose in Purpose})

    def step(self, *wanting: Purpose) -> None:
        for flight in [each for each in self.flying if each[0] <= self.now]:
            self.budget.settle(flight[1], flight[0])
            self.flying.remove(flight)
        for purpose in wanting:
            while (permit := self.budget.try_acquire(self.now, purpose)) is not None:
                self.flying.append((self.now + 1, permit))
                self.served[purpose].append(self.now)
        self.now += 0.5


@pytest.mark.parametrize("order", [(Purpose.CREATE, Purpose.READ), (Purpose.READ, Purpose.CREATE)])
def test_neither_reads_nor_creates_starve_while_both_want_every_place(order: tuple[Purpose, ...]) -> None:
    traffic = Traffic(Budget(limit=30))
    traffic.budget.creates_waiting = 1
    while traffic.now < 1_200:
        traffic.step(*order)
    creates, reads = len(traffic.served[Purpose.CREATE]), len(traffic.served[Purpose.READ])
    assert creates >= 500
    assert reads >= creates / 30 - 2
    gaps = [later - earlier for earlier, later in pairwise([0.0, *traffic.served[Purpose.READ]])]
    assert max(gaps) <= 130


def test_reads_have_every_place_when_no_create_waits() -> None:
    budget = Budget(limit=30)
    assert sum(budget.try_acquire(0.0, Purpose.READ) is not None for _ in range(40)) == 30


def test_a_place_kept_for_a_read_that_went_away_is_given_to_creates_again() -> None:
    budget = Budget(limit=2, creates_per_read=1, creates_waiting=1)
    assert budget.try_acquire(0.0, Purpose.CREATE) is not None
    assert budget.try_acquire(0.0, Purpose.CREATE) is not None
    assert budget.try_acquire(0.0, Purpose.READ) is None
    for _ in range(2):
        budget.settle(Permit(), 1.0)
    assert budget.try_acquire(59.0, Purpose.CREATE) is None
    taken = [budget.try_acquire(130.0, Purpose.CREATE) for _ in range(2)]
    assert all(taken)


def ask_until_refused(budget: Budget, now: float) -> int:
    return sum(budget.try_acquire(now, Purpose.READ) is not None for _ in range(100))


def test_a_refusal_halves_the_rate_and_quiet_windows_bring_it_back() -> None:
    budget = Budget(limit=32)
    permit = budget.try_acquire(0.0, Purpose.READ)
    assert permit is not None
    ask_until_refused(budget, 0.0)
    budget.settle(permit, 1.0)
    budget.slow_down(1.0, 10.0)
    assert budget.allowed == 16
    assert budget.ready_at(5.0, Purpose.READ) >= 11.0
    allowed = []
    for window in range(8):
        budget.ready_at(11.0 + 60 * window, Purpose.READ)
        allowed.append(budget.allowed)
    assert allowed[0] == 16
    assert allowed == sorted(allowed)
    assert allowed[-1] == 32


def test_the_bunch_of_refusals_of_one_overrun_halves_once() -> None:
    budget = Budget(limit=32)
    permits = [budget.try_acquire(0.0, Purpose.READ) for _ in range(32)]
    for permit in permits:
        assert permit is not None
        budget.settle(permit, 1.0)
        budget.slow_down(1.0, 10.0)
    assert budget.allowed == 16
    assert budget.refused == 32


def test_an_account_without_a_known_limit_slows_down_from_what_it_did() -> None:
    budget = Budget(limit=None)
    permits = [budget.try_acquire(0.0, Purpose.READ) for _ in range(100)]
    for permit in permits:
        assert permit is not None
        budget.settle(permit, 0.5)
    budget.slow_down(1.0)
    assert budget.allowed == 50
    assert budget.ready_at(1.0, Purpose.READ) > 1.0


@pytest.mark.parametrize(("told", "allowed"), [(10, 10), (60, 60), (30, 30)])
def test_the_limit_the_service_states_replaces_ours(told: int, allowed: int) -> None:
    budget = Budget(limit=30)
    budget.correct(0.0, RateHint(total=told))
    assert budget.limit == budget.allowed == allowed


def test_what_is_left_counts_those_still_in_flight_and_ends_with_its_window() -> None:
    budget = Budget(limit=30)
    flying: list[Any] = [budget.try_acquire(0.0, Purpose.READ) for _ in range(3)]
    budget.correct(1.0, RateHint(total=30, left=4, reset_in=20.0))
    budget.settle(flying[0], 1.0)
    assert ask_until_refused(budget, 1.0) == 2
    assert budget.ready_at(1.0, Purpose.READ) == 21.0
    assert ask_until_refused(budget, 21.0) > 2
