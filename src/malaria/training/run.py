"""Train a model from its start and lay it out as the shipped model: `malaria train`."""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from malaria import codec, provenance, roles, shipped
from malaria import head as heads
from malaria.domain import ModelVersion, Role, version_name
from malaria.errors import BadOptions
from malaria.evaluate import metrics
from malaria.memory import BASE
from malaria.operating import of_memory
from malaria.options import ENSEMBLE
from malaria.ports import Report
from malaria.training import dataset, ensemble, fit, networks
from malaria.training.dataset import CellArrays, Source
from malaria.training.finish import Finished, check_parity, finish
from malaria.training.mixture import mixture
from malaria.training.plan import (
    Plan,
    begun_from,
    hold_to,
    inputs,
    learnable,
    left_out,
    listed,
    made_of,
    members_of,
    roles_of,
    sources_of,
)
from malaria.training.platelets import platelets
from malaria.training.teacher import targets


def train(plan: Plan, now: datetime, report: Report) -> ModelVersion:
    """Train, calibrate, export and measure; returns the version, written to `plan.out`.

    Figures are given for validation and gate patients; test patients are scored into the memory, which keeps
    their embeddings, but no figure of theirs is computed here.

    Raises:
        PatientOverlap: a patient stands in both data and held-out sources.
        BadLayout: a source holds no labelled pictures.
        Conflict: the run folder belongs to another recipe.
        BadOptions: a start, a teacher or members that do not fit.
    """
    provenance.running()
    if plan.members:
        return _joined(plan, now, report)
    recipe, known = plan.recipe, _roles(plan)
    sources = sources_of(plan, known)
    if plan.teacher is not None and plan.teacher.info.input_size != recipe.size:
        raise BadOptions(
            f"The teacher answers cells of {plan.teacher.info.input_size} pixels; the recipe ends at "
            f"{recipe.size}."
        )
    keras.utils.set_random_seed(recipe.seed)
    network = begin(plan)
    hold_to(plan.run / "training.json", made_of(plan), "a run of another recipe or of other data")
    everything = dataset.load(sources, recipe.size, plan.cache, report)
    learnt = everything.where(learnable(everything, plan.without, plan.without_label))
    aims = _aims(plan, learnt, report)
    doubted = listed(learnt, [*plan.without, *plan.doubted])
    laid = platelets(sources, recipe.size, recipe.shares.platelets)
    shown = mixture(learnt, recipe.shares, recipe.seed, plan.cache, report, aims, doubted, laid)
    fitted = fit.fit(network, recipe, shown, validation_of(sources, plan.cache, report), plan.run, report)
    if plan.start and recipe.start_share:
        blend(fitted, begin(plan), recipe.start_share)
    begun = _begun(recipe.network, recipe.size, now)
    done = finish(fitted, everything, plan.run / "version", begun, report, plan.branch)
    return _lay_out(plan, begun, done, everything)


def begin(plan: Plan) -> keras.Model:
    """The network to train: a new one, or a fitted one to go on from. Raises BadOptions."""
    recipe = plan.recipe
    if plan.start is None:
        return networks.of_recipe(recipe, plan.backbone_weights)
    begun_from(plan)  # what no manifest tells of is refused
    fitted = keras.saving.load_model(plan.start, compile=False)
    if fitted.name != recipe.network:
        raise BadOptions(f"{plan.start} holds a {fitted.name}; the recipe is one of a {recipe.network}.")
    return fitted


def blend(fitted: keras.Model, start: keras.Model, share: float) -> None:
    """Draw a network's weights, statistics of batches included, a share of the way back to its start's."""
    for weights, first in zip(fitted.weights, start.weights, strict=True):
        weights.assign((1.0 - share) * weights + share * first)


def _roles(plan: Plan) -> dict[str, Role]:
    """The roles of the plan, written to its folder where they were drawn now."""
    known, written = roles_of(plan), plan.out / "roles.json"
    if not written.exists() or roles.load(written) != known:
        plan.out.mkdir(parents=True, exist_ok=True)
        roles.save(known, written)
    return known


def _joined(plan: Plan, now: datetime, report: Report) -> ModelVersion:
    """An ensemble of networks that are fitted already: nothing is trained."""
    size = members_of(plan)[0].input_size
    everything = dataset.load(sources_of(plan, _roles(plan)), size, plan.cache, report)
    network = ensemble.join(
        [keras.saving.load_model(path, compile=False) for path in plan.members], everything
    )
    begun = _begun(ENSEMBLE, size, now)
    done = finish(network, everything, plan.run / "version", begun, report, plan.branch)
    return _lay_out(plan, begun, done, everything)


def _aims(plan: Plan, learnt: CellArrays, report: Report) -> npt.NDArray[np.float32] | None:
    """What the teacher and the labels say together, where there is a teacher."""
    if plan.teacher is None:
        return None
    return targets(learnt, plan.teacher, plan.recipe.teacher_share, plan.cache, report)


def validation_of(sources: Sequence[Source], cache: Path, report: Report) -> Callable[[int], CellArrays]:
    @functools.lru_cache(1)
    def sized(size: int) -> CellArrays:
        cells = dataset.load(sources, size, cache, report).of(Role.VALIDATION)
        return cells.where(cells.origins == BASE)

    return sized


def _begun(network: str, size: int, now: datetime) -> ModelVersion:
    """A version that has no file yet."""
    return ModelVersion("unfinished", "", network, size, now, 0)


def _lay_out(plan: Plan, begun: ModelVersion, done: Finished, everything: CellArrays) -> ModelVersion:
    """Write the version's folder. Raises Damaged where its file answers otherwise than its network."""
    check_parity(done)
    content = done.tflite.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    point = of_memory(done.memory, heads.read(content), screened=done.screened)
    info = replace(
        begun,
        version=version_name(begun.created, digest),
        digest=digest,
        size_bytes=len(content),
        threshold=point.threshold,
        review=point.review,
        screen=done.screen,
        metrics=figures(done, everything, point.threshold),
        lineage=_story(plan, done, everything),
    )
    folder = plan.out / info.version
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("model.tflite", "memory.npz", "network.keras"):
        shutil.move(done.tflite.parent / file, folder / file)  # the run may lie on another disk
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


def _story(plan: Plan, done: Finished, everything: CellArrays) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if not plan.members:
        told = plan.run / fit.FITTED_BY
        fitted_by = json.loads(told.read_text(encoding="utf-8")) if told.exists() else []
        more = {"left_out": left_out(plan, everything), "fitted_by": fitted_by}
    if plan.start:
        more["begun_from"] = begun_from(plan)
    return {
        "method": "join" if plan.members else "train",
        "command": plan.command,
        **made_of(plan),
        **more,
        "inputs": inputs(plan),
        "temperature": round(done.temperature, 6),
        "parity": done.parity,
        "project": provenance.running(),
        "packages": {"backend": keras.backend.backend(), **provenance.packages(fit.PACKAGES)},
        "machine": provenance.machine(),
    }
