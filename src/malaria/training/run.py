"""Train a model from its start and lay it out as the shipped model: `malaria train`."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from malaria import cells, codec, roles, shipped, suspects
from malaria.domain import Label, ModelVersion, Role, version_name
from malaria.errors import Conflict
from malaria.evaluate import metrics
from malaria.memory import BASE
from malaria.ports import Report
from malaria.predict import Model
from malaria.training import dataset, ensemble, fit, networks
from malaria.training.dataset import CellArrays, Layout, Source
from malaria.training.finish import Finished, finish
from malaria.training.laboratories import Laboratory
from malaria.training.mixture import mixture
from malaria.training.recipe import Recipe
from malaria.training.teacher import targets


@dataclass(frozen=True)
class Plan:
    """What `train` is asked for.

    data: sources for training and validation; held_out: sources whose patients become gate and test.
    laboratories: fields of other laboratories, by the name of their set; their cells are uninfected.
    without: lists of cells not to train on, CSV with original_label, cell and patient; they keep their role
    and their place in every figure. without_label: leave out only those of this label; None: both.
    teacher: a model whose answers are learnt beside the labels.
    members: of an ensemble, Keras files of fitted networks; then nothing is trained.
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
    laboratories: Mapping[str, Path] = field(default_factory=dict)
    without: Sequence[Path] = ()
    without_label: Label | None = None
    teacher: Model | None = None
    members: Sequence[Path] = ()


def train(plan: Plan, now: datetime, report: Report) -> ModelVersion:
    """Train, calibrate, export and measure; returns the version, written to `plan.out`.

    Figures are given for validation and gate patients; test patients are scored into the memory, which keeps
    their embeddings, but no figure of theirs is computed here.

    Raises:
        PatientOverlap: a patient stands in both data and held-out sources.
        BadLayout: a source holds no labelled pictures.
        Conflict: the run folder belongs to another recipe.
    """
    if plan.members:
        return _joined(plan, now, report)
    sources = sources_of(plan)
    _same_recipe(plan)
    recipe = plan.recipe
    everything = dataset.load(sources, recipe.size, plan.cache, report)
    learnt = everything.where(learnable(everything, plan.without, plan.without_label))
    network = networks.build(
        recipe.network, dropout=recipe.dropout, backbone_weights=plan.backbone_weights, width=recipe.width
    )
    aims = _aims(plan, learnt, report)
    shown = mixture(learnt, recipe.shares, recipe.seed, plan.cache, report, aims)
    fitted = fit.fit(network, recipe, shown, validation_of(sources, plan.cache, report), plan.run, report)
    done = finish(fitted, everything, plan.run / "version", _placeholder(recipe, now), report)
    return _lay_out(plan, done, everything, now)


def _joined(plan: Plan, now: datetime, report: Report) -> ModelVersion:
    """An ensemble of networks that are fitted already: nothing is trained."""
    everything = dataset.load(sources_of(plan), plan.recipe.size, plan.cache, report)
    network = ensemble.join(
        [keras.saving.load_model(path, compile=False) for path in plan.members], everything
    )
    done = finish(network, everything, plan.run / "version", _placeholder(plan.recipe, now), report)
    return _lay_out(plan, done, everything, now)


def _aims(plan: Plan, learnt: CellArrays, report: Report) -> npt.NDArray[np.float32] | None:
    """What the teacher and the labels say together, where there is a teacher."""
    if plan.teacher is None:
        return None
    return targets(learnt, plan.teacher, plan.recipe.teacher_share, plan.cache, report)


def sources_of(plan: Plan) -> list[Source]:
    """The sources with the role of each patient and field: as roles.json lists it, or drawn now."""
    bare = [Laboratory(path, name, {}) for name, path in plan.laboratories.items()]
    known = _roles(plan, [group for laboratory in bare for group in laboratory.groups()])
    base: list[Source] = [Layout(path, known) for path in (*plan.data, *plan.held_out)]
    return [*base, *(replace(laboratory, roles=known) for laboratory in bare)]


def _roles(plan: Plan, fields: Sequence[str]) -> dict[str, Role]:
    listed = plan.out / "roles.json"
    if listed.exists():
        known = roles.load(listed)
    else:
        known = roles.draw_base_roles(_infected(plan.data), _infected(plan.held_out))
    drawn = {group: roles.field_role(group) for group in fields} | known
    if not listed.exists() or drawn != known:
        plan.out.mkdir(parents=True, exist_ok=True)
        roles.save(drawn, listed)
    return drawn


def learnable(
    cells: CellArrays, without: Sequence[Path], label: Label | None = None
) -> npt.NDArray[np.bool_]:
    """Which cells are trained on, (n,): those of training patients and fields that no list leaves out."""
    listed = set[suspects.Key]().union(*(suspects.read(path) for path in without))
    listed = {key for key in listed if label in (None, key[0])}
    left_out = [
        suspects.key(label, name) in listed for label, name in zip(cells.labels, cells.names, strict=True)
    ]
    train: npt.NDArray[np.bool_] = cells.roles == Role.TRAIN.value
    return train & ~np.array(left_out, np.bool_)


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
    written, told = plan.run / "recipe.json", {**codec.to_json(plan.recipe), "data": hashes(plan)}
    if written.exists() and json.loads(written.read_text()) != told:
        raise Conflict(
            f"{plan.run} holds a run of another recipe or of other data. Name another folder with --run, or "
            "delete it."
        )
    written.write_text(json.dumps(told, indent=1) + "\n")


def validation_of(sources: Sequence[Source], cache: Path, report: Report) -> Callable[[int], CellArrays]:
    @functools.lru_cache(1)
    def sized(size: int) -> CellArrays:
        cells = dataset.load(sources, size, cache, report).of(Role.VALIDATION)
        return cells.where(cells.origins == BASE)

    return sized


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
    shipped.record(plan.out, info)
    return info


def figures(done: Finished, everything: CellArrays, threshold: float) -> dict[str, Any]:
    """Metrics on validation and gate patients, and on validation fields of other laboratories, by their set;
    never on test patients or fields."""
    told = {}
    for role in (Role.VALIDATION, Role.GATE):
        for origin in np.unique(everything.origins):
            mask = (everything.roles == role.value) & (everything.origins == origin)
            if np.any(mask):
                found = metrics(
                    everything.labels[mask], done.probabilities[mask], everything.groups[mask], threshold
                )
                told[role.value + str(origin).removeprefix(BASE)] = codec.to_json(found)
    return told


def _story(plan: Plan, done: Finished) -> dict[str, Any]:
    return {
        "method": "train",
        "command": plan.command,
        "recipe": codec.to_json(plan.recipe),
        "data": hashes(plan),
        "members": {path.parent.name: _sha256(path) for path in plan.members},
        "teacher": plan.teacher.info.digest if plan.teacher else None,
        "backbone_weights": _sha256(plan.backbone_weights) if plan.backbone_weights else None,
        "temperature": round(done.temperature, 6),
        "parity": done.parity,
        "packages": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
    }


def hashes(plan: Plan) -> dict[str, str]:
    paths = (*plan.data, *plan.held_out, *plan.laboratories.values(), *plan.without)
    return {path.name: _sha256(path) for path in paths if path.is_file()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
