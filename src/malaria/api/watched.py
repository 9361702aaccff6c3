"""A summary as it is told over HTTP, and the requests of a laptop's server, of which nobody else tells."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from malaria import metric_names as names
from malaria.api import examples
from malaria.api.examples import shown
from malaria.history import CLIENT_ERRORS, LATENCY, REQUESTS, SERVER_ERRORS, UP, Digest
from malaria.metric_names import Metric
from malaria.ports import Meter
from malaria.summary import Summary

WINDOW = Literal["1h", "6h", "24h", "7d", "30d"]


class Quantiles(BaseModel):
    """Null where no value was told."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Watched(BaseModel):
    """Figures of a stretch of time. Counts are 0 where nothing came; what is not told here is null."""

    up: float | None = Field(description="Share of the time in which the server was there, 0 to 1.")
    requests: int | None
    client_errors: int | None = Field(description="Answered with 400 to 499.")
    server_errors: int | None = Field(description="Answered with 500 or more.")
    latency_ms: Quantiles = Field(description="From a request's arrival to the end of its answer.")
    pictures: int
    parasitized: int
    uninfected: int
    not_a_cell: int
    review: int = Field(description="Sent to a person.")
    low_confidence: int = Field(description="Of these, because the answer was unsure.")
    confidence: Quantiles = Field(description="Probability of the class that was named, 0.5 to 1.")
    predict_ms: Quantiles = Field(description="What the network took for the pictures of one request.")
    feature_distance: Quantiles = Field(
        description="How far pictures are from what was learnt; 1 is what 5 in 100 learnt cells exceed."
    )
    image_deviation: Quantiles = Field(
        description="Standard deviations by which brightness or colour is off what was learnt."
    )
    memory_mb: float | None = Field(description="Of a process that answers; the median.")
    cpu_cores: float | None = Field(description="Processor cores that were busy with it, in the mean.")
    uploads: int = Field(description="Retrainings that were asked for.")
    jobs_succeeded: int
    jobs_failed: int


class Step(Watched):
    at: datetime = Field(description="When the step begins.")


class ServedThen(BaseModel):
    version: str
    since: datetime
    until: datetime | None = Field(None, description="Null: it is served still.")


class SummaryAnswer(BaseModel):
    """How the system fared over a window that ends now."""

    model_config = ConfigDict(json_schema_extra=shown(examples.SUMMARY))

    window: WINDOW
    start: datetime
    end: datetime = Field(description="End of the last step, which is not over yet.")
    step_seconds: int
    time: datetime
    total: Watched
    requests_per_minute: float | None = Field(description="In the mean of the window, up to now.")
    job_seconds: float | None = Field(description="What a job took; the median.")
    served: list[ServedThen] = Field(description="Versions in the order in which they were served.")
    steps: list[Step]


def summary_answer(window: WINDOW, told: Summary) -> SummaryAnswer:
    span, jobs = told.span, told.jobs
    passed = (told.now - span.start).total_seconds()
    requests = told.whole(REQUESTS)
    sums = (sum(jobs.came), sum(jobs.succeeded), sum(jobs.failed))
    total = _watched([told.whole(metric) for metric in _TOLD], passed, sums)
    steps = []
    for place, at in enumerate(span.moments):
        seconds = min(span.step.total_seconds(), max((told.now - at).total_seconds(), 1.0))
        counts = (jobs.came[place], jobs.succeeded[place], jobs.failed[place])
        figures = _watched([told.step(metric, place) for metric in _TOLD], seconds, counts)
        steps.append(Step(at=at, **figures.model_dump()))
    return SummaryAnswer(
        window=window,
        start=span.start,
        end=span.end,
        step_seconds=int(span.step.total_seconds()),
        time=told.now,
        total=total,
        requests_per_minute=60 * requests.total / passed if requests else None,
        job_seconds=float(np.median(jobs.seconds)) if jobs.seconds else None,
        served=[ServedThen(version=o.version, since=o.since, until=o.until) for o in told.served],
        steps=steps,
    )


_COUNTS = {
    "requests": REQUESTS,
    "client_errors": CLIENT_ERRORS,
    "server_errors": SERVER_ERRORS,
    "pictures": names.PICTURES,
    "parasitized": names.PARASITIZED,
    "uninfected": names.UNINFECTED,
    "not_a_cell": names.NOT_A_CELL,
    "review": names.REVIEW,
    "low_confidence": names.LOW_CONFIDENCE,
}
_QUANTILES = {
    "latency_ms": LATENCY,
    "confidence": names.CONFIDENCE,
    "predict_ms": names.PREDICT_TIME,
    "feature_distance": names.FEATURE_DISTANCE,
    "image_deviation": names.IMAGE_DEVIATION,
}
_TOLD: tuple[Metric, ...] = (
    UP,
    names.MEMORY,
    names.CPU_TIME,
    *_COUNTS.values(),
    *_QUANTILES.values(),
)


def _watched(digests: Sequence[Digest | None], seconds: float, jobs: tuple[int, int, int]) -> Watched:
    """digests: in the order of _TOLD. seconds: of the time that has passed. jobs: came, succeeded, failed."""
    of = dict(zip(_TOLD, digests, strict=True))
    up, memory, processor = of[UP], of[names.MEMORY], of[names.CPU_TIME]
    counts = {name: round(one.total) if (one := of[metric]) else 0 for name, metric in _COUNTS.items()}
    return Watched(
        up=up.mean if up else None,
        memory_mb=memory.quantile(0.5) if memory else None,
        cpu_cores=processor.total / seconds if processor else None,
        uploads=jobs[0],
        jobs_succeeded=jobs[1],
        jobs_failed=jobs[2],
        **counts,
        **{name: _quantiles(of[metric]) for name, metric in _QUANTILES.items()},
    )


def _quantiles(told: Digest | None) -> Quantiles:
    known = told.quantiles if told else {}
    return Quantiles(p50=known.get(0.5), p90=known.get(0.9), p95=known.get(0.95), p99=known.get(0.99))


class Measured:
    """Tell of each request: that it came, how it was answered and how long that took. The page's own files
    are no requests."""

    def __init__(self, app: ASGIApp, meter: Meter, unmeasured: Sequence[str]) -> None:
        self._app, self._meter, self._unmeasured = app, meter, tuple(unmeasured)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_the_page(str(scope["path"])):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sender(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sender)
        finally:
            self._meter.tell(
                {
                    REQUESTS: 1,
                    CLIENT_ERRORS: 400 <= status < 500,
                    SERVER_ERRORS: status >= 500,
                    LATENCY: 1000 * (time.perf_counter() - began),
                }
            )

    def _is_the_page(self, path: str) -> bool:
        return path in self._unmeasured or path.startswith("/assets/")
