"""Make a challenger and hold it against the champion: the method is chosen, run, and judged by the gate."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from malaria import codec
from malaria import head as heads
from malaria.adapt import Adapted, AdaptSettings, adapt
from malaria.domain import Job, Method, ModelVersion, Progress, Role, Verdict, version_name
from malaria.errors import Conflict, MissingPart, how_to_add
from malaria.evaluate import metrics
from malaria.gate import GateSet, GateSettings, Receipt, judge
from malaria.memory import Memory
from malaria.ports import Report
from malaria.predict import Model
from malaria.services import Services
from malaria.shards import Shard

if TYPE_CHECKING:
    from malaria.training.full import Start

FULL_FROM = 1000
"""`auto` trains the whole network from this many new cells on, where the base images are there."""


@dataclass(frozen=True)
class Challenge:
    """What stands before a run. promotion: number of the log's entry that serves the champion."""

    services: Services
    job: Job
    champion: Model
    promotion: int
    memory: Memory
    work: Path
    now: datetime


@dataclass(frozen=True)
class Made:
    """A challenger: its version and files, and what the gate said. champion: the version it met."""

    info: ModelVersion
    files: Mapping[str, Path]
    receipt: Receipt
    champion: str


def make(challenge: Challenge, new: Sequence[Shard], report: Report) -> Made:
    """Make a challenger from the new shards and judge it. Raises as the method does."""
    waiting = undecided(challenge)
    shards = [*new, *(s for s in waiting if s.sha256 not in {n.sha256 for n in new})]
    if choose(challenge, shards) == Method.FULL:
        return _make_full(challenge, shards, report)
    return _make_adapted(challenge, shards, report)


def choose(challenge: Challenge, new: Sequence[Shard]) -> Method:
    """The method of the run: what was asked for, or for `auto` the one that fits."""
    wanted = challenge.job.options.method
    if wanted != Method.AUTO:
        return wanted
    many = sum(len(shard.cells) for shard in new) >= FULL_FROM
    based = any(shard.kind == "base" for shard in challenge.services.shards.list())
    return Method.FULL if many and based and find_spec("tensorflow") else Method.ADAPT


def undecided(challenge: Challenge) -> list[Shard]:
    """Earlier uploads too small to decide on: they count with the next ones until one is accepted."""
    services, learnt = challenge.services, set(challenge.memory.origins.tolist())
    found = []
    for job in services.jobs.list(limit=10_000):
        small = job.verdict == Verdict.UNDECIDABLE and job.receipt.get("too_small")
        if small and job.dataset and job.dataset not in learnt:
            found.append(services.shards.load(job.dataset))
    return list({shard.sha256: shard for shard in found}.values())


def _make_adapted(challenge: Challenge, shards: Sequence[Shard], report: Report) -> Made:
    champion, work = challenge.champion, challenge.work
    content = (
        challenge.services.registry.fetch(champion.info.version, "model.tflite", work / "champion.tflite")
    ).read_bytes()
    adapted = adapt(
        champion, content, challenge.memory, challenge.services.shards, shards, AdaptSettings(), report
    )
    report(Progress("evaluate", percent=85.0))
    base, site = gate_sets(adapted, challenge.memory, shards)
    receipt = judge(base, site, champion.info.threshold, champion.info.threshold, gate_settings(challenge))
    files = {"model.tflite": work / "challenger.tflite", "memory.npz": work / "memory.npz"}
    files["model.tflite"].write_bytes(adapted.tflite)
    adapted.memory.save(files["memory.npz"])
    info = describe(
        challenge,
        adapted.tflite,
        champion.info.network,
        champion.info.input_size,
        champion.info.threshold,
        {**champion.info.metrics, **scored(adapted.memory, adapted.new, champion.info.threshold)},
        lineage(challenge, shards, Method.ADAPT, receipt),
    )
    return Made(info, files, receipt, champion.info.version)


def _make_full(challenge: Challenge, new: Sequence[Shard], report: Report) -> Made:
    need_base_images(challenge)
    from malaria.training.full import full

    services, champion, work = challenge.services, challenge.champion, challenge.work
    chosen = every_shard(challenge, new)
    done, cells = full(_start(challenge), services.shards, chosen, challenge.job.options, work, report)
    gate = cells.roles == Role.GATE.value
    fresh = np.isin(cells.origins, [shard.sha256 for shard in new])

    def gate_set(mask: NDArray[np.bool_]) -> GateSet:
        before = [champion.score(np.asarray(cells.pixels[i])).probability for i in np.flatnonzero(mask)]
        return GateSet(cells.labels[mask], cells.groups[mask], np.array(before), done.probabilities[mask])

    report(Progress("evaluate", percent=92.0))
    at = champion.info.threshold
    site = gate_set(gate & fresh) if np.any(gate & fresh) else None
    receipt = judge(gate_set(gate & ~fresh), site, at, at, gate_settings(challenge))
    files = {
        "model.tflite": done.tflite,
        "network.keras": done.network,
        "memory.npz": done.tflite.parent / "memory.npz",
    }
    content = done.tflite.read_bytes()
    told = scored(done.memory, heads.read(content), at)
    story = lineage(challenge, chosen, Method.FULL, receipt)
    size, network = cells.pixels.shape[1], challenge.job.options.network or champion.info.network
    return Made(
        describe(challenge, content, network, size, at, told, story), files, receipt, champion.info.version
    )


