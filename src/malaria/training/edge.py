"""Export a version in smaller numbers, measure it beside its original, and lay it out as a version.

Float16 needs no TensorFlow; int8 does.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import branches, codec, parity, provenance
from malaria import head as heads
from malaria.domain import ModelVersion, Precision, Progress, Role, version_name
from malaria.errors import BadInput
from malaria.lineage import EXPORTED
from malaria.memory import BASE, Memory, remember
from malaria.operating import choose, inherited
from malaria.parity import PATIENTS, Answered, Parity
from malaria.ports import Report
from malaria.predict import Model
from malaria.preprocess import Pixels
from malaria.progress import part
from malaria.remembered import scored
from malaria.subject import OUTPUT
from malaria.training.dataset import CellArrays

PACKAGES = ("tensorflow", "tensorflow-cpu", "numpy", "pillow", "ai-edge-litert")
"""What decides the file and its answers."""


@dataclass(frozen=True)
class Original:
    """The version to export: `content` is its float32 .tflite file, `memory` what it remembers."""

    info: ModelVersion
    content: bytes
    memory: Memory


@dataclass(frozen=True)
class Export:
    """parity: by set of validation cells, "validation" (NIH patients), "validation:chula" and so on. memory:
    the original's cells as this file embeds them; None where not all of them were at hand."""

    precision: Precision
    info: ModelVersion
    content: bytes
    parity: Mapping[str, Parity]
    memory: Memory | None


def export(
    original: Original,
    cells: CellArrays,
    precisions: Sequence[Precision],
    story: Mapping[str, Any],
    now: datetime,
    seed: int,
    report: Report,
) -> list[Export]:
    """Export to each precision. cells: with the roles that the original's memory has; int8 is calibrated on
    cells of training patients and fields, and all are measured on those of validation. story: how a person
    asked, and its data by SHA-256, for the manifest.

    Raises:
        BadInput: there are no cells of both classes of NIH training or validation patients.
    """
    learnt, held = (_of(cells, role) for role in (Role.TRAIN, Role.VALIDATION))
    before = _answers(Model(original.content, original.info), held.pixels, len(held), part(report, 0, 20))
    found = []
    for i, precision in enumerate(precisions):
        tell = part(report, 20 + 80 * i / len(precisions), 80 / len(precisions))
        tell(Progress("export", percent=0.0, message=precision.value))
        content, how = _made(original.content, precision, learnt, seed)
        model = Model(content, original.info)
        after = _answers(model, held.pixels, len(held), part(tell, 30, 20))
        memory = _renewed(original.memory, model, cells, part(tell, 50, 50))
        beside = _beside(held, before, after, original.info.threshold, seed)
        lineage = {**story, "precision": precision.value, "seed": seed, **how, **_made_with()}
        info = _described(original.info, content, held, after, memory, beside, lineage, now)
        found.append(Export(precision, info, content, beside, memory))
    return found


def _of(cells: CellArrays, role: Role) -> CellArrays:
    """The cells of a role. Raises BadInput where NIH patients lack a class."""
    found = cells.of(role)
    if len(np.unique(found.labels[found.origins == BASE])) < 2:
        raise BadInput(
            f"The data hold no cells of both classes of {role.value} patients of this version. Name the ZIPs "
            "that it was trained on (--data)."
        )
    return found


def _made(tflite: bytes, precision: Precision, learnt: CellArrays, seed: int) -> tuple[bytes, dict[str, Any]]:
    """The file, and what it was calibrated on. What a picture shows goes on being told in float32: it costs
    little, and the bounds that go with it were chosen so."""
    if precision == Precision.FLOAT16:
        return branches.beside(tflite, OUTPUT, heads.halved), {}
    from malaria.training import quantise

    rows = quantise.to_calibrate(learnt, seed)
    shown = learnt.where(rows)
    told = {
        "cells": len(shown),
        "parasitized": int(np.count_nonzero(shown.labels)),
        "patients": len(np.unique(shown.groups)),
        "origins": np.unique(shown.origins).tolist(),
        "sha256": hashlib.sha256(np.sort(shown.fingerprints).astype("<u8").tobytes()).hexdigest(),
    }
    made = branches.beside(tflite, OUTPUT, lambda rest: quantise.int8(rest, shown.pixels))
    return made, {"calibration": told}


def _made_with() -> dict[str, Any]:
    return {"project": provenance.project(), "packages": provenance.packages(PACKAGES)}


def _answers(model: Model, pixels: Iterable[Pixels], cells: int, report: Report) -> Answered:
    probabilities, rows = list[float](), list[npt.NDArray[np.float32]]()
    for i, found in enumerate(model.score_many(map(np.asarray, pixels))):
        probabilities.append(found.probability)
        rows.append(found.embedding)
        if i % 64 == 0:
            report(Progress("embed", percent=100.0 * i / cells, message=f"{i} of {cells} cells"))
    return Answered(np.array(probabilities), np.array(rows))


def _beside(
    held: CellArrays, before: Answered, after: Answered, threshold: float, seed: int
) -> dict[str, Parity]:
    """Parity on each set of validation cells."""
    found = {}
    for origin in np.unique(held.origins):
        rows = held.origins == origin
        left, right = (Answered(a.probabilities[rows], a.embeddings[rows]) for a in (before, after))
        name = PATIENTS + str(origin).removeprefix(BASE)
        found[name] = parity.compare(held.labels[rows], held.groups[rows], left, right, threshold, seed=seed)
    return found


def _renewed(memory: Memory, model: Model, cells: CellArrays, report: Report) -> Memory | None:
    """The memory as this file embeds its cells, without which it cannot be adapted: the original's embeddings
    are not what this file says. None where the pixels of some are not here."""
    places = {int(name): i for i, name in enumerate(cells.fingerprints)}
    if not all(int(name) in places for name in memory.fingerprints):
        return None
    pixels = (cells.pixels[places[int(name)]] for name in memory.fingerprints)
    rows = _answers(model, pixels, len(memory), report).embeddings
    kept = (memory.labels, memory.patients, memory.roles, memory.origins, memory.fingerprints)
    return remember(rows, *kept)


def _described(
    of: ModelVersion,
    content: bytes,
    held: CellArrays,
    after: Answered,
    memory: Memory | None,
    beside: Mapping[str, Parity],
    lineage: Mapping[str, Any],
    now: datetime,
) -> ModelVersion:
    """The exported version. The threshold stays; what to send to a person is chosen anew, as ever on NIH
    validation patients."""
    digest, ours = hashlib.sha256(content).hexdigest(), held.origins == BASE
    answers = held.labels[ours], after.probabilities[ours], held.groups[ours]
    point = choose(*answers, of.threshold, inherited(of))
    figures = {name: codec.to_json(seen.after) for name, seen in beside.items()}
    if memory is not None:
        figures = scored(memory, heads.read(content), of.threshold)
    refused = parity.refusal(beside)
    return replace(
        of,
        version=version_name(now, digest),
        digest=digest,
        created=now,
        size_bytes=len(content),
        review=point.review,
        metrics=figures,
        lineage={
            "method": EXPORTED,
            "parent": of.version,
            "parent_digest": of.digest,
            **lineage,
            "beside_parent": {name: _short(seen) for name, seen in beside.items()},
            "unservable": refused,
        },
    )


def _short(seen: Parity) -> dict[str, Any]:
    """Parity as a manifest tells it; figures of both files stand in the manifest of each."""
    return {name: value for name, value in codec.to_json(seen).items() if name not in ("before", "after")}
