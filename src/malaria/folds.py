"""Splits for cross-validation: by patient, with a guard that raises; and one of mixed cells, as a warning.

A split is rows of a table of cells. Each fold holds out other patients, and every patient is held out once.
"""

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from malaria import roles
from malaria.errors import BadInput, MissingPart, how_to_add

Rows = npt.NDArray[np.intp]
Labels = npt.NDArray[np.integer]  # type: ignore[type-arg]
Patients = npt.NDArray[np.str_]

VALIDATION_PARTS = 8
"""One part in so many of the cells not held out is for validation: calibration is fitted on it."""


@dataclass(frozen=True)
class Split:
    """Rows to learn from, to calibrate on, and held out; each (k,), ascending. Together they are all rows."""

    train: Rows
    validation: Rows
    held_out: Rows

    def parts(self) -> dict[str, Rows]:
        return {"train": self.train, "validation": self.validation, "held out": self.held_out}


def by_patient(labels: Labels, patients: Patients, folds: int, seed: int) -> list[Split]:
    """Splits of n cells that keep patients apart, one for each fold; the same for the same arguments.

    labels: (n,) 0 uninfected, 1 parasitized. patients: (n,). Folds hold about as many patients of either
    kind (with and without parasites), and as many cells of each label. The seed matters less than one may
    think: patients are dealt largest first, for balance, and it decides among those that are alike.

    Raises:
        BadInput: too few patients for so many folds. PatientOverlap: never, unless this module is wrong.
    """
    if folds < 2:
        raise BadInput(f"{folds} folds: cross-validation needs at least 2.")
    splits = []
    for rest, held_out in _deal(labels, patients, folds, seed):
        # Of few patients an eighth may be nobody; then a larger part is for validation.
        parts = min(VALIDATION_PARTS, max(2, len(np.unique(patients[rest])) // 2))
        train, validation = _deal(labels[rest], patients[rest], parts, seed)[0]
        split = Split(rest[train], rest[validation], held_out)
        apart(split, patients)
        _both_classes(split, labels, f"{folds} folds: too few patients")
        splits.append(split)
    return splits


def mixed(labels: Labels, folds: int, seed: int) -> Split:
    """One split of the same sizes drawn by CELLS: patients stand on both sides, so its figures flatter.

    Raises:
        BadInput: too few cells.
    """
    rest, held_out = _deal(labels, None, folds, seed)[0]
    train, validation = _deal(labels[rest], None, VALIDATION_PARTS, seed)[0]
    split = Split(rest[train], rest[validation], held_out)
    _both_classes(split, labels, "too few cells")
    return split


def apart(split: Split, patients: Patients) -> None:
    """The hard guard: raise PatientOverlap where a patient stands in two parts of the split."""
    for left, right in combinations(split.parts().values(), 2):
        roles.apart(np.unique(patients[left]).tolist(), np.unique(patients[right]).tolist())


def some(labels: Labels, patients: Patients, count: int, seed: int) -> Patients:
    """`count` of the patients, or all, with and without parasites in the proportion they stand in."""
    names, index = np.unique(patients, return_inverse=True)
    infected = np.bincount(index, weights=labels == 1, minlength=len(names)) > 0
    share = min(count / max(len(names), 1), 1.0)
    rng = np.random.default_rng(seed)
    drawn = [
        rng.permutation(kind)[: round(len(kind) * share)] for kind in (names[infected], names[~infected])
    ]
    return np.sort(np.concatenate(drawn))


def _deal(labels: Labels, patients: Patients | None, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """(rest, part) for each part, balanced by label; with `patients`, kept apart and balanced in kind too."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    except ImportError:
        raise MissingPart(f"Splitting needs scikit-learn: {how_to_add('adapt')}.") from None
    dealer = StratifiedKFold if patients is None else StratifiedGroupKFold
    kinds = labels if patients is None else _kinds(labels, patients)
    apart = len(labels) if patients is None else len(np.unique(patients))
    if apart < parts or np.bincount(kinds).max() < parts:
        what = "cells" if patients is None else "patients"
        raise BadInput(f"{apart} {what} are too few for {parts} parts. Bring more, or ask for fewer folds.")
    # It warns where a rare kind does not reach every part; that both classes do is checked elsewhere.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(dealer(parts, shuffle=True, random_state=seed).split(kinds, kinds, patients))


def _kinds(labels: Labels, patients: Patients) -> Rows:
    """2 parasitized; uninfected, 1 of a patient with parasites, 0 of one without. Cells balanced in these
    three are balanced in patients of either kind as well.
    """
    infected = np.isin(patients, np.unique(patients[labels == 1]))
    return np.where(labels == 1, 2, infected.astype(np.intp))


def _both_classes(split: Split, labels: Labels, why: str) -> None:
    for name, rows in split.parts().items():
        if len(np.unique(labels[rows])) < 2:
            raise BadInput(
                f"{why}: the part {name} holds not both classes. Bring more, or ask for fewer folds."
            )
