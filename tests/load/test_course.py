"""Shapes of the load, and a climb that ends where the server has enough."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load.course import SLICES, Course, Kind, Shape, Stage, saturated, stages
from load.figures import REFUSED, Figures, counted, percentile

WHOLE = st.tuples(st.integers(1, 400), st.floats(0.1, 50), st.floats(10, 4000))


@given(st.sampled_from(list(Shape)), WHOLE)
def test_a_shape_keeps_to_the_users_and_the_time_that_were_named(
    shape: Shape, asked: tuple[int, float, float]
) -> None:
    users, rate, seconds = asked
    planned = stages(shape, users, rate, seconds)
    assert sum(stage.seconds for stage in planned) == pytest.approx(seconds)
    assert max(stage.users for stage in planned) == users
    assert all(stage.users >= 1 and stage.rate > 0 for stage in planned)


def test_shapes_are_what_they_are_called() -> None:
    assert [s.users for s in stages(Shape.STEADY, 10, 2, 60)] == [10]
    assert [s.users for s in stages(Shape.SPIKE, 100, 2, 60)] == [20, 100, 20]
    assert stages(Shape.SPIKE, 100, 2, 60)[1].rate == 100, "a spike comes all at once"
    assert len(stages(Shape.SOAK, 10, 2, 3600)) == SLICES
    ramp = stages(Shape.RAMP, 50, 5, 120)
    assert [s.users for s in ramp] == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50, 5]
    assert [s.kind for s in ramp[-2:]] == [Kind.HOLD, Kind.EASE]
    assert [s.users for s in stages(Shape.RAMP, 2, 5, 120)] == [1, 2, 2, 1]


@pytest.mark.parametrize(("users", "rate", "seconds"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_what_cannot_be_is_refused(users: int, rate: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        stages(Shape.STEADY, users, rate, seconds)


class Server:
    """Answers what it can a second and refuses the rest; counts as Locust does."""

    def __init__(self, most: int) -> None:
        self.most, self.answered, self.refused = most, 0, 0

    def second(self, users: int) -> None:
        self.answered += min(users, self.most)
        self.refused += max(0, users - self.most)

    def figures(self) -> Figures:
        return Figures(self.answered, self.refused, 0, Counter({50: self.answered}))


def through(course: Course, server: Server) -> list[tuple[Kind, int]]:
    """What each second of the course was."""
    seen, second = [], 0
    while (stage := course.at(second)) is not None:
        seen.append((stage.kind, stage.users))
        server.second(stage.users)
        second += 1
    return seen


def test_a_climb_ends_at_saturation_holds_there_and_eases() -> None:
    server = Server(22)
    course = Course(stages(Shape.RAMP, 50, 5, 120), server.figures, 1000)
    seen = through(course, server)
    assert len(seen) == 70, "five of ten climbs, the hold and the ease, ten seconds each"
    assert [(step.stage.kind, step.stage.users) for step in course.steps] == [
        *[(Kind.CLIMB, users) for users in (5, 10, 15, 20, 25)],
        (Kind.HOLD, 25),
        (Kind.EASE, 5),
    ]
    assert [step.figures.refused for step in course.steps] == [0, 0, 0, 0, 30, 30, 0]
    assert [step.rate for step in course.steps] == [5, 10, 15, 20, 22, 22, 5]


def test_a_climb_that_meets_no_limit_goes_to_its_end() -> None:
    server = Server(1000)
    course = Course(stages(Shape.RAMP, 50, 5, 120), server.figures, 1000)
    assert len(through(course, server)) == 120
    assert len(course.steps) == 12


@given(st.lists(st.floats(0.2, 30), max_size=30))
def test_each_stage_is_told_however_seldom_the_course_is_asked(pauses: list[float]) -> None:
    planned = [Stage(Kind.CLIMB, users, 1.0, 0.3) for users in range(1, 6)]
    course = Course(planned, Figures, 0)
    now, told = 0.0, []
    for pause in [*pauses, *[40.0] * 6]:
        stage = course.at(now)
        if stage and stage.users not in told:
            told.append(stage.users)
        now += pause
    assert told == [1, 2, 3, 4, 5]
    assert course.at(now + 100) is None


def test_a_run_that_is_broken_off_keeps_what_was_counted() -> None:
    server = Server(5)
    course = Course(stages(Shape.STEADY, 5, 1, 100), server.figures, 0)
    course.at(0)
    server.second(5)
    course.end(7.5)
    assert [(step.seconds, step.figures.answered) for step in course.steps] == [(7.5, 5)]
    course.end(8.0)
    assert course.at(9.0) is None


def test_late_answers_are_saturation_too() -> None:
    course = Course([Stage(Kind.CLIMB, 1, 1, 1)], lambda: Figures(100, 0, 0, Counter({10: 90, 2000: 10})), 0)
    course.at(1.0)
    (step,) = course.steps
    assert saturated(step, 1000)
    assert not saturated(step, 3000)
    assert not saturated(step, 0)


class Entry:
    def __init__(self, name: str, requests: int, failures: int, times: dict[int, int]) -> None:
        self.name, self.num_requests, self.num_failures, self.response_times = name, requests, failures, times


def test_refusals_are_counted_apart_from_answers_and_their_times() -> None:
    entries = [
        Entry("/predict", 10, 1, {20: 9, 500: 1}),
        Entry("/predict" + REFUSED, 30, 0, {1: 30}),
        Entry("/predict/batch", 4, 0, {900: 4}),
        Entry("/predict/batch" + REFUSED, 2, 0, {1: 2}),
    ]
    found = counted(entries)
    assert (found.answered, found.refused, found.failed, found.asked) == (13, 32, 1, 46)
    assert found.times == {20: 9, 500: 1}
    assert found.batch_times == {900: 4}
    more = counted([*entries, Entry("/status", 5, 0, {20: 5})]).since(found)
    assert (more.answered, more.refused, more.failed, dict(more.times)) == (5, 0, 0, {20: 5})


@given(st.lists(st.integers(0, 5000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_that_enough_came_within(values: list[int], share: float) -> None:
    found = percentile(Counter(values), share)
    assert found is not None
    assert sum(v <= found for v in values) >= share * len(values)
    assert sum(v < found for v in values) < share * len(values)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile(Counter(), 0.95) is None
