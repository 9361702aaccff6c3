"""A stage for the trigger: fakes of every port, a clock, and a player of the training process."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from malaria.adapters import objects
from malaria.adapters.memory_jobs import MemoryJobs
from malaria.adapters.memory_launcher import MemoryLauncher
from malaria.domain import Job, JobState, RetrainOptions
from malaria.errors import JobFinished
from malaria.ports import JobStore, ObjectStore
from malaria.retrain import take_group
from malaria.trigger import Trigger
from tests.contract.clock import SetClock

LEASE = 60.0


@dataclass
class Stage:
    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    objects: ObjectStore = field(default_factory=objects.memory)
    launcher: MemoryLauncher = field(default_factory=MemoryLauncher)
    jobs: JobStore = field(init=False)
    trigger: Trigger = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = MemoryJobs(self.clock)
        self.trigger = Trigger(self.objects, self.jobs, self.launcher, self.clock)

    def submit(self, name: str = "a.zip", options: RetrainOptions | None = None, after: float = 1.0) -> Job:
        source = self.folder / "upload.zip"
        source.write_bytes(name.encode())
        self.clock.go(after)
        return self.trigger.submit(
            source, name=name, identity=None, options=options or RetrainOptions(), actor="me"
        )

    def launch(self) -> Job:
        job = self.trigger.dispatch()
        assert job is not None
        return job

    def run(self, job: Job) -> "Run":
        """The launched process of a job comes up and begins."""
        run = Run(self, job.id, job.attempt, f"memory:{job.id}:{job.attempt}")
        assert self.launcher.alive(run.handle)
        run.begin()
        return run

    def job(self, job: Job | str) -> Job:
        return self.jobs.get(job if isinstance(job, str) else job.id)


@dataclass
class Run:
    """What a training process does to the ledger, from its first step to its end."""

    stage: Stage
    job_id: str
    attempt: int
    handle: str
    token: int | None = None
    group: list[str] = field(default_factory=list)

    def acquire(self) -> bool:
        self.token = self.stage.jobs.acquire(f"{self.job_id}/{self.attempt}", LEASE)
        if self.token is None:
            self.stage.launcher.end(self.handle)
        return self.token is not None

    def begin(self) -> None:
        """Take the lease, then this job and every queued one that asks for the same, as a real run does."""
        if self.acquire():
            assert self.token is not None
            stage = self.stage
            self.group = take_group(stage.jobs, stage.clock, self.job_id, self.attempt, self.token)
            if not self.group:
                self.leave()

    def beat(self) -> bool:
        return self.token is not None and self.stage.jobs.renew(self.token, LEASE)

    def end(self, only: str | None = None, state: JobState = JobState.SUCCEEDED) -> None:
        """End the jobs of the run, and the run with the last of them."""

        def end(job: Job) -> Job:
            now = self.stage.clock.now()
            return replace(job, state=state, finished=now, lease=None, reason="the verdict")

        for job_id in [only] if only else tuple(self.group):
            self.group.remove(job_id)
            try:
                self.stage.jobs.change(job_id, end)
            except JobFinished:
                continue
        if not self.group:
            self.leave()

    def requeue_one(self) -> None:
        """Put the next job of the run back: the process was asked to end."""
        self.stage.jobs.change(
            self.group.pop(0), lambda j: replace(j, state=JobState.QUEUED, handle="", leader=None, lease=None)
        )

    def leave(self) -> None:
        if self.token is not None:
            self.stage.jobs.release(self.token)
        self.stage.launcher.end(self.handle)

    def die(self) -> None:
        """kill -9: nothing more is said, the lease is not given back."""
        self.stage.launcher.end(self.handle)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class Killed(BaseException):
    """The dispatcher is killed here."""


class Mortal:
    """Passes calls on to a port until the process dies: at call number `last`, before or after its effect."""

    def __init__(self, port: object, last: list[int], after: bool) -> None:
        self._port, self._last, self._after = port, last, after

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self._last[0] -= 1
            if self._last[0] == 0 and not self._after:
                raise Killed
            try:
                return getattr(self._port, name)(*args, **kwargs)
            finally:
                if self._last[0] == 0:
                    raise Killed

        return call
