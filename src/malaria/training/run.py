"""Train a model from its start and lay it out as the shipped model: `malaria train`."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from malaria import cells, codec, roles
from malaria.domain import ModelVersion, Role, version_name
from malaria.errors import Conflict
from malaria.evaluate import metrics
from malaria.ports import Report
from malaria.training import dataset, fit, networks
from malaria.training.dataset import CellArrays, Layout, Source
from malaria.training.finish import Finished, finish
from malaria.training.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """What `train` is asked for.

    data: sources for training and validation; held_out: sources whose patients become gate and test.
    out: folder for the version and roles.json, which is used where it exists and made where not.
    run: folder of checkpoints; a run that was killed goes on from there. command: how a person asked.
    """

    data: Sequence[Path]
    held_out: Sequence[Path]
    out: Path
    run: Path
    cache: Path
    recipe: Recipe
    backbone_weights: Path | None
    command: str


def train(plan: Plan, now: datetime, report: Report) -> ModelVersion:
    """Train, calibrate, export and measure; returns the version, written to `plan.out`.

    Figures are given for validation and gate patients; test patients are scored into the memory, which keeps
    their embeddings, but no figure of theirs is computed here.

    Raises:
        PatientOverlap: a patient stands in both data and held-out sources.
        BadLayout: a source holds no labelled pictures.
        Conflict: the run folder belongs to another recipe.
    """
    known = _roles(plan)
    sources: list[Source] = [Layout(path, known) for path in (*plan.data, *plan.held_out)]
    _same_recipe(plan)
    at = _arrays(sources, plan.cache, report)
    network = networks.build(
        plan.recipe.network, dropout=plan.recipe.dropout, backbone_weights=plan.backbone_weights
    )
    fitted = fit.fit(network, plan.recipe, at(Role.TRAIN), at(Role.VALIDATION), plan.run, report)
    everything = dataset.load(sources, plan.recipe.size, plan.cache, report)
    done = finish(fitted, everything, plan.run / "version", _placeholder(plan.recipe, now), report)
    return _lay_out(plan, done, everything, now)


def _roles(plan: Plan) -> dict[str, Role]:
    listed = plan.out / "roles.json"
    if listed.exists():
        return roles.load(listed)
    known = roles.draw_base_roles(_infected(plan.data), _infected(plan.held_out))
    plan.out.mkdir(parents=True, exist_ok=True)
    roles.save(known, listed)
    return known


def _infected(sources: Sequence[Path]) -> dict[str, int]:
    """Parasitized cells of each patient."""
    counts: dict[str, int] = {}
    for source in sources:
        for cell, _ in cells.read(source):
            if cell.patient:
                counts[cell.patient] = counts.get(cell.patient, 0) + int(cell.label)
    return counts


def _same_recipe(plan: Plan) -> None:
    """A run folder holds one recipe on one set of data: going on with others would explain no weights."""
    plan.run.mkdir(parents=True, exist_ok=True)
    data = [_sha256(path) for path in (*plan.data, *plan.held_out) if path.is_file()]
    written, told = plan.run / "recipe.json", {**codec.to_json(plan.recipe), "data": data}
    if written.exists() and json.loads(written.read_text()) != told:
        raise Conflict(
            f"{plan.run} holds a run of another recipe or of other data. Name another folder with --run, or "
            "delete it."
        )
    written.write_text(json.dumps(told, indent=1) + "\n")


def _arrays(
    sources: Sequence[Source], cache: Path, report: Report
) -> Callable[[Role], Callable[[int], CellArrays]]:
    def at(role: Role) -> Callable[[int], CellArrays]:
        @functools.lru_cache(1)
        def sized(size: int) -> CellArrays:
            return dataset.load(sources, size, cache, report).of(role)

        return sized

    return at


def _placeholder(recipe: Recipe, now: datetime) -> ModelVersion:
    return ModelVersion("unfinished", "", recipe.network, recipe.size, now, 0)


def _lay_out(plan: Plan, done: Finished, everything: CellArrays, now: datetime) -> ModelVersion:
    content = done.tflite.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    info = ModelVersion(
        version=version_name(now, digest),
        digest=digest,
        network=plan.recipe.network,
        input_size=plan.recipe.size,
        created=now,
        size_bytes=len(content),
        metrics=figures(done, everything, 0.5),
        lineage=_story(plan, done),
    )
    folder = plan.out / info.version
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("model.tflite", "memory.npz", "network.keras"):
        (done.tflite.parent / file).replace(folder / file)
    (folder / "manifest.json").write_text(json.dumps(codec.to_json(info), indent=1) + "\n")
    (plan.out / "shipped.json").write_text(json.dumps({"version": info.version}) + "\n")
    return info


def figures(done: Finished, everything: CellArrays, threshold: float) -> dict[str, Any]:
    """Metrics on validation and gate patients; never on test patients."""
    told = {}
    for role in (Role.VALIDATION, Role.GATE):
        mask = everything.roles == role.value
        if np.any(mask):
            found = metrics(
                everything.labels[mask], done.probabilities[mask], everything.groups[mask], threshold
            )
            told[role.value] = codec.to_json(found)
    return told


def _story(plan: Plan, done: Finished) -> dict[str, Any]:
    return {
        "method": "train",
        "command": plan.command,
        "recipe": codec.to_json(plan.recipe),
        "data": {path.name: _sha256(path) for path in (*plan.data, *plan.held_out) if path.is_file()},
        "backbone_weights": _sha256(plan.backbone_weights) if plan.backbone_weights else None,
        "temperature": round(done.temperature, 6),
        "parity": done.parity,
        "packages": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
