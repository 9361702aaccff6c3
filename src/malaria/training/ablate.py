"""Recipes side by side: each is trained alike but for what it changes, and measured on the same panels."""

import functools
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from malaria import codec, whole
from malaria import head as heads
from malaria.digests import sha256
from malaria.domain import ModelVersion
from malaria.errors import BadOptions, NotFound
from malaria.metrics import Metrics
from malaria.ports import Report
from malaria.predict import Model
from malaria.progress import Series
from malaria.training import dataset, fit, grafts, networks
from malaria.training import mixture as mixtures
from malaria.training.dataset import CellArrays
from malaria.training.export import to_tflite
from malaria.training.finish import calibration
from malaria.training.mixture import Mixture, mixture
from malaria.training.panels import Panel, figures, panels
from malaria.training.plan import (
    Plan,
    learnable,
    listed,
    made_of,
    of_patients,
    roles_of,
    sources_of,
    without_patient,
)
from malaria.training.platelets import platelets
from malaria.training.recipe import Changes, Recipe
from malaria.training.run import begin, blend, validation_of
from malaria.training.teacher import targets
from malaria.training.variants import Variant

FILE = "model.tflite"
LATER = ("turned", "blur_share", "noise", "marked")
"""Fields of `recipe.Changes` that came after the first studies."""


@dataclass(frozen=True)
class Ablated:
    """figures: by panel. fitted_by: the packages and the machine that fitted, from epoch to epoch. key:
    stands for all that decides the figures: recipe, data, roles, what was measured on."""

    figures: dict[str, Metrics]
    fitted_by: Sequence[Mapping[str, Any]]
    key: str


def ablate(
    plan: Plan,
    variants: Sequence[Variant],
    evaluated: Mapping[str, Path],
    report: Report,
    *,
    before: Mapping[str, Ablated] | None = None,
    only: Collection[str] = (),
) -> dict[str, Ablated]:
    """Train and measure each variant; what is done already, under `plan.run`, is not done again.

    before: what was measured in earlier sittings, by key; it is taken over. only: names of the variants to
    train now; () trains all.

    Returns what came of each variant, by name, as far as it is known. Uses training and validation patients
    and fields only, as roles.json in `plan.out` lists them.

    Raises:
        NotFound: there is no roles.json. BadOptions: a variant leaves out a list that the plan has not, or a
            patient has no role.
    """
    if not (plan.out / "roles.json").exists():
        raise NotFound(f"{plan.out} holds no roles.json. Name the folder of the shipped models with --roles.")
    without_patient(plan, roles_of(plan))
    for variant in variants:
        variant.lists(plan.without)
    _check_names(only, variants)
    study = _Study(plan, variants, evaluated, before or {}, report)
    chosen = [v for v in variants if not only or v.name in only or study.known(v)]
    study.series = Series(sum(not study.known(v) for v in chosen), report)
    return {variant.name: study.of(variant) for variant in chosen}


def _check_names(only: Collection[str], variants: Sequence[Variant]) -> None:
    unknown = set(only) - {variant.name for variant in variants}
    if unknown:
        names = "; ".join(variant.name for variant in variants)
        raise BadOptions(f"The plan has no variant {min(unknown)!r}. It has: {names}.")


def files(variants: Sequence[Variant], folder: Path) -> dict[str, Path]:
    """Each variant's network as a .tflite in `folder`, by name, untrained: weights change neither how large a
    file is nor how long one cell takes."""
    found = {}
    for number, variant in enumerate(variants):
        keras.backend.clear_session()
        network = networks.of_recipe(variant.recipe)
        found[variant.name] = folder / f"{number}.tflite"
        to_tflite(network, variant.recipe.size, 1.0, found[variant.name])
    return found


