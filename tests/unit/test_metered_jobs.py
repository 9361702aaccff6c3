"""Jobs that end are told of once, whoever ends them."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from malaria import metric_names as names
from malaria.adapters.memory_jobs import MemoryJobs
from malaria.adapters.meters import MemoryMeter
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.domain import Job, JobState
from malaria.errors import JobFinished
from malaria.metered_jobs import MeteredJobs
from malaria.ports import JobStore
from tests.contract.clock import SetClock

CLOCK = SetClock()
QUEUED = Job("a", "identity-a", "a.zip", "uploads/a/a.zip", CLOCK.now())
FAILED = replace(QUEUED, state=JobState.FAILED, reason="no ZIP", finished=CLOCK.now())


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture(params=["memory", "sqlite"])
def jobs(request: pytest.FixtureRequest, meter: MemoryMeter, tmp_path: Path) -> JobStore:
    kept = MemoryJobs(CLOCK) if request.param == "memory" else SqliteJobs(tmp_path / "jobs.sqlite", CLOCK)
    return MeteredJobs(kept, meter)


def end(job: Job, state: JobState) -> Job:
    return replace(job, state=state, finished=CLOCK.now() + timedelta(seconds=90))


def test_the_change_that_ends_a_job_tells_of_it_and_no_other(jobs: JobStore, meter: MemoryMeter) -> None:
    jobs.add(QUEUED)
    jobs.change("a", lambda job: replace(job, state=JobState.RUNNING, started=CLOCK.now()))
    assert meter.told == []
    jobs.change("a", lambda job: end(job, JobState.SUCCEEDED))
    with pytest.raises(JobFinished):
        jobs.change("a", lambda job: end(job, JobState.FAILED))
    figures = {names.JOBS_SUCCEEDED: [1.0], names.JOB_TIME: [90.0]}
    assert meter.told == [(figures, {"job": "a", "state": "succeeded", "method": "auto"})]


def test_an_upload_that_cannot_be_used_counts_once_however_often_it_is_taken_in(
    jobs: JobStore, meter: MemoryMeter
) -> None:
    jobs.add(FAILED)
    jobs.add(replace(FAILED, created=CLOCK.now() + timedelta(seconds=1)))  # its event came again
    assert meter.of(names.JOBS_FAILED) == [1.0]
    assert meter.of(names.JOB_TIME) == [], "it never began"


def test_a_cancelled_job_is_no_failure(jobs: JobStore, meter: MemoryMeter) -> None:
    jobs.add(QUEUED)
    jobs.change("a", lambda job: end(job, JobState.CANCELLED))
    assert meter.told == []


def test_of_many_that_bury_it_at_once_one_tells(jobs: JobStore, meter: MemoryMeter) -> None:
    jobs.add(QUEUED)

    def bury(_: int) -> None:
        with contextlib.suppress(JobFinished):
            jobs.change("a", lambda job: end(job, JobState.FAILED))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bury, range(8)))
    assert meter.of(names.JOBS_FAILED) == [1.0]
