"""How a run stays in touch with the ledger: it renews its lease, tells where it stands, hears of a cancel."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from malaria.domain import Job, JobState, Progress, Verdict, cancelled
from malaria.errors import Busy, Cancelled, Interrupted, JobFinished, MalariaError
from malaria.ports import JobStore, Report
from malaria.progress import part
from malaria.services import Services

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.5
"""Rows are written at most this often; the end of an epoch is always written."""


class Heartbeat:
    """Renews the lease from a thread of its own, so that a long step does not lose it."""

    def __init__(self, jobs: JobStore, token: int, seconds: float) -> None:
        self._jobs, self.token, self._seconds = jobs, token, seconds
        self._stop = threading.Event()
        self.lost = False
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=self._seconds)

    def check(self) -> bool:
        """Whether the lease is still held, asked now."""
        self.lost = self.lost or not self._jobs.renew(self.token, self._seconds)
        return not self.lost

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds / 5):
            try:
                if not self.check():
                    return
            except MalariaError:  # a ledger busy for a moment: the next beat tries again
                log.warning("the lease could not be renewed this time", exc_info=True)


class Reporter:
    """Writes progress to the rows of a run's jobs, at most twice a second, and ends them.

    longest: seconds that the run may take.

    Calling it raises Cancelled when a person asked to stop, Interrupted when the process is asked to end, and
    Busy when the lease is lost or the run has taken too long: to begin it again would not make it shorter.
    """

    def __init__(
        self,
        services: Services,
        group: list[str],
        heartbeat: Heartbeat,
        stop: threading.Event,
        longest: float | None = None,
    ) -> None:
        self._services, self._heartbeat, self._stop = services, heartbeat, stop
        self._longest, self._began = longest, time.monotonic()
        self._open = list(group)
        self._lead = group[0]
        self._told = 0.0
        self._epoch = 0

    def __call__(self, progress: Progress) -> None:
        if self._longest is not None and time.monotonic() - self._began > self._longest:
            told = f"The training took longer than {self._longest / 60:.0f} minutes, and was ended."
            raise Busy(f"{told} Ask for fewer epochs, or have the operator allow more time.")
        if self._stop.is_set():
            raise Interrupted("The training process was asked to stop; the job goes on later.")
        if self._heartbeat.lost:
            raise Busy("The run lost its lease to another.")
        finished_epoch = progress.epoch if progress.validation_loss is not None else None
        due = time.monotonic() - self._told >= REPORT_SECONDS or (finished_epoch or 0) > self._epoch
        if due:
            self._told = time.monotonic()
            self._epoch = max(self._epoch, finished_epoch or 0)
            self._write(progress)

    def part(self, start: float, span: float) -> Report:
        """A report for a step that counts 0 to 100 of its own, laid onto start..start+span of the job."""
        began, laid = time.monotonic(), part(self, start, span)

        def report(progress: Progress) -> None:
            own = progress.percent or 0.0
            eta = progress.eta
            if eta is None and own > 5:
                eta = (time.monotonic() - began) * (100 - own) / own
            laid(replace(progress, eta=eta))

        return report

    def holds(self) -> bool:
        return self._heartbeat.check()

    def end(self, state: JobState, reason: str, code: str, *, only: str | None = None) -> None:
        """End the jobs that are still open, or one of them."""
        self._close(only, lambda job: replace(job, state=state, reason=reason, code=code))

    def requeue(self, reason: str, code: str) -> None:
        """Put the open jobs back in the queue: their process must end, their work need not."""

        def back(job: Job) -> Job:
            waiting = replace(job, state=JobState.QUEUED, reason=reason, code=code)
            followed = job.leader and job.attempt == 1  # and had no process of its own
            tries = 0 if followed else job.attempt
            return replace(waiting, attempt=tries, handle="", leader=None, lease=None, progress=None)

        for job_id in reversed(self._open):  # the leader last: while it runs, its followers are looked after
            self._change(job_id, back)

    def verdict(self, version: str | None, receipt: Mapping[str, Any], champion: str) -> None:
        """End every open job with what the gate said of the challenger; None where nothing was learnt."""
        self._close(
            None,
            lambda job: replace(
                job,
                state=JobState.SUCCEEDED,
                reason=str(receipt["reason"]),
                verdict=Verdict(receipt["verdict"]),
                receipt=receipt,
                champion=champion,
                version=version,
                progress=Progress("done", percent=100.0, eta=0.0),
            ),
        )

    def _write(self, progress: Progress) -> None:
        for job_id in tuple(self._open):
            job = self._change(job_id, lambda j: _moved(j, progress))
            if job is None:
                self._open.remove(job_id)
            elif job.cancel_requested:
                self._cancel(job_id)

    def _change(self, job_id: str, change: Callable[[Job], Job]) -> Job | None:
        """Change a row that is still this run's; None where it has ended, or another run has it now."""

        def fenced(job: Job) -> Job:
            if job.state != JobState.RUNNING or job.lease != self._heartbeat.token:
                raise _NotOurs
            return change(job)

        try:
            return self._services.jobs.change(job_id, fenced)
        except (JobFinished, _NotOurs):
            log.info("job %s has ended or belongs to another run", job_id)
            return None

    def _cancel(self, job_id: str) -> None:
        """End a job that a person cancelled; what shares its run starts again without its cells."""
        if self._open == [job_id]:
            raise Cancelled("Cancelled by a person while it ran. Nothing was promoted.")
        self._close(job_id, lambda job: cancelled(job, "Cancelled by a person."))
        raise Interrupted("Another upload of this run was cancelled; it starts again without that one.")

    def _close(self, only: str | None, change: Callable[[Job], Job]) -> None:
        now = self._services.clock.now()
        for job_id in [only] if only else tuple(self._open):
            self._change(job_id, lambda j: replace(change(j), finished=now, lease=None))
            if job_id in self._open:
                self._open.remove(job_id)


class _NotOurs(Exception):
    """The row belongs to another run."""


def _moved(job: Job, progress: Progress) -> Job:
    curve = job.epochs
    if progress.epoch and progress.validation_loss is not None:
        kept = tuple(p for p in curve if p.epoch != progress.epoch)
        curve = (*kept, progress)
    return replace(job, progress=progress, epochs=curve)