class _Study:
    def __init__(
        self,
        plan: Plan,
        variants: Sequence[Variant],
        evaluated: Mapping[str, Path],
        before: Mapping[str, Ablated],
        report: Report,
    ) -> None:
        self._plan, self._evaluated, self._before = plan, evaluated, before
        self.series = Series(len(variants), report)
        self._variants = {variant.name: variant for variant in variants}
        self._teachers = {variant.teacher for variant in variants}
        known, met = roles_of(plan), {name: sha256(path) for name, path in evaluated.items()}
        made = {**made_of(plan), "recipe": _told(plan.recipe)}
        ground = json.dumps([made, met, sorted(known.items()), [mixtures.VERSION, grafts.VERSION]])
        self._ground = hashlib.sha256(ground.encode()).hexdigest()
        self._sources = sources_of(plan, known)
        self._panels: dict[int, dict[str, Panel]] = {}
        self._roles = known

    def known(self, variant: Variant) -> bool:
        """Whether it was measured in an earlier sitting. A teacher's figures alone teach nobody."""
        return self._folder(variant).name in self._before and variant.name not in self._teachers

    def of(self, variant: Variant) -> Ablated:
        """What came of a variant, trained now or before.

        What is drawn back is fitted as if it were not, so variants that differ in this alone share a fit.
        """
        folder = self._folder(variant)
        if self.known(variant):
            return self._before[folder.name]
        told, file = folder / "figures.json", folder / FILE if variant.name in self._teachers else None
        if not told.exists() or (file and not file.exists()):
            folder.mkdir(parents=True, exist_ok=True)
            run = self._folder(replace(variant, recipe=replace(variant.recipe, start_share=0.0)))
            found = self._measured(variant, replace(self._plan, recipe=variant.recipe, run=run), file)
            kept = {
                "panels": codec.to_json(found),
                "fitted_by": json.loads((run / fit.FITTED_BY).read_text()),
            }
            whole.write_text(told, json.dumps(kept, indent=1) + "\n")
        self.series.finished()
        kept = json.loads(told.read_text())
        figures = {name: metrics_of(one) for name, one in kept["panels"].items()}
        return Ablated(figures, kept["fitted_by"], folder.name)

    def _folder(self, variant: Variant) -> Path:
        """Where it is trained and kept: named by all that decides its weights."""
        own: list[object] = [variant.without, variant.without_label, variant.backbone]
        fresh = variant.backbone and self._plan.backbone_weights
        if fresh or variant.recipe.momentum != Recipe.momentum:
            own.append({"momentum": variant.recipe.momentum})
        if variant.teacher is not None:
            own.append(self._folder(self._variants[variant.teacher]).name)
        if variant.patients < 1:
            own.append({"patients": variant.patients})
        told = [self._ground, _told(variant.recipe), *own]
        return self._plan.run / hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]

    def _measured(self, variant: Variant, plan: Plan, file: Path | None) -> dict[str, Metrics]:
        keras.backend.clear_session()
        size, report = plan.recipe.size, self.series.report
        keras.utils.set_random_seed(plan.recipe.seed)
        cells = dataset.load(self._sources, size, plan.cache, report)
        fitted = self._fitted(variant, plan, cells)
        tuned = calibration(cells)
        temperature = heads.temperature(networks.logits(fitted, tuned.pixels), tuned.labels)
        if file:
            to_tflite(fitted, size, temperature, file)

        def score(pixels: npt.NDArray[np.uint8]) -> heads.Floats:
            return heads.sigmoid(networks.logits(fitted, pixels) / temperature)

        if size not in self._panels:
            self._panels[size] = panels(cells, self._evaluated, plan.without, report, self._roles)
        return figures(score, self._panels[size])

    def _fitted(self, variant: Variant, plan: Plan, cells: CellArrays) -> keras.Model:
        told, report = plan.recipe, self.series.report
        made = functools.cache(functools.partial(self._mixture, variant, plan, cells))

        def shown(size: int) -> Mixture:
            """Made only where something is left to be learnt."""
            return made()(size)

        own = plan if variant.backbone else replace(plan, backbone_weights=None, start=None)
        checked = validation_of(self._sources, plan.cache, report)
        fitted = fit.fit(begin(own), told, shown, checked, plan.run, self.series.of(variant.name))
        if own.start and told.start_share:
            blend(fitted, begin(own), told.start_share)
        return fitted

    def _mixture(self, variant: Variant, plan: Plan, cells: CellArrays) -> Callable[[int], Mixture]:
        told, report = plan.recipe, self.series.report
        trained = learnable(cells, variant.lists(plan.without), variant.without_label)
        learnt = cells.where(trained & of_patients(cells, variant.patients, told.seed))
        doubted = listed(learnt, plan.without)
        laid = platelets(self._sources, told.size, told.shares.platelets)
        aims = self._taught(variant, learnt)
        return mixture(learnt, told.shares, told.seed, plan.cache, report, aims, doubted, laid)

    def _taught(self, variant: Variant, learnt: CellArrays) -> npt.NDArray[np.float32] | None:
        """What an earlier variant and the labels say together of what is learnt, (n,), where there is one."""
        if variant.teacher is None:
            return None
        teaching = self._variants[variant.teacher]
        file, network, size = self._folder(teaching) / FILE, teaching.recipe.network, teaching.recipe.size
        begun = datetime.fromtimestamp(0, UTC)
        info = ModelVersion(teaching.name, sha256(file), network, size, begun, file.stat().st_size)
        teacher = Model.load(file, info)
        share = variant.recipe.teacher_share
        return targets(learnt, teacher, share, self._plan.cache, self.series.report)


def _told(recipe: Recipe) -> dict[str, Any]:
    """A recipe without what it could not yet say when studies were kept, where it says nothing else: so these
    are known still."""
    told, usual = codec.to_json(recipe), vars(Changes())
    del told["momentum"]  # it counts for pretrained backbones alone: `_folder`
    told["changes"] = {k: v for k, v in told["changes"].items() if k not in LATER or v != usual[k]}
    return dict(told)


def metrics_of(told: Mapping[str, Any]) -> Metrics:
    """Metrics as they were written."""
    known = {name: value for name, value in told.items() if name in Metrics.__dataclass_fields__}
    intervals = {name: (low, high) for name, (low, high) in told["intervals"].items()}
    return Metrics(**{**known, "intervals": intervals})