def every_shard(challenge: Challenge, new: Sequence[Shard]) -> list[Shard]:
    """Base shards, uploads that the champion has learnt from, and the new ones; never what was rejected."""
    learnt = set(challenge.memory.origins.tolist())
    stored = challenge.services.shards.list()
    kept = [shard for shard in stored if shard.kind == "base" or shard.sha256 in learnt]
    return list({shard.sha256: shard for shard in (*kept, *new)}.values())


def _start(challenge: Challenge) -> "Start":
    """The served network's weights: its own, or of the version whose head was adapted into it."""
    from malaria.training.full import Start

    registry, work, info = challenge.services.registry, challenge.work, challenge.champion.info
    tflite = registry.fetch(info.version, "model.tflite", work / "champion.tflite").read_bytes()
    version = info
    while version.lineage.get("method") == Method.ADAPT.value:
        version = registry.version(str(version.lineage["parent"]))
    weights = registry.fetch(version.version, "network.keras", work / "champion.keras")
    return Start(info, weights, heads.read(tflite))


def gate_sets(adapted: Adapted, before: Memory, shards: Sequence[Shard]) -> tuple[GateSet, GateSet | None]:
    """Base gate patients, with gate cells of earlier uploads, from memory; and those of the new shards."""
    own = {shard.sha256 for shard in shards}
    gate = adapted.memory.of(Role.GATE)
    is_new = np.isin(gate.origins, list(own)) if own else np.zeros(len(gate), dtype=bool)
    site = gate.where(is_new)
    return _gate_set(adapted, before.of(Role.GATE)), _gate_set(adapted, site) if len(site) else None


def _gate_set(adapted: Adapted, cells: Memory) -> GateSet:
    embeddings = cells.embeddings
    return GateSet(
        cells.labels,
        cells.patients,
        adapted.old.probabilities(embeddings),
        adapted.new.probabilities(embeddings),
    )


def scored(memory: Memory, head: heads.Head, threshold: float) -> dict[str, Any]:
    """Metrics of a head over the validation and gate cells that a memory holds."""
    figures = {}
    for role, base, name in (
        (Role.VALIDATION, True, "validation"),
        (Role.GATE, True, "gate"),
        (Role.GATE, False, "site_gate"),
    ):
        cells = memory.of(role, base=base)
        if len(cells):
            probabilities = head.probabilities(cells.embeddings)
            figures[name] = codec.to_json(metrics(cells.labels, probabilities, cells.patients, threshold))
    return figures


def gate_settings(challenge: Challenge) -> GateSettings:
    chosen = challenge.services.settings
    return GateSettings(
        base_margin=chosen.base_margin,
        site_margin=chosen.site_margin,
        draws=chosen.gate_draws,
        min_site_cells=chosen.min_site_cells,
        min_site_per_class=chosen.min_site_per_class,
    )


def lineage(
    challenge: Challenge, shards: Sequence[Shard], method: Method, receipt: Receipt
) -> dict[str, Any]:
    """Where a challenger comes from: enough to make it again."""
    return {
        "method": method.value,
        "parent": challenge.champion.info.version,
        "job": challenge.job.id,
        "options": codec.to_json(challenge.job.options),
        "datasets": [shard.sha256 for shard in shards],
        "verdict": receipt.verdict.value,
    }


def describe(
    challenge: Challenge,
    tflite: bytes,
    network: str,
    size: int,
    threshold: float,
    figures: Mapping[str, Any],
    story: Mapping[str, Any],
) -> ModelVersion:
    digest = hashlib.sha256(tflite).hexdigest()
    return ModelVersion(
        version=version_name(challenge.now, digest),
        digest=digest,
        network=network,
        input_size=size,
        created=challenge.now,
        size_bytes=len(tflite),
        threshold=threshold,
        metrics=figures,
        lineage=story,
    )


def need_base_images(challenge: Challenge) -> None:
    """Raise where `full` cannot work, naming the command that mends it."""
    if not find_spec("tensorflow"):
        raise MissingPart(
            f"`full` trains the whole network and needs TensorFlow: {how_to_add('train')}. "
            "Or retrain with `--method adapt`, which does without."
        )
    if not any(shard.kind == "base" for shard in challenge.services.shards.list()):
        raise Conflict(
            "`full` needs the base images, and none are stored: run `malaria data fetch` (downloads "
            "the NIH cells) or `malaria data import ZIP...`, or retrain with `--method adapt`, which "
            "works from feature memory."
        )
