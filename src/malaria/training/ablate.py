"""Recipes side by side: each is trained alike but for what it changes, and measured on the same panels.

`malaria ablate PLAN.toml`: the plan names a recipe that all share and the variants of it:

    [recipe]
    stages = [{size = 96, epochs = 3}]
    [[variant]]
    name = "plain"
    [[variant]]
    name = "with surround"
    shares = {surrounded = 0.6}
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from malaria import codec, whole
from malaria import head as heads
from malaria.digests import sha256
from malaria.domain import CLASSES, Label
from malaria.errors import BadOptions, NotFound
from malaria.metrics import Metrics
from malaria.ports import Report
from malaria.progress import Series
from malaria.training import dataset, fit, networks, recipe
from malaria.training.dataset import CellArrays, Source
from malaria.training.export import to_tflite
from malaria.training.finish import calibration
from malaria.training.mixture import mixture
from malaria.training.panels import Panel, figures, panels
from malaria.training.plan import Plan, learnable, listed, made_of, roles_of, sources_of
from malaria.training.platelets import platelets
from malaria.training.run import begin, blend, validation_of

OWN = ("name", "without", "without_label", "backbone")
"""What a variant says beside its recipe."""


@dataclass(frozen=True)
class Variant:
    """name: what is told of it. recipe: all of it. without: whether cells that the plan lists are left out,
    of one label or of both. backbone: whether it starts as the plan says, from a pretrained backbone or a
    fitted network, and not from nothing."""

    name: str
    recipe: recipe.Recipe
    without: bool = False
    without_label: Label | None = None
    backbone: bool = True


@dataclass(frozen=True)
class Ablated:
    """figures: by panel. file: the network as .tflite, where it was asked for."""

    figures: dict[str, Metrics]
    file: Path | None


def read(path: Path) -> list[Variant]:
    """The variants of a plan. Raises BadOptions, naming what is wrong."""
    told = recipe.read(path)
    shared, variants = told.get("recipe", {}), told.get("variant", [])
    tables = isinstance(variants, list) and all(isinstance(v, dict) for v in variants)
    if not isinstance(shared, dict) or not tables:
        raise BadOptions(f"{path} must hold a table [recipe] and variants, [[variant]].")
    found = [_variant(own, recipe.changed(recipe.Recipe(), shared)) for own in variants]
    if not found or len({v.name for v in found} - {""}) != len(found):
        raise BadOptions(f"{path} must hold variants, [[variant]], each with a name of its own.")
    return found


def _variant(told: dict[str, Any], shared: recipe.Recipe) -> Variant:
    label, name = told.get("without_label"), str(told.get("name", ""))
    if label not in (None, *CLASSES):
        raise BadOptions(f"{name}: without_label is {label!r}; it must be {' or '.join(CLASSES)}.")
    for switch in ("without", "backbone"):
        if not isinstance(told.get(switch, True), bool):
            raise BadOptions(f"{name}: {switch} must be true or false.")
    return Variant(
        name,
        recipe.changed(shared, {k: v for k, v in told.items() if k not in OWN}),
        told.get("without", label is not None),
        None if label is None else Label(CLASSES.index(label)),
        told.get("backbone", True),
    )


def ablate(
    plan: Plan,
    variants: Sequence[Variant],
    evaluated: Mapping[str, Path],
    report: Report,
    files: bool = False,
) -> dict[str, Ablated]:
    """Train and measure each variant; what is done already, under `plan.run`, is not done again.

    Returns what came of each variant, by name; with `files` its network too. Uses training and validation
    patients and fields only, as roles.json in `plan.out` lists them.

    Raises:
        NotFound: there is no roles.json.
    """
    if not (plan.out / "roles.json").exists():
        raise NotFound(f"{plan.out} holds no roles.json. Name the folder of the shipped models with --roles.")
    known = roles_of(plan)
    met = {name: sha256(path) for name, path in evaluated.items()}
    ground = hashlib.sha256(json.dumps([made_of(plan), met, sorted(known.items())]).encode()).hexdigest()
    at = _panels(evaluated, plan.without, report)
    done: dict[str, Ablated] = {}
    series = Series(len(variants), report)
    for variant in variants:
        folder = plan.run / _key(variant, ground)
        told, file = folder / "figures.json", folder / "model.tflite" if files else None
        if not told.exists() or (file and not file.exists()):
            own = replace(plan, recipe=variant.recipe, run=folder)
            found = _run(own, variant, sources_of(plan, known), at, series, file)
            whole.write_text(told, json.dumps(codec.to_json(found), indent=1) + "\n")
        series.finished()
        figures = {name: metrics_of(one) for name, one in json.loads(told.read_text()).items()}
        done[variant.name] = Ablated(figures, file)
    return done


def metrics_of(told: Mapping[str, Any]) -> Metrics:
    """Metrics as they were written."""
    known = {name: value for name, value in told.items() if name in Metrics.__dataclass_fields__}
    intervals = {name: (low, high) for name, (low, high) in told["intervals"].items()}
    return Metrics(**{**known, "intervals": intervals})


def _key(variant: Variant, ground: str) -> str:
    told = [ground, codec.to_json(variant.recipe), variant.without, variant.without_label, variant.backbone]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


PanelsAt = Callable[[CellArrays], dict[str, Panel]]


def _panels(evaluated: Mapping[str, Path], lists: Sequence[Path], report: Report) -> PanelsAt:
    """The panels of the cells' validation patients, made once for each input size."""
    made: dict[int, dict[str, Panel]] = {}

    def at(cells: CellArrays) -> dict[str, Panel]:
        size = cells.pixels.shape[1]
        if size not in made:
            made[size] = panels(cells, evaluated, lists, report)
        return made[size]

    return at


def _run(
    plan: Plan,
    variant: Variant,
    sources: Sequence[Source],
    panels_at: PanelsAt,
    series: Series,
    file: Path | None,
) -> dict[str, Metrics]:
    keras.backend.clear_session()
    told, report = variant.recipe, series.report
    keras.utils.set_random_seed(told.seed)
    size = told.size
    cells = dataset.load(sources, size, plan.cache, report)
    learnt = cells.where(learnable(cells, plan.without if variant.without else (), variant.without_label))
    doubted = listed(learnt, plan.without)
    laid = platelets(sources, size, told.shares.platelets)
    shown = mixture(learnt, told.shares, told.seed, plan.cache, report, doubted=doubted, platelets=laid)
    own = plan if variant.backbone else replace(plan, backbone_weights=None, start=None)
    network = begin(own)
    checked, fitting = validation_of(sources, plan.cache, report), series.of(variant.name)
    fitted = fit.fit(network, told, shown, checked, plan.run, fitting)
    if own.start and told.start_share:
        blend(fitted, begin(own), told.start_share)
    tuned = calibration(cells)
    temperature = heads.temperature(networks.logits(fitted, tuned.pixels), tuned.labels)
    if file:
        to_tflite(fitted, size, temperature, file)

    def score(pixels: npt.NDArray[np.uint8]) -> heads.Floats:
        return heads.sigmoid(networks.logits(fitted, pixels) / temperature)

    return figures(score, panels_at(cells))
