"""The ledger of jobs in memory, for tests: same behaviour as the others, told by the same contract suite."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from malaria.domain import Job, JobState
from malaria.errors import AlreadyExists, JobFinished, UnknownTask
from malaria.ports import Clock


class MemoryJobs:
    """A JobStore that lives as long as its process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._token = 0
        self._until: datetime | None = None
        self._span = timedelta(0)

    def add(self, job: Job) -> Job:
        with self._lock:
            for standing in self._jobs.values():
                if standing.identity == job.identity:
                    return standing
            if job.id in self._jobs:
                raise AlreadyExists(f"Another job has the id {job.id}.")
            self._jobs[job.id] = job
            return job

    def get(self, job_id: str) -> Job:
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownTask(f"There is no task {job_id[:100]!r}.")
            return self._jobs[job_id]

    def list(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        with self._lock:
            oldest = sorted(self._jobs.values(), key=lambda job: job.created)  # stable: equals as added
        return [job for job in reversed(oldest) if state in (None, job.state)][: max(0, limit)]

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        with self._lock:
            job = self.get(job_id)
            if job.state.terminal:
                raise JobFinished(f"Job {job_id} has ended ({job.state.value}); nothing can change it.")
            self._jobs[job_id] = change(job)
            return self._jobs[job_id]

    def acquire(self, owner: str, seconds: float) -> int | None:  # noqa: ARG002 - nobody reads it here
        with self._lock:
            now = self._clock.now()
            if self._until is not None and now < self._until:
                self._until = min(self._until, now + self._span)
                return None
            self._token += 1
            self._extend(seconds)
            return self._token

    def renew(self, token: int, seconds: float) -> bool:
        with self._lock:
            if token != self._token or self._until is None:
                return False
            self._extend(seconds)
            return True

    def release(self, token: int) -> None:
        with self._lock:
            if token == self._token:
                self._until = None

    def _extend(self, seconds: float) -> None:
        self._span = timedelta(seconds=seconds)
        self._until = self._clock.now() + self._span
