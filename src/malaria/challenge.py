"""Make a challenger and hold it against the champion: the method is chosen, run, and judged by the gate."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from malaria import gate_cells, grafting, shipped
from malaria import head as heads
from malaria.adapt import Adapted, adapt
from malaria.challenger import (
    Challenge,
    Made,
    describe,
    gate_settings,
    lineage,
    operates,
    told_of_forgotten,
    told_of_look,
    told_of_pool,
    told_of_refused,
    told_of_review,
    told_of_those_aside,
)
from malaria.checkpoints import Checkpoints
from malaria.comparison import Thresholds
from malaria.criteria import learning_rule
from malaria.domain import JobState, Method, Progress, Verdict
from malaria.errors import Conflict, NothingNew
from malaria.full_ground import every_shard, need_base_images, start_of
from malaria.gate import Exported, GateSettings, Receipt, judge
from malaria.memory import BASE, is_base
from malaria.operating import inherited, of_memory
from malaria.ports import Report
from malaria.progress import part
from malaria.refitting import AdaptSettings
from malaria.remembered import scored
from malaria.shards import Shard, distinct, names
from malaria.sift import sift

if TYPE_CHECKING:
    from malaria.training.dataset import CellArrays

SIFTED = 10
"""Percent of the way to a challenger, once what is no red cell is left out."""
FULL_FROM = 1000
"""`auto` trains the whole network from this many new cells on, where the base images are there."""


def make(challenge: Challenge, new: Sequence[Shard], report: Report) -> Made:
    """Make a challenger from the new shards and judge it.

    Earlier uploads that were too small to decide on are taken in with them. Where that lot does not stand,
    the new ones are judged alone, so that what somebody sent before cannot spoil them; and where they are
    accepted alone, the earlier ones wait no longer.

    Raises Conflict where no cell is new, and as the method does.
    """
    waiting = {sha: job for sha, job in undecided(challenge).items() if sha not in {s.sha256 for s in new}}
    if not waiting:
        return _make(challenge, new, report)
    pool = [*new, *(challenge.services.shards.load(sha) for sha in waiting)]
    together = _make(challenge, pool, report, pooled=list(waiting.values()))
    if together.receipt.stands:
        return together
    alone = _make(challenge, new, report)
    if alone.receipt.verdict != Verdict.ACCEPTED:
        return alone
    return replace(alone, receipt=told_of_those_aside(alone.receipt, list(waiting.values())))


def _make(challenge: Challenge, shards: Sequence[Shard], report: Report, pooled: Sequence[str] = ()) -> Made:
    known = challenge.memory.fingerprints[is_base(challenge.memory.origins)]
    shards = distinct(shards, set(known.tolist()))
    if not any(shard.cells for shard in shards):
        raise NothingNew(
            "The base model has learnt from every cell of this upload; there is nothing new in it."
        )
    new = np.array([cell.fingerprint for shard in shards for cell in shard.cells], np.uint64)
    memory, method = challenge.memory.without_uploaded(new), choose(challenge, shards)
    looked = part(report, 0, SIFTED)
    shards, refused = sift(challenge.champion, challenge.services.shards, shards, looked)
    challenge = replace(challenge, memory=memory, pooled=tuple(pooled), refused=tuple(refused))
    report = part(report, SIFTED, 100 - SIFTED)
    if method == Method.FULL and _worth_training(challenge, shards):
        return _make_full(challenge, shards, report)
    return _make_adapted(challenge, shards, report)


def _worth_training(challenge: Challenge, shards: Sequence[Shard]) -> bool:
    """Whether a cell is left for which to train a whole network; without one `adapt` says so at once. Raises
    NothingNew where another network was asked for, which it cannot be asked about."""
    left = any(shard.cells for shard in shards)
    if not left and challenge.other_network:
        raise NothingNew(
            "The served model takes every picture of this upload for no single red cell, so there is nothing "
            "to train another network for. Send the crops of single red cells of a thin smear."
        )
    return left


def choose(challenge: Challenge, new: Sequence[Shard]) -> Method:
    """The method of the run: what was asked for, or for `auto` the one that fits.

    new: as they were sent, so that who sends them again is told that it has been done.
    """
    wanted = challenge.job.options.method
    if wanted != Method.AUTO:
        return wanted
    many = sum(len(shard.cells) for shard in new) >= FULL_FROM
    if challenge.other_network:
        return Method.FULL
    based = any(shard.kind == BASE for shard in challenge.services.shards.list())
    return Method.FULL if many and based and find_spec("tensorflow") else Method.ADAPT


def undecided(challenge: Challenge) -> dict[str, str]:
    """Shards of earlier uploads too small to decide on, each with its job, which wait for more. One that was
    judged together with uploads that were accepted has waited long enough, learnt from or not."""
    learnt, found = set(challenge.memory.origins.tolist()), {}
    ended = challenge.services.jobs.list(state=JobState.SUCCEEDED, limit=10_000)
    aside = {waited for job in ended for waited in job.receipt.get("set_aside", ())}
    aside |= {
        waited for job in ended if job.verdict == Verdict.ACCEPTED for waited in job.receipt.get("pooled", ())
    }
    for job in ended:
        small = job.verdict == Verdict.UNDECIDABLE and job.receipt.get("too_small")
        if small and job.dataset and job.dataset not in learnt and job.id not in aside:
            found[job.dataset] = job.id
    return found


def _make_adapted(challenge: Challenge, shards: Sequence[Shard], report: Report) -> Made:
    champion, work = challenge.champion, challenge.work
    other = challenge.other_network
    if other is not None:
        raise Conflict(
            f"`adapt` refits the head of the served network, {champion.info.network}. To train {other} use "
            "`--method full`; to adapt it, serve it first (`malaria models promote`)."
        )
    stored = challenge.services.registry.fetch(
        champion.info.version, "model.tflite", work / "champion.tflite"
    )
    content = stored.read_bytes()
    at, bounds = champion.info.threshold, gate_settings(challenge.services.settings)
    settings, first = AdaptSettings(base_loss_in_all=bounds.base_margin), gate_cells.first_head(challenge)
    memory, kept = challenge.memory, challenge.services.shards
    adapted = adapt(champion, content, memory, kept, shards, settings, report, first[1] if first else None)
    report(Progress("evaluate", percent=85.0))
    met = gate_cells.of_memory(adapted, memory, shards, names(kept.list()))

    def judged(**further: Any) -> Receipt:
        receipt = told_of_pool(challenge, _judged(met, (at, at), bounds, **further))
        return told_of_refused(challenge, receipt, shards)

    if adapted.stays:
        unlearnt = learning_rule(adapted.stays, adapted.learnt, settings.fewest)
        return Made(champion.info, {}, judged(unlearnt=unlearnt), champion.info.version)
    file = Exported(adapted.parity, len(adapted.tflite))
    began = gate_cells.first_of_memory(memory, first, adapted.new) if first else None
    receipt = told_of_look(challenge, judged(file=file, first=began), met.base, adapted.tflite)
    return _version(challenge, adapted, shards, met, receipt)


def _version(
    challenge: Challenge, adapted: Adapted, shards: Sequence[Shard], met: gate_cells.Met, receipt: Receipt
) -> Made:
    """The challenger that `adapt` made, with its files written."""
    champion, work = challenge.champion.info, challenge.work
    point = of_memory(adapted.memory, adapted.new, champion.threshold, inherited(champion))
    receipt = told_of_review(receipt, {"base": met.base, "site": met.site}, operates(champion), point)
    files = {"model.tflite": work / "challenger.tflite", "memory.npz": work / "memory.npz"}
    files["model.tflite"].write_bytes(adapted.tflite)
    adapted.memory.save(files["memory.npz"])
    info = describe(
        challenge,
        adapted.tflite,
        champion.network,
        champion.input_size,
        point,
        {**champion.metrics, **scored(adapted.memory, adapted.new, champion.threshold)},
        lineage(challenge, shards, Method.ADAPT, receipt, adapted.parity),
        champion.screen,
    )
    return Made(info, files, receipt, champion.version)


def _judged(met: gate_cells.Met, at: Thresholds, bounds: GateSettings, **further: Any) -> Receipt:
    """What the gate says of them. at: both operating points. further: as `judge` takes it."""
    return judge(met.base, met.site, *at, bounds, met.labelled, elsewhere=met.elsewhere, **further)


def _make_full(challenge: Challenge, new: Sequence[Shard], report: Report) -> Made:
    need_base_images(challenge)
    from malaria.training.full import decoded, full

    services, champion, work = challenge.services, challenge.champion, challenge.work
    chosen, start = every_shard(challenge, new), start_of(challenge)
    branch = grafting.kept(shipped.folder(services.settings.shipped))
    kept = Checkpoints(services.objects, challenge.job.id) if services.fleeting else None
    done, cells = full(start, services.shards, chosen, challenge.job.options, work, report, branch, kept)
    size = cells.pixels.shape[1]

    @lru_cache
    def at(wanted: int) -> "CellArrays":
        return cells if wanted == size else decoded(services.shards, chosen, wanted, work, report)

    report(Progress("evaluate", percent=92.0))
    called = gate_cells.called_of(names(chosen), cells.fingerprints)
    answered = gate_cells.OfPixels(cells, done.probabilities, called, at)
    met = answered.sets(champion, new)
    content = done.tflite.read_bytes()
    head = heads.read(content)
    point = of_memory(done.memory, head, screened=done.screened)
    thresholds, bounds = (champion.info.threshold, point.threshold), gate_settings(services.settings)
    first, file = answered.first(challenge), Exported(done.parity, len(content))
    receipt = _judged(met, thresholds, bounds, file=file, first=first)
    receipt = told_of_refused(challenge, told_of_pool(challenge, receipt), new)
    receipt = told_of_look(challenge, receipt, met.base, content)
    receipt = told_of_review(receipt, {"base": met.base, "site": met.site}, operates(champion.info), point)
    receipt = told_of_forgotten(challenge, receipt, chosen)
    made = ("model.tflite", "network.keras", "memory.npz")
    told = scored(done.memory, head, point.threshold)
    story = lineage(challenge, chosen, Method.FULL, receipt, done.parity)
    return Made(
        describe(challenge, content, start.info.network, size, point, told, story, done.screen),
        {name: done.tflite.parent / name for name in made},
        receipt,
        champion.info.version,
    )
