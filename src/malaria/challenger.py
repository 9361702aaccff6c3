"""A challenger and what is written down about it: what it met, where it comes from, how it scored."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import codec
from malaria.advice import Advised
from malaria.domain import Job, Method, ModelVersion, Role, Screen, version_name
from malaria.gate import GateSet, GateSettings, Receipt, Sent
from malaria.gate_looks import GateLook, set_of
from malaria.memory import Memory
from malaria.operating import Operating, left_by
from malaria.predict import Model
from malaria.services import Services
from malaria.settings import Settings
from malaria.shards import Shard


@dataclass(frozen=True)
class Challenge:
    """What stands before a run. promotion: number of the log's entry that serves the champion. jobs: those of
    the run. pooled: earlier ones whose cells are taken in with theirs. refused: what the pictures are called
    that are left out of it; the champion takes them for no red cell."""

    services: Services
    job: Job
    champion: Model
    promotion: int
    memory: Memory
    work: Path
    now: datetime
    jobs: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def other_network(self) -> str | None:
        """The network that the job asks for, where it is not the one that is served."""
        wanted = self.job.options.network
        return wanted if wanted != self.champion.info.network else None


@dataclass(frozen=True)
class Made:
    """A challenger: its version and files, and what the gate said. champion: the version it met.

    files: none where nothing was learnt; there is no challenger then, and info is the champion's.
    """

    info: ModelVersion
    files: Mapping[str, Path]
    receipt: Receipt
    champion: str


def told_of_pool(challenge: Challenge, receipt: Receipt) -> Receipt:
    """The receipt, naming the earlier uploads that were judged together with the new ones."""
    if not challenge.pooled:
        return receipt
    which = ", ".join(challenge.pooled)
    reason = f"{receipt.reason} Judged together with earlier uploads too small alone: {which}."
    return replace(receipt, reason=reason, pooled=challenge.pooled)


def told_of_those_aside(receipt: Receipt, waited: Sequence[str]) -> Receipt:
    """The receipt of uploads that are accepted without earlier ones, and were not with them."""
    which = ", ".join(waited)
    told = f"Earlier uploads too small alone, with which it was not accepted, wait no longer: {which}."
    reason = f"{receipt.reason} {told} Send their cells again with more of them."
    return replace(receipt, reason=reason, set_aside=tuple(waited))


def operates(info: ModelVersion) -> Operating | None:
    """Where a version operates; None where it has no band."""
    return Operating(info.threshold, info.review) if info.review else None


def told_of_review(
    receipt: Receipt,
    sets: Mapping[str, GateSet | None],
    champion: Operating | None,
    challenger: Operating,
) -> Receipt:
    """The receipt with what either model sends to a person, of the sets by their name. champion: None where
    it has no band."""

    def told(of: Operating, cells: GateSet, scores: npt.NDArray[np.floating]) -> Sent:  # type: ignore[type-arg]
        return Sent(*left_by(of.review, cells.labels, scores, of.threshold))

    found = {
        name: {
            **({"champion": told(champion, cells, cells.champion)} if champion else {}),
            "challenger": told(challenger, cells, cells.challenger),
        }
        for name, cells in sets.items()
        if cells is not None and len(cells)
    }
    return replace(receipt, review=found)


def told_of_look(challenge: Challenge, receipt: Receipt, base: GateSet, tflite: bytes) -> Receipt:
    """The receipt with the number of this look at the set of base gate patients, which is kept with the
    registry. base: may hold gate cells of earlier uploads too. tflite: the challenger's file."""
    cells = base if base.uploads is None else base.where(base.uploads == "")
    if not len(cells):
        return receipt
    most, champion = challenge.services.settings.max_gate_looks, challenge.champion.info.digest
    digest, met = hashlib.sha256(tflite).hexdigest(), (challenge.job.id, receipt.verdict.value)
    sizes = (len(cells), cells.groups())
    look = GateLook(0, challenge.now, champion, digest, *met, *sizes, of=set_of(challenge.memory))
    number = challenge.services.gate_looks.add(look)
    if number <= most:
        return replace(receipt, look=number)
    due = f"The base gate patients were looked at {number} times and bear {most}: fresh ones are due."
    piece = Advised("fresh-due", due, {"looks": number, "most": most})
    return replace(_advising(receipt, piece), look=number, fresh_due=True)


