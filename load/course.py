"""How many users ask, and when: a course of stages, each with the figures of what happened in it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from load.figures import Figures, percentile


class Shape(StrEnum):
    STEADY = "steady"
    RAMP = "ramp"
    SPIKE = "spike"
    SOAK = "soak"


class Kind(StrEnum):
    EVEN = "even"
    PEAK = "peak"
    CLIMB = "climb"
    HOLD = "hold"
    """As many as at the end of the climb, so that saturation is seen for a while."""
    EASE = "ease"
    """As few as at first, to see whether the server comes back."""


@dataclass(frozen=True, slots=True)
class Stage:
    """users: how many ask. rate: how many begin or end a second. seconds: how long."""

    kind: Kind
    users: int
    rate: float
    seconds: float


@dataclass(frozen=True)
class Step:
    """A stage that is over: how long it took, and what was counted in it."""

    stage: Stage
    seconds: float
    figures: Figures

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return self.figures.answered / self.seconds if self.seconds else 0.0


USUAL: dict[Shape, tuple[int, float, float]] = {
    Shape.STEADY: (10, 2.0, 60.0),
    Shape.RAMP: (200, 20.0, 300.0),
    Shape.SPIKE: (100, 10.0, 120.0),
    Shape.SOAK: (10, 2.0, 3600.0),
}
"""Users, users that begin a second, and seconds, where the user names none."""
CLIMBS, SLICES = 10, 10
"""Stages of a ramp before saturation, and parts of a soak."""
BASE = 5
"""A spike is so many times what goes before and after it."""
AT_ONCE = 100.0
"""Users a second that come or go as good as at once; more trouble Locust."""
SATURATED = 0.05
"""Share of refusals in a stage from which the server has enough."""


def stages(shape: Shape, users: int, rate: float, seconds: float) -> tuple[Stage, ...]:
    """The stages of a shape. Raises ValueError where users, rate or seconds are not above 0."""
    if users < 1 or rate <= 0 or seconds <= 0:
        raise ValueError("Users, spawn rate and run time must be above 0.")
    if shape is Shape.SPIKE:
        few = math.ceil(users / BASE)
        parts = (
            (Kind.EVEN, few, rate, 0.4),
            (Kind.PEAK, users, min(users, AT_ONCE), 0.2),
            (Kind.EVEN, few, rate, 0.4),
        )
        return tuple(Stage(kind, many, fast, part * seconds) for kind, many, fast, part in parts)
    if shape is Shape.RAMP:
        climbs = min(CLIMBS, users)
        each = seconds / (climbs + 2)
        levels = [math.ceil(users * (n + 1) / climbs) for n in range(climbs)]
        climb = [Stage(Kind.CLIMB, many, rate, each) for many in levels]
        end = (Stage(Kind.HOLD, users, rate, each), Stage(Kind.EASE, levels[0], min(users, AT_ONCE), each))
        return (*climb, *end)
    slices = SLICES if shape is Shape.SOAK else 1
    return (Stage(Kind.EVEN, users, rate, seconds / slices),) * slices


class Course:
    """Goes through stages by the time that has passed; a climb ends where the server is saturated.

    figures: what has been counted up to now. slow: milliseconds for the 95th percentile of a stage beyond
    which the server is saturated, too; 0 for never.
    """

    def __init__(self, planned: Sequence[Stage], figures: Callable[[], Figures], slow: float) -> None:
        self._left = list(planned)
        self._figures, self._slow = figures, slow
        self._due, self._began, self._before = 0.0, 0.0, Figures()
        self.steps: list[Step] = []

    def at(self, seconds: float) -> Stage | None:
        """The stage at this time since the beginning; None once all are over.

        Each stage is told once at least, however seldom this is asked.
        """
        if self._left and seconds >= self._due + self._left[0].seconds:
            self._due = max(self._due + self._left[0].seconds, seconds - 1)
            self._end(seconds)
        return self._left[0] if self._left else None

    def end(self, seconds: float) -> None:
        """Close the stage that is under way, where one is."""
        if self._left and seconds > self._began:
            self._end(seconds)

    def _end(self, seconds: float) -> None:
        now = self._figures()
        step = Step(self._left.pop(0), seconds - self._began, now.since(self._before))
        self._began, self._before = seconds, now
        self.steps.append(step)
        if step.stage.kind is Kind.CLIMB and saturated(step, self._slow):
            self._left = [stage for stage in self._left if stage.kind is not Kind.CLIMB]
            self._left[0] = Stage(Kind.HOLD, step.stage.users, step.stage.rate, self._left[0].seconds)


def saturated(step: Step, slow: float) -> bool:
    """Whether the server refused, or answered too late, in this stage."""
    late = percentile(step.figures.times, 0.95)
    return step.figures.refused_share > SATURATED or bool(slow and late is not None and late > slow)
