"""How the system fares, for a person who watches: requests, answers, drift, jobs, versions over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from malaria import metric_names as names
from malaria.domain import Job, JobState, Promotion
from malaria.history import CLIENT_ERRORS, LATENCY, REQUESTS, SERVER_ERRORS, UP, Course, Digest, Span
from malaria.metric_names import Metric
from malaria.ports import Clock, History, JobStore
from malaria.promote import Registry

WATCHED = (
    UP,
    REQUESTS,
    CLIENT_ERRORS,
    SERVER_ERRORS,
    LATENCY,
    names.PICTURES,
    names.PARASITIZED,
    names.UNINFECTED,
    names.NOT_A_CELL,
    names.REVIEW,
    names.LOW_CONFIDENCE,
    names.CONFIDENCE,
    names.PREDICT_TIME,
    names.FEATURE_DISTANCE,
    names.IMAGE_DEVIATION,
    names.MEMORY,
    names.CPU_TIME,
)
MOST_JOBS = 1000


@dataclass(frozen=True, slots=True)
class Served:
    """A version that was served within the window. until: None where it still is."""

    version: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs by step of the window: how many came, and how those ended that ended then. seconds: what each of
    those that ran took, from its start to its end."""

    came: tuple[int, ...]
    succeeded: tuple[int, ...]
    failed: tuple[int, ...]
    cancelled: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """courses: by metric; one that nobody tells here is absent."""

    span: Span
    now: datetime
    courses: Mapping[Metric, Course]
    served: tuple[Served, ...]
    jobs: Jobs

    def whole(self, metric: Metric) -> Digest | None:
        course = self.courses.get(metric)
        return course.whole if course else None

    def step(self, metric: Metric, place: int) -> Digest | None:
        course = self.courses.get(metric)
        return course.steps[place] if course else None


def summary(window: str, clock: Clock, history: History, jobs: JobStore, registry: Registry) -> Summary:
    """Of the window that ends now. Raises BadOptions where there is no such window, Busy where what is kept
    cannot be reached."""
    now = clock.now()
    span = Span.of(window, now)
    return Summary(
        span,
        now,
        history.read(WATCHED, span),
        tuple(served(registry.history(), span)),
        of_jobs(jobs.list(limit=MOST_JOBS), span),
    )


def served(promotions: Sequence[Promotion], span: Span) -> list[Served]:
    """Versions in the order in which they were served; promotions: the newest first."""
    ordered = list(reversed(promotions))
    ends = [after.at for _, after in pairwise(ordered)]
    until: list[datetime | None] = [*ends, None]
    return [
        Served(one.version, one.at, end)
        for one, end in zip(ordered, until, strict=True)
        if end is None or end > span.start
    ]


def of_jobs(jobs: Sequence[Job], span: Span) -> Jobs:
    ended = [job for job in jobs if job.finished is not None and span.place(job.finished) is not None]
    return Jobs(
        came=_counted([job.created for job in jobs], span),
        succeeded=_counted(_ends(ended, JobState.SUCCEEDED), span),
        failed=_counted(_ends(ended, JobState.FAILED), span),
        cancelled=_counted(_ends(ended, JobState.CANCELLED), span),
        seconds=tuple(
            (job.finished - job.started).total_seconds() for job in ended if job.finished and job.started
        ),
    )


def _ends(jobs: Sequence[Job], state: JobState) -> list[datetime]:
    return [job.finished for job in jobs if job.state is state and job.finished is not None]


def _counted(moments: Sequence[datetime], span: Span) -> tuple[int, ...]:
    counts = [0] * span.steps
    for at in moments:
        place = span.place(at)
        if place is not None:
            counts[place] += 1
    return tuple(counts)
