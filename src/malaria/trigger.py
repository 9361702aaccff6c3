"""One upload becomes one job, and one job at a time runs: take in, launch, bury what died, cancel.

Every step may be killed at any point and be run by several processes at once. What holds it together: a row
changes atomically; a launcher starts the same job and attempt once; the ledger's one lease admits one run.
A row waits with an empty handle; a dispatcher claims it with LAUNCHING, launches, and writes the handle down.
Whoever finds a claim without a handle launches again, which only names what was started before.
"""

import hashlib
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from malaria.archive import Limits
from malaria.domain import Job, JobState, RetrainOptions, cancelled
from malaria.errors import BadInput, Busy, JobFinished, MalariaError, UnknownTask
from malaria.ingest import read_options
from malaria.options import validate_options
from malaria.ports import Clock, JobStore, ObjectStore, TrainingLauncher

log = logging.getLogger(__name__)

LAUNCHING = "launching:"
RUNS, STARTS = 2, 3
"""How often a job may run, and how often its process may end before it began, until it has failed."""
_ALL = 10_000
_NOT_IN_KEYS = re.compile(r"[\x00-\x1f\x7f/\\]+")


class Trigger:
    """Intake and supervision of jobs, over the ports alone."""

    def __init__(
        self, objects: ObjectStore, jobs: JobStore, launcher: TrainingLauncher, clock: Clock
    ) -> None:
        self._objects, self._jobs, self._launcher, self._clock = objects, jobs, launcher, clock

    def submit(
        self, source: Path, *, name: str, identity: str | None, options: RetrainOptions, actor: str
    ) -> Job:
        """Keep an upload and queue a job for it.

        identity: what was uploaded, where that can be told; the same one again answers with the job that
            stands, whatever became of it. None: an upload like no other.

        Raises Busy where store or ledger fail, OSError where `source` cannot be read; submit again.
        """
        return self._keep(source, name, identity, actor, options)

    def take_in(
        self,
        source: Path,
        *,
        name: str,
        identity: str | None,
        actor: str,
        chosen: Mapping[str, Any] | None = None,
    ) -> Job:
        """As `submit`, with the options that the ZIP's own retrain.json names; those `chosen` come first.

        An archive or options that cannot be used make a job that has failed, with the reason, and the upload
        is kept all the same: a person sees why, and nothing is lost.
        """
        given = validate_options(chosen or {})
        try:
            options = options_of(source, chosen or {})
        except BadInput as error:
            return self._keep(source, name, identity, actor, given, refused=error)
        return self._keep(source, name, identity, actor, options)

    def refuse(self, *, name: str, identity: str, actor: str, error: MalariaError) -> Job:
        """A job that has failed with the error, for an upload that is not kept at all."""
        shown, now = _printable(name), self._clock.now()
        job = Job(_job_id(identity), _printable(identity), shown, upload="", created=now, actor=actor)
        return self._jobs.add(_refused(job, error, now))

    def known(self, identity: str) -> Job | None:
        """The job that stands for what was uploaded, if one does: it need not be read again."""
        try:
            return self._jobs.get(_job_id(identity))
        except UnknownTask:
            return None

    def wake(self) -> None:
        """As `dispatch`, for whoever has just queued a job. What goes wrong is logged: the upload is safe,
        and whoever looks round next launches it."""
        try:
            self.dispatch()
        except MalariaError:
            log.warning("the queue could not be looked at at once", exc_info=True)

    def dispatch(self) -> Job | None:
        """Launch the oldest queued job, unless a run is under way; the job as it then stands, or None.

        What a launcher cannot start now stays queued, with the reason.
        """
        queued = self._jobs.list(state=JobState.QUEUED, limit=_ALL)
        if not queued or any(job.handle for job in queued):
            return None
        if self._jobs.list(state=JobState.RUNNING, limit=1) or not self._lease_is_free():
            return None  # a dead run is for `reconcile` to bury
        oldest = queued[-1]
        claim = f"{LAUNCHING}{uuid.uuid4().hex}"
        job = self._if_unmoved(oldest, lambda j: replace(j, attempt=j.attempt + 1, handle=claim))
        if job is None:
            return None  # another dispatcher, or a cancel, was first
        try:
            handle = self._launcher.launch(job.id, job.attempt, job.options.method)
        except Busy as error:
            reason, code = str(error), error.code
            log.warning("job %s could not be launched now: %s", job.id, reason)
            self._if_unmoved(
                job, lambda j: replace(j, attempt=j.attempt - 1, handle="", reason=reason, code=code)
            )
            return None
        return self._record(job.id, claim, handle)

    def reconcile(self) -> list[Job]:
        """See to the jobs whose process has ended without a word; return those that changed.

        One that ran is queued again, or has failed where it ran twice; one that never began is queued again,
        or has failed at the third time; one that a person cancelled is cancelled. Leases of dead runs are
        given back.
        """
        queued = self._jobs.list(state=JobState.QUEUED, limit=_ALL)
        seen = [job for job in queued if job.handle or job.cancel_requested]
        changed = []
        for job in (*self._jobs.list(state=JobState.RUNNING, limit=_ALL), *seen):
            if self._is_dead(job):
                if job.lease is not None:
                    self._jobs.release(job.lease)
                changed.append(self._if_unmoved(job, self._bury))
        return [job for job in changed if job is not None]

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued job at once; ask a running one to stop at its next safe point.

        Raises UnknownTask, and JobFinished where it has ended.
        """
        now = self._clock.now()

        def cancel(job: Job) -> Job:
            asked = replace(job, cancel_requested=True)
            if job.state == JobState.RUNNING:
                return asked
            return replace(cancelled(asked, "Cancelled before it began."), finished=now)

        job = self._jobs.change(job_id, cancel)
        if job.state == JobState.CANCELLED and job.handle:
            self._launcher.stop(job.handle)  # on its way to begin: it need not
        return job

    def _keep(
        self,
        source: Path,
        name: str,
        identity: str | None,
        actor: str,
        options: RetrainOptions,
        refused: BadInput | None = None,
    ) -> Job:
        """Object first, row second: cut short between the two, the same intake does both again."""
        identity = identity or f"upload:{uuid.uuid4().hex}"
        standing = self.known(identity)
        if standing is not None:
            return standing
        job_id, shown, now = _job_id(identity), _printable(name), self._clock.now()
        key = f"uploads/{job_id}/{_key_name(shown)}"
        self._objects.put(key, source)
        job = Job(job_id, _printable(identity), shown, key, now, options, actor=actor)
        if refused:
            job = _refused(job, refused, now)
        added = self._jobs.add(job)
        log.info("job %s is %s", added.id, added.state.value)
        return added

    def _is_dead(self, job: Job) -> bool:
        """As `_has_ended`; False where the launcher cannot tell now: the others are seen to all the same."""
        try:
            return self._has_ended(job)
        except Busy as error:
            log.warning("nobody can tell now whether the run of job %s lives: %s", job.id, error)
            return False

    def _has_ended(self, job: Job) -> bool:
        """Whether no process lives that this job belongs to."""
        lead = self._jobs.get(job.leader) if job.leader else job
        if lead.handle.startswith(LAUNCHING):
            lead = self._complete_launch(lead)
        if lead.handle.startswith(LAUNCHING):
            return False  # nothing can be launched just now, so nothing is known
        if job.leader and lead.state == JobState.RUNNING and lead.lease != job.lease:
            return True  # the leader runs anew, under a lease that came after this job's
        if lead.handle:
            return not self._launcher.alive(lead.handle)
        # Nobody wrote down the process: the job was started by hand, or its leader went back to the queue. A
        # run that lives holds the lease.
        return job.state == JobState.QUEUED or self._lease_is_free()

    def _complete_launch(self, job: Job) -> Job:
        """Do again what a dispatcher that died, or is at it now, has claimed to do."""
        try:
            handle = self._launcher.launch(job.id, job.attempt, job.options.method)
        except Busy as error:
            log.warning("job %s could not be launched now: %s", job.id, error)
            return job
        stands = self._record(job.id, job.handle, handle)
        return replace(stands, handle=handle) if stands.handle == job.handle else stands

    def _record(self, job_id: str, claim: str, handle: str) -> Job:
        """Write down the handle where its claim still stands; return the job as it is then."""

        def record(job: Job) -> Job:
            return replace(job, handle=handle) if job.handle == claim else job

        try:
            return self._jobs.change(job_id, record)
        except JobFinished:  # a short run, or a cancel, came first
            job = self._jobs.get(job_id)
            if job.state == JobState.CANCELLED and job.handle == claim:
                self._launcher.stop(handle)
            return job

    def _bury(self, job: Job) -> Job:
        """What becomes of a job whose process has ended without a word."""
        now, where = self._clock.now(), f"see {self._launcher.log(job.leader or job.id)}"
        ended = replace(job, lease=None, finished=now, progress=None)
        ran = job.state == JobState.RUNNING
        if job.cancel_requested:
            return cancelled(ended, "Cancelled; its process has ended.")
        if job.attempt >= (RUNS if ran else STARTS):
            did = "ended in the middle of its work" if ran else "ended before its work began"
            reason = (
                f"The training process {did} (attempt {job.attempt}); {where}. Upload it again to try again."
            )
            return replace(ended, state=JobState.FAILED, reason=reason, code="process-ended")
        reason = f"The training process ended (attempt {job.attempt}; {where}); it is started again."
        again = replace(ended, state=JobState.QUEUED, handle="", leader=None, finished=None)
        return replace(again, reason=reason, code="started-again")

    def _if_unmoved(self, seen: Job, change: Callable[[Job], Job]) -> Job | None:
        """Apply `change` if the job is still where it was seen; None where it has moved on."""

        def apply(job: Job) -> Job:
            if _place(job) != _place(seen):
                raise _Moved
            return change(job)

        try:
            return self._jobs.change(seen.id, apply)
        except (_Moved, JobFinished):
            return None

    def _lease_is_free(self) -> bool:
        token = self._jobs.acquire("trigger", 5)
        if token is not None:
            self._jobs.release(token)
        return token is not None


def options_of(archive: Path, chosen: Mapping[str, Any], limits: Limits | None = None) -> RetrainOptions:
    """Options that were chosen beside the ZIP, before those of its retrain.json. Raises as `read_options` and
    `validate_options`."""
    given, found = validate_options(chosen), read_options(archive, limits)
    return given if found is None else replace(found, **{name: getattr(given, name) for name in chosen})


class _Moved(Exception):
    """The job is no longer where it was seen."""


def _place(job: Job) -> tuple[JobState, int, str, int | None, str | None]:
    return job.state, job.attempt, job.handle, job.lease, job.leader


def _refused(job: Job, error: MalariaError, now: datetime) -> Job:
    return replace(job, state=JobState.FAILED, reason=str(error), code=error.code, finished=now)


def _job_id(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _printable(text: str) -> str:
    """Text that every store can hold: bytes of a file name that are no text become question marks."""
    return text.encode("utf-8", "replace").decode()


def _key_name(name: str) -> str:
    """The last part of an upload's key: the file's own name, as far as a key can bear it."""
    stem = _NOT_IN_KEYS.sub("_", name[:-4] if name.lower().endswith(".zip") else name)
    return stem.encode()[:150].decode("utf-8", "ignore") + ".zip"
