"""What a run takes in: each upload ingested, stored as a shard, and told from what came before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from malaria import codec
from malaria.archive import Limits
from malaria.challenge import choose
from malaria.challenger import Challenge, gate_settings
from malaria.domain import Job, JobState, Method, Progress, Role
from malaria.errors import BadInput, JobFinished, NotFound
from malaria.heartbeat import Reporter
from malaria.ingest import Held, ingest
from malaria.memory import Memory, is_base
from malaria.ports import Report
from malaria.services import Services
from malaria.shards import Shard


@dataclass(frozen=True)
class _Known:
    """Roles that are settled: of base patients and cells, and of groups and cells of earlier uploads."""

    held: Held
    groups: dict[str, Role]
    cells: dict[int, Role]

    def learn(self, shard: Shard) -> None:
        for cell in shard.cells:
            self.groups.setdefault(cell.group, cell.role)
            self.cells.setdefault(cell.fingerprint, cell.role)


def take_in(challenge: Challenge, reporter: Reporter) -> dict[str, Shard]:
    """Ingest each upload of the run; a bad one ends alone. Returns the shard of each job that goes on."""
    new: dict[str, Shard] = {}
    known, share = settled(challenge.services, challenge.memory), 15 / len(challenge.jobs)
    for i, job_id in enumerate(challenge.jobs):
        try:
            shard = _ingest(challenge, job_id, known, reporter.part(i * share, share))
        except (BadInput, NotFound) as error:
            reporter.end(JobState.FAILED, str(error), error.code, only=job_id)
            continue
        except JobFinished:
            continue  # cancelled this moment
        first = _same_before(challenge, job_id, shard, new)
        if first is not None:
            reason = f"Its cells are those of upload {first}, already taken in."
            reporter.end(JobState.DUPLICATE, reason, "duplicate", only=job_id)
            continue
        new[job_id] = shard
        known.learn(shard)
    return new


def settled(services: Services, memory: Memory) -> _Known:
    """What no upload may change: one role each, for ever, whatever became of the upload that brought them."""
    known = _Known(held_by(memory), {}, {})
    for shard in services.shards.list():  # oldest first: the first role counts
        if shard.kind == "site":
            known.learn(shard)
    return known


def held_by(memory: Memory) -> Held:
    """Base patients and cells of known role, so that no upload slips gate or test cells into training."""
    base = memory.where(is_base(memory.origins))
    roles = [Role(r) for r in base.roles]
    return Held(
        patients={str(p): r for p, r in zip(base.patients, roles, strict=True) if p},
        fingerprints={int(f): r for f, r in zip(base.fingerprints, roles, strict=True)},
    )


def _ingest(challenge: Challenge, job_id: str, known: _Known, report: Report) -> Shard:
    services, work = challenge.services, challenge.work
    job, archive = services.jobs.get(job_id), work / f"{job_id}.zip"
    report(Progress("ingest", percent=0.0))
    services.objects.fetch(job.upload, archive)
    taken = ingest(
        archive,
        kind="site",
        held=known.held,
        known_roles=known.groups,
        known_cells=known.cells,
        work=work / f"ingest-{job_id}",
        now=services.clock.now(),
        limits=Limits(max_archive_bytes=services.settings.max_upload_bytes),
        name=job.name,
        report=report,
    )
    shard = services.shards.save(taken.shard, taken.cells_zip)  # equal content keeps the roles it had first
    found = codec.to_json(taken.report)

    services.jobs.change(job_id, lambda j: replace(j, report=found, dataset=shard.sha256))
    return shard


def _same_before(challenge: Challenge, job_id: str, shard: Shard, beside: Mapping[str, Shard]) -> str | None:
    """The job whose cells these are, where to run again would bring nothing: one beside it in this run, one
    whose cells the champion has learnt, or one that asked for the same and met the same champion."""
    for other, taken in beside.items():
        if taken.sha256 == shard.sha256:
            return other
    learnt = shard.sha256 in challenge.memory.origins
    method = choose(challenge, [shard])
    for job in challenge.services.jobs.list(state=JobState.SUCCEEDED, limit=10_000):
        if job.dataset != shard.sha256 or job.id == job_id:
            continue
        met = learnt or job.champion == challenge.champion.info.version
        if (met and _did_the_same(challenge, job, method)) or (learnt and method == Method.ADAPT):
            return job.id
    return None


def _did_the_same(challenge: Challenge, job: Job, method: Method) -> bool:
    """Whether an earlier job used this method, and for `full` the same settings of it, and met the same
    bounds."""
    bounds = codec.to_json(gate_settings(challenge.services.settings))
    if job.receipt.get("bounds", bounds) != bounds:  # receipts of old tell none
        return False
    used = Method.ADAPT.value  # the one that may learn nothing and make no version
    if job.version is not None:
        used = challenge.services.registry.version(job.version).lineage.get("method", "")
    if used != method.value:
        return False
    mine, other = (replace(o, method=Method.AUTO, note="") for o in (challenge.job.options, job.options))
    return method == Method.ADAPT or mine == other
