"""How a figure went over a span of time, in even steps; whoever keeps it, a file or CloudWatch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from malaria.errors import BadOptions
from malaria.metric_names import CPU_TIME, Metric

REQUESTS = Metric(
    "Requests", "Count", "Requests that were answered, whatever the answer; the page's files apart."
)
CLIENT_ERRORS = Metric("ClientErrors", "Count", "Of these, answered with 400 to 499: the caller's fault.")
SERVER_ERRORS = Metric("ServerErrors", "Count", "Of these, answered with 500 or more.")
LATENCY = Metric("Latency", "Milliseconds", "From a request's arrival to the end of its answer.")
UP = Metric("Up", "None", "Whether the server was there: its mean is the share of the time.")
"""What AWS tells of a deployment by itself or by its canary, and a laptop of its own server."""
BEAT = 5.0
"""Seconds between two times that a laptop's server says that it is there: as much is lost in a power cut."""

QUANTILES = (0.5, 0.9, 0.95, 0.99)
WINDOWS: Mapping[str, tuple[timedelta, timedelta]] = {
    "1h": (timedelta(hours=1), timedelta(minutes=1)),
    "6h": (timedelta(hours=6), timedelta(minutes=5)),
    "24h": (timedelta(days=1), timedelta(minutes=15)),
    "7d": (timedelta(days=7), timedelta(hours=2)),
    "30d": (timedelta(days=30), timedelta(hours=6)),
}
"""Windows by name: how long, and in which steps."""


def has_quantiles(metric: Metric) -> bool:
    """Whether its single values matter; else they are only added up."""
    return metric.unit != "Count" and metric not in (UP, CPU_TIME)


@dataclass(frozen=True, slots=True)
class Span:
    """`steps` steps from `start`. The last one is not over yet where the span ends now."""

    start: datetime
    step: timedelta
    steps: int

    @classmethod
    def of(cls, window: str, now: datetime) -> "Span":
        """The window that ends with the step in which `now` lies; steps begin at whole multiples of their
        length since 1970. Raises BadOptions where there is no such window."""
        try:
            length, step = WINDOWS[window]
        except KeyError:
            raise BadOptions(f"There is no window '{window}'; choose {', '.join(WINDOWS)}.") from None
        begun = now.timestamp() // step.total_seconds() * step.total_seconds()
        end = datetime.fromtimestamp(begun, UTC) + step
        return cls(end - length, step, length // step)

    @property
    def end(self) -> datetime:
        return self.start + self.steps * self.step

    @property
    def moments(self) -> list[datetime]:
        """When each step begins."""
        return [self.start + place * self.step for place in range(self.steps)]

    def place(self, at: datetime) -> int | None:
        """The step in which a moment lies; None outside the span."""
        place = (at - self.start) // self.step
        return place if 0 <= place < self.steps else None


@dataclass(frozen=True, slots=True)
class Digest:
    """What is known of the values of a metric in some time. quantiles: by share, of those that have any."""

    count: float
    total: float
    quantiles: Mapping[float, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Raises ZeroDivisionError of no value at all."""
        return self.total / self.count

    def quantile(self, share: float) -> float | None:
        return self.quantiles.get(share)


@dataclass(frozen=True, slots=True)
class Course:
    """A metric over a span: of all of it, and of each step; None where nothing was told."""

    whole: Digest | None
    steps: tuple[Digest | None, ...]
