"""The same supervision over the real ledger and real processes, which are really killed."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from malaria.adapters.objects import local
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.adapters.subprocess_launcher import SubprocessLauncher
from malaria.domain import Job, JobState, RetrainOptions
from malaria.trigger import Trigger

TRAINER = """
import argparse, os, sys, time
from dataclasses import replace
from pathlib import Path
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.domain import JobState
from tests.unit.test_trigger_processes import UtcClock

parser = argparse.ArgumentParser()
parser.add_argument("--job")
parser.add_argument("--attempt", type=int)
args = parser.parse_args()
home = Path(os.environ["MALARIA_HOME"])
jobs = SqliteJobs(home / "jobs.sqlite", UtcClock())
token = jobs.acquire(args.job, 60)
if token is None:
    sys.exit(75)
print("began", args.attempt, flush=True)  # before it is seen to run, for then it may be killed
jobs.change(args.job, lambda j: replace(j, state=JobState.RUNNING, lease=token, attempt=args.attempt))
while not (home / "finish").exists():
    jobs.renew(token, 60)
    if jobs.get(args.job).cancel_requested:
        sys.exit(3)
    time.sleep(0.02)
jobs.change(args.job, lambda j: replace(j, state=JobState.SUCCEEDED, reason="the verdict", lease=None))
jobs.release(token)
"""


class UtcClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Laptop:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.jobs = SqliteJobs(home / "jobs.sqlite", UtcClock())
        self.launcher = SubprocessLauncher(home, (sys.executable, "-c", TRAINER))
        self.trigger = Trigger(local(home / "store"), self.jobs, self.launcher, UtcClock())

    def until(self, job: Job, holds: Callable[[Job], bool], seconds: float = 20.0) -> Job:
        """Look round as the supervisor does, until it holds."""
        deadline = time.monotonic() + seconds
        while not holds(stands := self.jobs.get(job.id)):
            assert time.monotonic() < deadline, stands
            self.trigger.reconcile()
            self.trigger.dispatch()
            time.sleep(0.02)
        return stands

    def kill(self, job: Job) -> None:
        os.killpg(int(job.handle.partition(":")[0]), signal.SIGKILL)


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path / "home")
    yield laptop
    for job in laptop.jobs.list():
        if job.handle and laptop.launcher.alive(job.handle):
            laptop.kill(job)


@pytest.fixture
def job(laptop: Laptop, tmp_path: Path) -> Job:
    source = tmp_path / "a.zip"
    source.write_bytes(b"cells")
    return laptop.trigger.submit(source, name="a.zip", identity=None, options=RetrainOptions(), actor="me")


def running(attempt: int) -> Callable[[Job], bool]:
    return lambda job: job.state == JobState.RUNNING and job.attempt == attempt and ":" in job.handle


def ended(job: Job) -> bool:
    return job.state.terminal


def test_a_killed_trainer_runs_again_and_the_job_succeeds(laptop: Laptop, job: Job) -> None:
    laptop.kill(laptop.until(job, running(1)))
    again = laptop.until(job, running(2))
    (laptop.home / "finish").touch()
    done = laptop.until(again, ended)
    assert (done.state, done.attempt, done.reason) == (JobState.SUCCEEDED, 2, "the verdict")
    assert (laptop.home / "logs" / f"{job.id}.log").read_text() == "began 1\nbegan 2\n"


def test_a_trainer_killed_twice_fails_the_job(laptop: Laptop, job: Job) -> None:
    for attempt in (1, 2):
        laptop.kill(laptop.until(job, running(attempt)))
    failed = laptop.until(job, ended)
    assert failed.state == JobState.FAILED
    assert "in the middle of its work (attempt 2)" in failed.reason
    assert laptop.jobs.acquire("next", 1) is not None


def test_a_new_server_finds_the_run_of_the_old_one(laptop: Laptop, job: Job) -> None:
    laptop.until(job, running(1))
    restarted = Laptop(laptop.home)
    assert restarted.trigger.reconcile() == []
    assert restarted.trigger.dispatch() is None
    (laptop.home / "finish").touch()
    assert restarted.until(job, ended).attempt == 1


def test_a_trainer_that_cannot_start_fails_the_job(laptop: Laptop, job: Job) -> None:
    laptop.launcher._command = (sys.executable, "-c", "raise SystemExit('no such module')")
    failed = laptop.until(job, ended)
    assert (failed.state, failed.attempt) == (JobState.FAILED, 3)
    assert "before its work began" in failed.reason
    assert (laptop.home / "logs" / f"{job.id}.log").read_text() == "no such module\n" * 3


def test_a_cancelled_run_ends_cancelled(laptop: Laptop, job: Job) -> None:
    laptop.until(job, running(1))
    assert laptop.trigger.cancel(job.id).cancel_requested
    assert laptop.until(job, ended).state == JobState.CANCELLED
