import random

from hypothesis import given
from hypothesis import strategies as st

from talking_avatar.sandbox.engine import Failure, Lognormal, Planner, Stage, Work, look

TIMES = st.floats(min_value=0, max_value=1e6)
ORDER = {Stage.QUEUED: 0, Stage.PROCESSING: 1, Stage.FINISHED: 2, Stage.FAILED: 2}


def rng() -> random.Random:
    return random.Random(7)  # noqa: S311 - plans have to repeat


def planner(seconds: float = 100) -> Planner:
    return Planner(rng=rng(), render_seconds=seconds)


@given(TIMES, st.lists(TIMES, min_size=2), st.booleans())
def test_a_job_never_goes_back(seconds: float, moments: list[float], fails: bool) -> None:
    plan = planner(seconds).plan(0, failure=Failure(reason="no") if fails else None)
    seen = [look(plan, moment) for moment in sorted(moments)]
    assert [ORDER[each.stage] for each in seen] == sorted(ORDER[each.stage] for each in seen)
    assert [each.progress for each in seen] == sorted(each.progress for each in seen)


def test_a_job_waits_then_works_then_ends() -> None:
    plan = planner(100).plan(1000)
    stages = [look(plan, 1000 + passed).stage for passed in (0, 9.9, 10, 99.9, 100)]
    assert stages == [Stage.QUEUED, Stage.QUEUED, Stage.PROCESSING, Stage.PROCESSING, Stage.FINISHED]


def test_a_planned_failure_shows_at_the_end_and_says_why() -> None:
    why = Failure(reason="too dark", code=1108)
    plan = planner(100).plan(0, failure=why)
    assert look(plan, 99).failure is None
    assert (look(plan, 100).stage, look(plan, 100).failure) == (Stage.FAILED, why)


def test_rendered_work_is_not_finished_before_its_planned_time() -> None:
    plan = planner(100).plan(0)
    done = Work(started=1, ended=2)
    assert look(plan, 50, done).stage is Stage.PROCESSING
    assert look(plan, 100, done).stage is Stage.FINISHED


def test_a_render_that_takes_longer_than_planned_is_still_processing() -> None:
    seen = look(planner(100).plan(0), 5000, Work(started=1))
    assert (seen.stage, seen.progress) == (Stage.PROCESSING, 99)


def test_work_that_has_not_begun_is_queued_however_late_it_is() -> None:
    assert look(planner(100).plan(0), 5000, Work()).stage is Stage.QUEUED


def test_work_that_failed_shows_at_once() -> None:
    failure = Failure(reason="no face")
    assert look(planner(100).plan(0), 2, Work(started=1, ended=2, failure=failure)).failure == failure


def test_one_seed_gives_the_same_plans_again() -> None:
    first, second = (Planner(rng=rng(), render_seconds=Lognormal(120, 0.5)) for _ in range(2))
    plans = [first.plan(0) for _ in range(20)]
    assert plans == [second.plan(0) for _ in range(20)]
    assert len({plan.ends for plan in plans}) == 20


def test_without_render_seconds_a_plan_is_over_when_it_is_made() -> None:
    assert look(Planner(rng=rng()).plan(5), 5).stage is Stage.FINISHED