def _advising(receipt: Receipt, piece: Advised) -> Receipt:
    """The receipt with one piece of advice more."""
    advice = f"{receipt.advice} {piece.text}".strip()
    return replace(receipt, advice=advice, advised=(*receipt.advised, piece))


NAMED = 3
"""Of the pictures that were left out, so many are named."""


def told_of_refused(challenge: Challenge, receipt: Receipt, left: Sequence[Shard]) -> Receipt:
    """The receipt, with the pictures that were left out. Where none is left, more of the kind would help
    nobody: it waits for none."""
    refused = challenge.refused
    if not refused:
        return receipt
    told = (
        f"Pictures that look like no single red cell to the served model: {len(refused):,}, such as "
        f"{', '.join(refused[:NAMED])}. "
        "It gives them no answer, whatever it learns: nothing was learnt from them, nor judged by them."
    )
    piece = Advised("pictures-refused", told, {"cells": len(refused)})
    if not any(shard.cells for shard in left):
        return replace(receipt, advice=told, advised=(piece,), too_small=False)
    return _advising(receipt, piece)


MISSED = 0.05
"""Of the cells of an origin: lacking fewer of their pictures is no matter; ingest drops near copies."""


def told_of_forgotten(challenge: Challenge, receipt: Receipt, shards: Sequence[Shard]) -> Receipt:
    """The receipt of `full`, with what the served model has learnt from base cells without stored pictures:
    the new one has not learnt them again, and was not asked about them."""
    memory = challenge.memory.of(Role.TRAIN, base=True)
    seen = np.array([cell.fingerprint for shard in shards for cell in shard.cells], np.uint64)
    lacking = ~np.isin(memory.fingerprints, seen)
    origins = sorted(set(memory.origins.tolist()))
    missed = {one: memory.origins == one for one in origins if lacking[memory.origins == one].mean() > MISSED}
    if not missed:
        return receipt
    cells = sum(int(np.sum(lacking & of)) for of in missed.values())
    which = ", ".join(origin.partition(":")[2] or "NIH" for origin in missed)
    told = (
        f"The served model has learnt from {cells:,} base cells ({which}) whose pictures are not stored: "
        "this one forgets them, and was not asked about such cells. `malaria data import ZIP... --laboratory "
        "SET=PATH` brings them."
    )
    return _advising(receipt, Advised("pictures-missing", told, {"cells": cells}))


def gate_settings(chosen: Settings) -> GateSettings:
    """The bounds of the gate, as they are set."""
    return GateSettings(
        draws=chosen.gate_draws,
        base_margin=chosen.base_margin,
        ece_margin=chosen.ece_margin,
        site_margin=chosen.site_margin,
        site_class_cells=chosen.site_class_cells,
        min_site_auc=chosen.min_site_auc,
        max_doubted_labels=chosen.max_doubted_labels,
        min_site_cells=chosen.min_site_cells,
        min_site_per_class=chosen.min_site_per_class,
        max_parity=chosen.max_parity,
        max_model_bytes=chosen.max_model_bytes,
        accept_equal=chosen.accept_equal,
    )


def lineage(
    challenge: Challenge, shards: Sequence[Shard], method: Method, receipt: Receipt, parity: float
) -> dict[str, Any]:
    """Where a challenger comes from: enough to make it again. parity: as the gate holds it to account."""
    return {
        "method": method.value,
        "parent": challenge.champion.info.version,
        "job": challenge.job.id,
        "jobs": list(challenge.jobs),
        "pooled": list(challenge.pooled),
        "options": codec.to_json(challenge.job.options),
        "datasets": [shard.sha256 for shard in shards],
        "parity": parity,
        "receipt": codec.to_json(replace(receipt, moved={}, doubted=())),  # the job keeps the cells
    }


def describe(
    challenge: Challenge,
    tflite: bytes,
    network: str,
    size: int,
    point: Operating,
    figures: Mapping[str, Any],
    story: Mapping[str, Any],
    screen: Screen | None,
) -> ModelVersion:
    digest = hashlib.sha256(tflite).hexdigest()
    return ModelVersion(
        version=version_name(challenge.now, digest),
        digest=digest,
        network=network,
        input_size=size,
        created=challenge.now,
        size_bytes=len(tflite),
        threshold=point.threshold,
        review=point.review,
        screen=screen,
        metrics=figures,
        lineage=story,
    )
