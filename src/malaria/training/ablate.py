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

from malaria import codec
from malaria import head as heads
from malaria.domain import CLASSES, Label, Progress
from malaria.errors import BadOptions
from malaria.metrics import Metrics
from malaria.ports import Report
from malaria.training import dataset, fit, networks, recipe
from malaria.training.dataset import CellArrays
from malaria.training.finish import calibration
from malaria.training.mixture import mixture
from malaria.training.panels import Panel, figures, panels
from malaria.training.run import Plan, learnable, sources_of, validation_of

OWN = ("name", "without", "without_label", "backbone")
"""What a variant says beside its recipe."""


@dataclass(frozen=True)
class Variant:
    """name: what is told of it. recipe: all of it. without: whether cells that the plan lists are left out,
    of one label or of both. backbone: whether it starts from the pretrained backbone."""

    name: str
    recipe: recipe.Recipe
    without: bool = False
    without_label: Label | None = None
    backbone: bool = True


def read(path: Path) -> list[Variant]:
    """The variants of a plan. Raises BadOptions, naming what is wrong."""
    told = recipe.read(path)
    shared = recipe.changed(recipe.Recipe(), told.get("recipe", {}))
    found = []
    for variant in told.get("variant", []):
        own = {k: v for k, v in variant.items() if k not in OWN}
        label = variant.get("without_label")
        found.append(
            Variant(
                str(variant.get("name", "")),
                recipe.changed(shared, own),
                bool(variant.get("without", label is not None)),
                None if label is None else Label(CLASSES.index(label)),
                bool(variant.get("backbone", True)),
            )
        )
    if not found or len({v.name for v in found} - {""}) != len(found):
        raise BadOptions(f"{path} must hold variants, [[variant]], each with a name of its own.")
    return found


def ablate(
    plan: Plan, variants: Sequence[Variant], evaluated: Mapping[str, Path], report: Report
) -> dict[str, dict[str, Metrics]]:
    """Train and measure each variant; what is done already, under `plan.run`, is not done again.

    Returns the figures by variant and panel. Uses training and validation patients and fields only.
    """
    done: dict[str, dict[str, Metrics]] = {}
    at = _panels(evaluated, report)
    for number, variant in enumerate(variants):
        folder = plan.run / _key(variant, plan)
        told = folder / "figures.json"
        if not told.exists():
            begin, span = 100.0 * number / len(variants), 100.0 / len(variants)
            own = replace(plan, recipe=variant.recipe, run=folder)
            found = _run(own, variant, at, _part(report, begin, span))
            told.write_text(json.dumps(codec.to_json(found), indent=1) + "\n")
        done[variant.name] = {name: metrics_of(one) for name, one in json.loads(told.read_text()).items()}
    return done


def metrics_of(told: Mapping[str, Any]) -> Metrics:
    """Metrics as they were written."""
    known = {name: value for name, value in told.items() if name in Metrics.__dataclass_fields__}
    intervals = {name: (low, high) for name, (low, high) in told["intervals"].items()}
    return Metrics(**{**known, "intervals": intervals})


def _key(variant: Variant, plan: Plan) -> str:
    told = [codec.to_json(variant.recipe), variant.without, variant.without_label, variant.backbone]
    where = sorted(path.name for path in (*plan.data, *plan.laboratories.values()))
    return hashlib.sha256(json.dumps([told, where]).encode()).hexdigest()[:12]


PanelsAt = Callable[[CellArrays], dict[str, Panel]]


def _panels(evaluated: Mapping[str, Path], report: Report) -> PanelsAt:
    """The panels of the cells' validation patients, made once for each input size."""
    made: dict[int, dict[str, Panel]] = {}

    def at(cells: CellArrays) -> dict[str, Panel]:
        size = cells.pixels.shape[1]
        if size not in made:
            made[size] = panels(cells, evaluated, report)
        return made[size]

    return at


def _run(plan: Plan, variant: Variant, panels_at: PanelsAt, report: Report) -> dict[str, Metrics]:
    keras.backend.clear_session()
    keras.utils.set_random_seed(variant.recipe.seed)
    sources, size = sources_of(plan), variant.recipe.size
    cells = dataset.load(sources, size, plan.cache, report)
    learnt = cells.where(learnable(cells, plan.without if variant.without else (), variant.without_label))
    shown = mixture(learnt, variant.recipe.shares, variant.recipe.seed, plan.cache, report)
    network = networks.build(
        variant.recipe.network,
        dropout=variant.recipe.dropout,
        backbone_weights=plan.backbone_weights if variant.backbone else None,
        width=variant.recipe.width,
    )
    fitted = fit.fit(
        network, variant.recipe, shown, validation_of(sources, plan.cache, report), plan.run, report
    )
    tuned = calibration(cells)

    def logits(pixels: Any) -> heads.Floats:
        return np.asarray(fitted.predict(pixels, batch_size=64, verbose=0)[:, 0], np.float64)

    temperature = heads.temperature(logits(tuned.pixels), tuned.labels)
    return figures(lambda pixels: heads.sigmoid(logits(pixels) / temperature), panels_at(cells))


def _part(report: Report, begin: float, span: float) -> Report:
    def scaled(progress: Progress) -> None:
        report(replace(progress, percent=begin + span * (progress.percent or 0.0) / 100))

    return scaled
