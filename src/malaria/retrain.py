"""One retraining, from upload to verdict: ingest -> adapt or full -> gate -> publish -> promote.

A run works under the ledger's one lease and takes in every queued upload that asks for the same. Where they
do not stand together, each is put back and runs alone, so that none spoils another. Killed at any point it
leaves whole objects only: versions appear with their manifest, promotions with their entry.
"""

import logging
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

from malaria import codec
from malaria.challenge import make
from malaria.challenger import Challenge, Made
from malaria.domain import Job, JobState, Progress, Verdict, cancelled
from malaria.errors import Busy, Cancelled, Interrupted, JobFinished, JudgedApart, MalariaError, NotFound
from malaria.gate import Receipt
from malaria.heartbeat import Heartbeat, Reporter
from malaria.intake import take_in
from malaria.memory import load as load_memory
from malaria.ports import Clock, JobStore
from malaria.services import Services
from malaria.shards import Shard

log = logging.getLogger(__name__)

APART = "judged-apart"
"""Code of `JudgedApart`, by which a job that waits is known as one that runs alone."""


def run(
    services: Services, job_id: str, attempt: int, stop: threading.Event, longest: float | None = None
) -> bool:
    """Run a job to its end; False where another run holds the lease or the job no longer waits.

    longest: seconds that it may take; then it fails.

    The job's row says how it ended. Raises what the row cannot hold, such as a ledger that is out of reach.
    """
    jobs, seconds = services.jobs, services.settings.lease_seconds
    token = _acquire(jobs, f"{job_id}/{attempt}", seconds)
    if token is None:
        return False
    with Heartbeat(jobs, token, seconds) as heartbeat:
        try:
            _sweep(services)
            group = take_group(jobs, services.clock, job_id, attempt, token)
            if not group:
                return False
            _run(services, group, Reporter(services, group, heartbeat, stop, longest))
            return True
        finally:
            jobs.release(token)


def _acquire(jobs: JobStore, owner: str, seconds: float) -> int | None:
    """The lease, asked for a few times: a look round may hold it for a moment."""
    for _ in range(10):
        token = jobs.acquire(owner, seconds)
        if token is not None:
            return token
        time.sleep(0.2)
    return None


def _sweep(services: Services) -> None:
    """Remove the work folders of jobs that have ended; those of `full` hold a gigabyte of pixels."""
    for folder in (services.home / "work").iterdir():
        try:
            ended = services.jobs.get(folder.name).state.terminal
        except NotFound:
            continue  # not a job's folder
        if ended:
            shutil.rmtree(folder, ignore_errors=True)


def take_group(jobs: JobStore, clock: Clock, job_id: str, attempt: int, token: int) -> list[str]:
    """Mark the job, and all queued ones that ask for the same, as running; return their ids, leader first."""

    def start(job: Job) -> Job:
        if job.state != JobState.QUEUED:
            return job
        if job.cancel_requested:
            return replace(cancelled(job, "Cancelled before it began."), finished=now)
        began = job.started or now
        leader = None if job.id == job_id else job_id
        running = replace(job, state=JobState.RUNNING, leader=leader, lease=token, started=began)
        began_at, tries = Progress("ingest", percent=0.0), max(job.attempt, attempt)
        return replace(running, attempt=tries, progress=began_at, reason="", code="")

    now = clock.now()
    lead = jobs.get(job_id)
    if lead.state != JobState.QUEUED:
        return []
    again = max(lead.attempt, attempt) > 1 or lead.code == APART
    waiting = [] if again else jobs.list(state=JobState.QUEUED, limit=1000)
    same = [job for job in reversed(waiting) if _may_follow(job, lead)]
    taken = []
    for job in (lead, *same):
        try:
            stands = jobs.change(job.id, start)
            if stands.state == JobState.RUNNING and stands.lease == token:
                taken.append(job.id)
        except JobFinished:
            continue  # cancelled this moment
        if job is lead and not taken:
            return []
    return taken


def _may_follow(job: Job, lead: Job) -> bool:
    """Who asks for the same is taken in; who ran before runs alone, so a poisonous upload fails alone."""
    same = job.options == lead.options and job.id != lead.id
    return same and job.attempt == 0 and job.code != APART and not job.cancel_requested


def _run(services: Services, group: list[str], reporter: Reporter) -> None:
    work = services.home / "work" / group[0]
    work.mkdir(parents=True, exist_ok=True)
    try:
        challenge = _challenge(services, group, work)
        if _promoted_before(challenge, reporter):
            return
        new = take_in(challenge, reporter)
        if new:
            _try(services, challenge, new, reporter)
    except Interrupted as stopped:
        reporter.requeue(str(stopped), stopped.code)
        return  # the work folder stays: the next attempt goes on from its checkpoint
    except Cancelled as stopped:
        reporter.end(JobState.CANCELLED, str(stopped), stopped.code)
    except MalariaError as error:
        log.exception("the run of job %s failed", group[0])
        reporter.end(JobState.FAILED, str(error), error.code)
    except Exception as error:  # the row must never say 'running' for ever, whatever went wrong
        log.exception("the run of job %s failed unexpectedly", group[0])
        reason = f"The run failed unexpectedly ({type(error).__name__}); see its log."
        reporter.end(JobState.FAILED, reason, "unexpected")
        raise
    shutil.rmtree(work, ignore_errors=True)


def _challenge(services: Services, group: list[str], work: Path) -> Challenge:
    """What stands before the run: the champion, its memory, and how the run may go about it."""
    services.served.refresh()
    champion, promotion = services.served.model, services.served.promotion
    memory_file = services.registry.fetch(champion.info.version, "memory.npz", work / "champion.npz")
    job, memory = services.jobs.get(group[0]), load_memory(memory_file)
    return Challenge(
        services, job, champion, promotion.number, memory, work, services.clock.now(), jobs=tuple(group)
    )


def _promoted_before(challenge: Challenge, reporter: Reporter) -> bool:
    """Whether an attempt before this one promoted its challenger and died before it said so: say it now."""
    info = challenge.champion.info
    if challenge.job.id not in info.lineage.get("jobs", ()):
        return False
    reporter.verdict(info.version, info.lineage["receipt"], str(info.lineage["parent"]))
    return True


def _try(services: Services, challenge: Challenge, new: dict[str, Shard], reporter: Reporter) -> None:
    made = make(challenge, list(new.values()), reporter.part(15, 75))
    receipt = made.receipt
    if len(new) > 1 and not receipt.stands:
        raise JudgedApart(
            f"{len(new)} uploads that waited together were judged as one, and that did not stand: each is "
            "now judged by itself."
        )
    reporter(Progress("publish", percent=95.0))
    if made.files:
        services.registry.publish(made.info, made.files)
    if receipt.verdict == Verdict.ACCEPTED:
        _promote(services, challenge, made, receipt, reporter)
    reporter.verdict(made.info.version if made.files else None, codec.to_json(receipt), made.champion)


def _promote(
    services: Services, challenge: Challenge, made: Made, receipt: Receipt, reporter: Reporter
) -> None:
    """Append to the log, if this run still holds the lease and the champion it met still serves."""
    if not reporter.holds():
        raise Busy("The run lost its lease to another; nothing was promoted.")
    services.registry.promote(
        made.info.version,
        verdict=receipt.verdict.value,
        actor=challenge.job.actor or "retrain",
        reason=receipt.reason,
        after=challenge.promotion,  # another promotion since: the comparison no longer holds, Conflict
    )
