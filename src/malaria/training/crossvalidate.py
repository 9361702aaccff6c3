"""Train once for each fold and keep what each network says of the patients it has not seen.

Held-out cells are scored with the Keras network and its temperature, not through an exported file, which
would cost minutes for each fold and answers the same within `finish.PARITY`.
"""

import functools
import gc
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from malaria import cells, codec, folds, head, out_of_fold, roles, suspects
from malaria.digests import sha256
from malaria.domain import Label, Role
from malaria.errors import BadInput, Damaged
from malaria.memory import BASE
from malaria.out_of_fold import OutOfFold
from malaria.ports import Report
from malaria.progress import Series
from malaria.training import dataset, fit, networks
from malaria.training.dataset import CellArrays, Layout, Source
from malaria.training.laboratories import Laboratory
from malaria.training.mixture import mixture
from malaria.training.plan import hold_to, learnable, listed
from malaria.training.platelets import platelets
from malaria.training.recipe import Recipe

MIXED = 0
"""The fold number of the mixed-cells split."""
MADE = "made"
"""The folder, in a fold's run, of cells that are made of its training cells."""


@dataclass(frozen=True)
class Plan:
    """What `cross-validate` is asked for.

    roles: of known patients and fields; cells of gate and test patients are left out. seed: of the splits.
    laboratories: fields of other laboratories, by the name of their set: every fold learns from those whose
    role is train, none is held out. without: lists of cells that are not learnt from, but held out like all;
    without_label: only those with this label.
    limit: about so many patients are used, for a try; None: all. leaky: whether the mixed-cells split is
    trained too. run: folder of checkpoints and of what finished folds said.
    """

    data: Sequence[Path]
    roles: Mapping[str, Role]
    folds: int
    seed: int
    recipe: Recipe
    backbone_weights: Path | None
    run: Path
    cache: Path
    laboratories: Mapping[str, Path] = field(default_factory=dict)
    without: Sequence[Path] = ()
    without_label: Label | None = None
    limit: int | None = None
    leaky: bool = True

    def files(self) -> dict[str, str]:
        """The SHA-256 of every file or folder that is read, by its name."""
        paths = [*self.data, *self.laboratories.values(), *self.without]
        paths += [self.backbone_weights] if self.backbone_weights else []
        return {path.name: sha256(path) for path in paths}


@dataclass(frozen=True)
class CrossValidated:
    """kept_apart: every cell, held out once with its patient. mixed: the held-out cells of the one split that
    mixes patients, or None. left_out: cells by the reason they were not used. files: SHA-256 by name.
    packages: versions by name.
    """

    kept_apart: OutOfFold
    mixed: OutOfFold | None
    left_out: Mapping[str, int]
    files: Mapping[str, str]
    packages: Mapping[str, str]


@dataclass(frozen=True)
class _Table:
    """The cells that take part, (n,) each, in the order in which the sources give them."""

    names: npt.NDArray[np.str_]
    patients: npt.NDArray[np.str_]
    labels: npt.NDArray[np.uint8]
    left_out: Mapping[str, int]


def cross_validate(plan: Plan, report: Report) -> CrossValidated:
    """Train on each fold's patients, calibrate on others, score the rest.

    A run that was killed goes on: a fold that is finished is not trained again, one that was begun goes on
    from its last epoch.

    Raises:
        PatientOverlap: a patient stands in two parts of a fold. BadInput: too few patients, or none that
        may be used. Conflict: the run folder belongs to other settings or other data. Whatever `report`
        raises to stop the work.
    """
    table = _table(plan)
    files = plan.files()
    splits = dict(enumerate(folds.by_patient(table.labels, table.patients, plan.folds, plan.seed), 1))
    if plan.leaky:
        splits[MIXED] = folds.mixed(table.labels, plan.folds, plan.seed)
    _same_settings(plan, table, splits, files)
    work = _Work(plan, table, _sources(plan, table), Series(len(splits), report))
    answers = {number: work.answers(number, split) for number, split in splits.items()}
    mixed = answers.pop(MIXED, None)
    kept_apart = out_of_fold.together(list(answers.values()))
    return CrossValidated(kept_apart, mixed, table.left_out, files, _packages())


def _table(plan: Plan) -> _Table:
    """Raises BadInput where no cell may be used."""
    rows, left_out = [], Counter[str]()
    for source in plan.data:
        for cell, _ in cells.read(source):
            role = plan.roles.get(cell.patient) if cell.patient else None
            if cell.patient is None:
                left_out["unknown patient"] += 1
            elif role in roles.LOCKED:
                left_out[f"{role} patient"] += 1
            else:
                rows.append((suspects.bare(cell.name), cell.patient, int(cell.label)))
    if not rows:
        raise BadInput(
            f"None of the cells may be used: {dict(left_out)}. Gate and test patients stay locked."
        )
    names, patients, labels = (np.array(column) for column in zip(*rows, strict=True))
    labels = labels.astype(np.uint8)
    if plan.limit is not None:
        kept = np.isin(patients, folds.some(labels, patients, plan.limit, plan.seed))
        left_out["over the limit of patients"] += int((~kept).sum())
        names, patients, labels = names[kept], patients[kept], labels[kept]
    return _Table(names, patients, labels, dict(left_out))


