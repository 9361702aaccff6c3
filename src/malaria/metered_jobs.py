"""The ledger of jobs, which tells of each that ends.

A job ends by one atomic change of its row, and rows that have ended are final. So whoever's change made it
end tells of it, and nobody else can: the training that came to a verdict, the look round that buried a run
which died, or the intake of an upload that cannot be used. A process that is killed between the change and
the telling tells nothing; a job is counted once or, seldom, not at all, and never twice.
"""

from collections.abc import Callable

from malaria import metric_names as names
from malaria.domain import Job, JobState
from malaria.metric_names import Metric
from malaria.ports import JobStore, Meter


class MeteredJobs:
    """A JobStore over another."""

    def __init__(self, jobs: JobStore, meter: Meter) -> None:
        self.kept, self._meter = jobs, meter

    def add(self, job: Job) -> Job:
        stands = self.kept.add(job)
        if stands == job:  # else it stood before, and was told of then
            self._tell(stands)
        return stands

    def get(self, job_id: str) -> Job:
        return self.kept.get(job_id)

    def list(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        return self.kept.list(state=state, limit=limit)

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        stands = self.kept.change(job_id, change)  # of one that had ended it raises
        self._tell(stands)
        return stands

    def acquire(self, owner: str, seconds: float) -> int | None:
        return self.kept.acquire(owner, seconds)

    def renew(self, token: int, seconds: float) -> bool:
        return self.kept.renew(token, seconds)

    def release(self, token: int) -> None:
        self.kept.release(token)

    def _tell(self, job: Job) -> None:
        if not job.state.terminal:
            return
        told: dict[Metric, float] = {}
        if job.state == JobState.SUCCEEDED:
            told[names.JOBS_SUCCEEDED] = 1
        if job.state == JobState.FAILED:
            told[names.JOBS_FAILED] = 1
        if job.started and job.finished:
            told[names.JOB_TIME] = (job.finished - job.started).total_seconds()
        self._meter.tell(told, job=job.id, state=job.state.value, method=job.options.method.value)
