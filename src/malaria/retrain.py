"""One retraining, from upload to verdict: ingest -> adapt or full -> gate -> publish -> promote.

A run works under the ledger's one lease and takes in every queued upload that asks for the same. Killed at
any point it leaves whole objects only: versions appear with their manifest, promotions with their entry.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from malaria import codec
from malaria.challenge import Challenge, Made, make
from malaria.domain import Job, JobState, Progress, Role, Verdict
from malaria.errors import BadInput, Busy, Cancelled, Interrupted, JobFinished, MalariaError
from malaria.gate import Receipt
from malaria.heartbeat import Heartbeat, Reporter
from malaria.ingest import Held, ingest
from malaria.memory import BASE, Memory
from malaria.memory import load as load_memory
from malaria.ports import JobStore
from malaria.services import Services
from malaria.shards import Shard

log = logging.getLogger(__name__)


def run(services: Services, job_id: str, attempt: int, stop: threading.Event) -> bool:
    """Run a job to its end; False where another run holds the lease or the job no longer waits.

    The job's row says how it ended. Raises what the row cannot hold, such as a ledger that is out of reach.
    """
    jobs, seconds = services.jobs, services.settings.lease_seconds
    token = _acquire(jobs, f"{job_id}/{attempt}", seconds)
    if token is None:
        return False
    with Heartbeat(jobs, token, seconds) as heartbeat:
        try:
            group = _take(services, job_id, attempt, token)
            if not group:
                return False
            _run(services, group, Reporter(services, group, heartbeat, stop))
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


def _take(services: Services, job_id: str, attempt: int, token: int) -> list[str]:
    """Mark the job, and all queued ones that ask for the same, as running; return their ids, leader first."""

    def start(job: Job) -> Job:
        if job.state != JobState.QUEUED:
            return job
        if job.cancel_requested:
            return replace(job, state=JobState.CANCELLED, reason="Cancelled before it began.", finished=now)
        began = job.started or now
        leader = None if job.id == job_id else job_id
        running = replace(job, state=JobState.RUNNING, leader=leader, lease=token, started=began, reason="")
        return replace(running, attempt=max(job.attempt, attempt), progress=Progress("ingest", percent=0.0))

    now = services.clock.now()
    lead = services.jobs.get(job_id)
    if lead.state != JobState.QUEUED:
        return []
    waiting = services.jobs.list(state=JobState.QUEUED, limit=1000) if lead.attempt <= 1 else []
    same = [job for job in reversed(waiting) if _may_follow(job, lead)]
    taken = []
    for job in (lead, *same):
        try:
            stands = services.jobs.change(job.id, start)
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
    return same and job.attempt == 0 and not job.cancel_requested


def _run(services: Services, group: list[str], reporter: Reporter) -> None:
    work = services.home / "work" / group[0]
    work.mkdir(parents=True, exist_ok=True)
    try:
        challenge = _challenge(services, group[0], work)
        new = _ingest_all(services, group, challenge.memory, work, reporter)
        if new:
            _try(services, challenge, new, reporter)
    except Interrupted as stopped:
        reporter.requeue(str(stopped))
        return  # the work folder stays: the next attempt goes on from its checkpoint
    except Cancelled as stopped:
        reporter.end(JobState.CANCELLED, str(stopped))
    except MalariaError as error:
        log.exception("the run of job %s failed", group[0])
        reporter.end(JobState.FAILED, str(error))
    except Exception as error:  # the row must never say 'running' for ever, whatever went wrong
        log.exception("the run of job %s failed unexpectedly", group[0])
        reporter.end(JobState.FAILED, f"The run failed unexpectedly ({type(error).__name__}); see its log.")
        raise
    shutil.rmtree(work, ignore_errors=True)


def _challenge(services: Services, lead: str, work: Path) -> Challenge:
    """What stands before the run: the champion, its memory, and how the run may go about it."""
    services.served.refresh()
    champion, promotion = services.served.model, services.served.promotion
    memory_file = services.registry.fetch(champion.info.version, "memory.npz", work / "champion.npz")
    job = services.jobs.get(lead)
    return Challenge(
        services, job, champion, promotion.number, load_memory(memory_file), work, services.clock.now()
    )


def _ingest_all(
    services: Services, group: list[str], memory: Memory, work: Path, reporter: Reporter
) -> dict[str, Shard]:
    """Ingest each upload of the group; a bad one ends alone. Returns the shard of each job that goes on."""
    new: dict[str, Shard] = {}
    held, known = held_by(memory), site_roles(services)
    for i, job_id in enumerate(group):
        try:
            shard = _ingest_one(
                services, job_id, held, known, work, reporter.part(15 * i / len(group), 15 / len(group))
            )
        except BadInput as error:
            reporter.end(JobState.FAILED, str(error), only=job_id)
            continue
        first = _same_content(services, job_id, shard.sha256, {other: s.sha256 for other, s in new.items()})
        if first is not None:
            reporter.end(
                JobState.DUPLICATE, f"Its cells are those of upload {first}, already taken in.", only=job_id
            )
            continue
        new[job_id] = shard
        known |= {cell.group: cell.role for cell in shard.cells}
    return new


def _ingest_one(
    services: Services,
    job_id: str,
    held: Held,
    known: dict[str, Role],
    work: Path,
    report: Callable[[Progress], None],
) -> Shard:
    job = services.jobs.get(job_id)
    archive = work / f"{job_id}.zip"
    services.objects.fetch(job.upload, archive)
    room = work / f"ingest-{job_id}"
    room.mkdir(exist_ok=True)
    taken = ingest(
        archive,
        kind="site",
        held=held,
        known_roles=known,
        work=room,
        now=services.clock.now(),
        name=job.name,
        report=report,
    )
    shard = services.shards.save(taken.shard, taken.cells_zip)  # equal content keeps the roles it had first
    found = codec.to_json(taken.report)
    services.jobs.change(job_id, lambda j: replace(j, report=found, dataset=shard.sha256))
    return shard


def held_by(memory: Memory) -> Held:
    """Base patients and cells of known role, so that no upload slips gate or test cells into training."""
    base = memory.where(memory.origins == BASE)
    roles = [Role(r) for r in base.roles]
    return Held(
        patients={str(p): r for p, r in zip(base.patients, roles, strict=True) if p},
        fingerprints={int(f): r for f, r in zip(base.fingerprints, roles, strict=True)},
    )


def site_roles(services: Services) -> dict[str, Role]:
    """The roles that groups of earlier uploads have, whatever became of those: one each, for ever."""
    site = (shard for shard in services.shards.list() if shard.kind == "site")
    oldest_last = sorted(site, key=lambda shard: shard.created, reverse=True)
    return {cell.group: cell.role for shard in oldest_last for cell in shard.cells}


def _same_content(services: Services, job_id: str, sha: str, beside: dict[str, str]) -> str | None:
    """The earlier job that brought the same cells and came to a verdict, or one beside it in this run."""
    for other, content in beside.items():
        if content == sha:
            return other
    for job in services.jobs.list(state=JobState.SUCCEEDED, limit=10_000):
        if job.dataset == sha and job.id != job_id:
            return job.id
    return None


def _try(services: Services, challenge: Challenge, new: dict[str, Shard], reporter: Reporter) -> None:
    made = make(challenge, list(new.values()), reporter.part(15, 75))
    receipt = made.receipt
    reporter(Progress("publish", percent=95.0))
    services.registry.publish(made.info, made.files)
    reason = receipt.reason
    if receipt.verdict == Verdict.ACCEPTED:
        _promote(services, challenge, made, receipt, reporter)
    reporter.verdict(made, receipt, reason)


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