def _same_settings(
    plan: Plan, table: _Table, splits: Mapping[int, folds.Split], files: Mapping[str, str]
) -> None:
    """A run folder holds folds of one recipe on one set of cells: others would not add up."""
    held_out = [table.names[split.held_out].tolist() for number, split in splits.items() if number != MIXED]
    told = {
        "recipe": codec.to_json(plan.recipe),
        "folds": plan.folds,
        "seed": plan.seed,
        "without_label": plan.without_label,
        "files": files,
        "held_out": hashlib.sha256(json.dumps(held_out).encode()).hexdigest(),
    }
    hold_to(plan.run / "settings.json", told, "folds of other settings or of other data")


def _sources(plan: Plan, table: _Table) -> list[Source]:
    """The table's cells, in its order, then those of other laboratories that are learnt from."""
    used = dict.fromkeys(np.unique(table.patients).tolist(), Role.TRAIN)
    sources: list[Source] = [Layout(path, used) for path in plan.data]
    for name, path in plan.laboratories.items():
        groups = Laboratory(path, name, {}).groups()
        drawn = {group: plan.roles.get(group, roles.field_role(group)) for group in groups}
        sources.append(Laboratory(path, name, {g: role for g, role in drawn.items() if role == Role.TRAIN}))
    return sources


@dataclass(frozen=True)
class _Work:
    plan: Plan
    table: _Table
    sources: Sequence[Source]
    series: Series

    def answers(self, number: int, split: folds.Split) -> OutOfFold:
        """What the network of one fold says of its held-out cells, trained now or before."""
        run = self.plan.run / ("mixed" if number == MIXED else f"fold-{number}")
        name = "mixed cells" if number == MIXED else f"fold {number} of {self.plan.folds}"
        if not (run / "answers.npz").exists():
            if number != MIXED:
                folds.apart(split, self.table.patients)
            OutOfFold(
                self.table.names[split.held_out],
                self.table.patients[split.held_out],
                self.table.labels[split.held_out],
                np.full(len(split.held_out), number, np.uint8),
                head.sigmoid(self._train(split, run, self.series.of(name))),
            ).save(run / "answers.npz")
        shutil.rmtree(run / MADE, ignore_errors=True)  # other folds are made of other cells
        self.series.finished()
        return out_of_fold.load(run / "answers.npz")

    def _train(self, split: folds.Split, run: Path, report: Report) -> head.Floats:
        """Calibrated logits of the held-out cells, (k,)."""
        plan, recipe = self.plan, self.plan.recipe
        everything = self._arrays(recipe.size)
        learnt = everything.where(self._learnt(split, everything))
        doubted = listed(learnt, plan.without)
        laid = platelets(self.sources, recipe.size, recipe.shares.platelets)
        shown = mixture(
            learnt, recipe.shares, recipe.seed, run / MADE, self.series.report, None, doubted, laid
        )
        checked = functools.lru_cache(1)(lambda size: self._arrays(size).where(split.validation))
        keras.utils.set_random_seed(recipe.seed)
        network = networks.of_recipe(recipe, plan.backbone_weights)
        fitted = fit.fit(network, recipe, shown, checked, run, report)
        tuned = checked(recipe.size)
        temperature = head.temperature(networks.logits(fitted, tuned.pixels), tuned.labels)
        logits = networks.logits(fitted, everything.where(split.held_out).pixels) / temperature
        del network, fitted
        keras.utils.clear_session()  # or the graphs of all folds pile up
        gc.collect()
        return logits

    def _learnt(self, split: folds.Split, everything: CellArrays) -> folds.Rows:
        """Rows that are learnt from: the fold's own but for those listed, and other laboratories'.

        Raises BadInput where the lists leave no cell of a class.
        """
        kept = learnable(everything, self.plan.without, self.plan.without_label)
        own = split.train[kept[split.train]]
        if len(np.unique(everything.labels[own])) < 2:
            raise BadInput("The lists of --without leave no cells of a class to learn from.")
        return np.concatenate([own, np.flatnonzero(everything.origins != BASE)])

    def _arrays(self, size: int) -> CellArrays:
        """The decoded cells of the sources. Raises Damaged where the table's do not stand first."""
        loaded = dataset.load(self.sources, size, self.plan.cache, self.series.report)
        n = len(self.table.names)
        same = np.array_equal(loaded.labels[:n], self.table.labels)
        same = same and np.array_equal(loaded.groups[:n], self.table.patients)
        names = [suspects.bare(name) for name in loaded.names[:n].tolist()]
        if not same or names != self.table.names.tolist():
            raise Damaged("The decoded cells are not those of the data. Delete the folder of decoded pixels.")
        return loaded


def _packages() -> dict[str, str]:
    """What else decides the figures: folds are drawn by scikit-learn, weights by the backend."""
    backend = f"{keras.__version__} on {keras.backend.backend()}"
    return {"keras": backend, "numpy": np.__version__, "scikit-learn": version("scikit-learn")}
