"""Two models on the same cells: how much better the challenger answers, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Floats, drawn_auc, drawn_sums
from malaria.domain import CLASSES
from malaria.errors import Damaged
from malaria.metrics import calibration, gaps, roc_auc

SURE = 0.95
"""A label is doubted where the champion gives the other class so much probability or more."""
AUC_DRAWS = 500
"""Most draws for an AUC, each of which walks through all cells."""

Thresholds = tuple[float, float]
"""The operating points of champion and challenger."""


@dataclass(frozen=True)
class GateSet:
    """n gate cells, scored by both models.

    labels: (n,) 0 uninfected, 1 parasitized. patients: (n,) what stays together: patient, else field, else
    cell. champion, challenger: (n,) P(parasitized), 0 to 1. names: (n,) what to call each cell; None:
    nothing. uploads: (n,) the upload that a cell came with, "" for base cells; None: that does not matter.
    Raises Damaged where that is not so.
    """

    labels: npt.NDArray[np.uint8]
    patients: npt.NDArray[np.str_]
    champion: npt.NDArray[np.floating]  # type: ignore[type-arg]
    challenger: npt.NDArray[np.floating]  # type: ignore[type-arg]
    names: npt.NDArray[np.str_] | None = None
    uploads: npt.NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        parts = (self.labels, self.patients, self.champion, self.challenger, self.names, self.uploads)
        sizes = {len(part) for part in parts if part is not None}
        if len(sizes) != 1:
            raise Damaged(f"The parts of a gate set differ in length: {sorted(sizes)}.")
        for name in ("champion", "challenger"):
            scores = getattr(self, name)
            if not np.all((scores >= 0) & (scores <= 1)):  # also refuses NaN
                raise Damaged(f"The {name} answers gate cells with values that are no probabilities.")

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: npt.NDArray[np.bool_]) -> "GateSet":
        """Some of the cells, (n,)."""
        return GateSet(
            self.labels[mask],
            self.patients[mask],
            self.champion[mask],
            self.challenger[mask],
            *(None if part is None else part[mask] for part in (self.names, self.uploads)),
        )

    def by_upload(self) -> dict[str, "GateSet"]:
        """The cells of each upload; none of base cells."""
        if self.uploads is None:
            return {}
        return {str(one): self.where(self.uploads == one) for one in np.unique(self.uploads) if one}

    def cells(self, label: int) -> int:
        """How many cells have a label."""
        return int((self.labels == label).sum())

    def groups(self, *labels: int) -> int:
        """How many patients (fields, cells) have cells of these labels, or of any."""
        return len(np.unique(self.owners[np.isin(self.labels, labels)] if labels else self.owners))

    @cached_property
    def owners(self) -> npt.NDArray[np.intp]:
        """The number of each cell's patient, (n,): names are sorted once, however often they are drawn."""
        return np.unique(self.patients, return_inverse=True)[1].reshape(-1).astype(np.intp)


@dataclass(frozen=True)
class First:
    """The first release, from which the champion descends. version: its name. cells: base gate cells, with
    its answers as those of the champion. threshold: its operating point."""

    version: str
    cells: GateSet
    threshold: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A cell that changed hands. champion, challenger: P(parasitized). gained: only the challenger is right,
    else only the champion."""

    name: str
    patient: str
    label: str
    champion: float
    challenger: float
    gained: bool


@dataclass(frozen=True, slots=True)
class Doubted:
    """A cell that the champion is sure is of the other class. champion: P(parasitized)."""

    name: str
    patient: str
    label: str
    champion: float


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """confidence: of each one-sided bound. draws: resamplings of the patients."""

    confidence: float = 0.95
    draws: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A figure with its one-sided bounds, and over how many patients (fields, cells)."""

    value: float
    low: float
    high: float
    groups: int


class Resampled:
    """Both models on the same cells, patients drawn again and again, in pairs: one set of draws for every
    figure.

    cells: of one class or both. at: the operating points.
    """

    def __init__(self, cells: GateSet, at: Thresholds, how: Bootstrap) -> None:
        self._cells, self._how = cells, how
        columns = _columns(cells, at)
        self._seen = columns.sum(axis=0, keepdims=True)
        self._said = np.column_stack([gaps(cells.labels == 1, p) for p in (cells.champion, cells.challenger)])
        both = np.column_stack([columns, self._said])
        of_patients = drawn_sums(cells.labels, cells.owners, both, how.draws, how.seed)
        self._of_patients, self._said_of = np.split(of_patients, [columns.shape[1]], axis=1)
        self._of_cells = _drawn_alone(columns, how.draws, how.seed + 1)

    def difference(self, labels: tuple[int, ...]) -> Seen:
        """Challenger minus champion in recall, averaged over classes, each of which must be there.

        (1,) is sensitivity, (0,) specificity, (0, 1) balanced accuracy; -1 to 1.
        """
        drawn = [_mean_change(sums, labels) for sums in (self._of_patients, self._of_cells)]
        low, high = _bounds(drawn, self._how)
        return Seen(float(_mean_change(self._seen, labels)[0]), low, high, self._cells.groups(*labels))

    def calibration(self) -> Seen:
        """By how much the challenger's calibration error (ECE) is lower than the champion's: -1 to 1, above 0
        is better. Bounds by resampling patients alone.

        The calibration error and not the Brier score: that one is mostly made of wrong calls, which the rules
        for sensitivity and specificity ask, and where few are wrong no over-sure model can raise it by much.
        ECE is biased where bins are thinly filled (Nixon et al., CVPR workshops 2019), here of both alike.
        """
        (seen,), drawn = (_ece_gain(s) for s in (self._said.sum(axis=0, keepdims=True), self._said_of))
        return Seen(float(seen), *_bounds([drawn], self._how), self._cells.groups())


def gain(cells: GateSet, at: Thresholds, labels: tuple[int, ...]) -> float:
    """The difference in recall alone, without bounds."""
    return float(_mean_change(_columns(cells, at).sum(axis=0, keepdims=True), labels)[0])


def champion_auc(cells: GateSet, how: Bootstrap) -> Seen:
    """Area under the champion's ROC curve, 0 to 1; both classes must be there."""
    scores = cells.champion.astype(np.float64)

    drawn = [
        drawn_auc(cells.labels, groups, scores, min(how.draws, AUC_DRAWS), seed)
        for groups, seed in ((cells.owners, how.seed), (np.arange(len(cells)), how.seed + 1))
    ]
    return Seen(float(roc_auc(cells.labels, scores)), *_bounds(drawn, how), cells.groups())


def changed(cells: GateSet, at: Thresholds) -> dict[str, int]:
    """How many cells changed hands: "gained" (only the challenger is right), "lost" (only the champion)."""
    before, after = _right(cells, cells.champion, at[0]), _right(cells, cells.challenger, at[1])
    return {"cells": len(cells), "gained": int((after & ~before).sum()), "lost": int((before & ~after).sum())}


def moved(cells: GateSet, at: Thresholds, most: int) -> tuple[Moved, ...]:
    """The cells that changed hands, at most so many lost and so many gained, those that moved most first."""
    before, after = _right(cells, cells.champion, at[0]), _right(cells, cells.challenger, at[1])
    away = -np.abs(cells.challenger - cells.champion)
    found = []
    for gained in (False, True):
        rows = np.flatnonzero((after != before) & (after == gained))
        found += [_moved(cells, int(i), gained) for i in rows[np.argsort(away[rows], kind="stable")][:most]]
    return tuple(found)


def _moved(cells: GateSet, i: int, gained: bool) -> Moved:
    return Moved(
        _name(cells, i),
        str(cells.patients[i]),
        CLASSES[cells.labels[i]],
        _short(cells.champion[i]),
        _short(cells.challenger[i]),
        gained,
    )


def doubted(cells: GateSet) -> list[Doubted]:
    """The cells whose label the champion is sure is wrong, the surest first. It may be at fault itself, where
    a stain is unknown to it: these are to be looked at, not left out."""
    other = np.where(cells.labels == 1, 1.0 - cells.champion, cells.champion)
    rows = np.flatnonzero(other >= SURE)
    return [
        Doubted(_name(cells, i), str(cells.patients[i]), CLASSES[cells.labels[i]], _short(cells.champion[i]))
        for i in rows[np.argsort(-other[rows], kind="stable")].tolist()
    ]


def _name(cells: GateSet, i: int) -> str:
    return str(cells.names[i]) if cells.names is not None else ""


def _short(probability: float) -> float:
    return round(float(probability), 4)


def _right(cells: GateSet, scores: npt.NDArray[np.floating], at: float) -> npt.NDArray[np.bool_]:  # type: ignore[type-arg]
    right: npt.NDArray[np.bool_] = (scores >= at) == (cells.labels == 1)
    return right


def _columns(cells: GateSet, at: Thresholds) -> Floats:
    """(n, 4): is uninfected, is parasitized, change in right answers of each class (-1, 0 or 1)."""
    truth = cells.labels == 1
    change = _right(cells, cells.challenger, at[1]).astype(np.float64) - _right(cells, cells.champion, at[0])
    return np.stack([~truth, truth, change * ~truth, change * truth], axis=1, dtype=np.float64)


def _drawn_alone(columns: Floats, draws: int, seed: int) -> Floats:
    """Sums over resampled cells, (draws, 4), the classes apart: as `drawn_sums` of groups of one, but only
    six kinds of cells need to be counted."""
    rng, sums = np.random.default_rng(seed), np.zeros((draws, 4))
    for label in (0, 1):
        change = columns[columns[:, label] == 1, 2 + label]
        if len(change):
            kinds = np.array([np.mean(change == by) for by in (-1, 0, 1)])
            drawn = rng.multinomial(len(change), kinds, size=draws)
            sums[:, label], sums[:, 2 + label] = len(change), drawn[:, 2] - drawn[:, 0]
    return sums


def _ece_gain(sums: Floats) -> Floats:
    """Champion minus challenger in ECE, (m,), of (m, 2 k) sums of the `gaps` of both."""
    before, after = (calibration(half)["ece"] for half in np.split(sums, 2, axis=1))
    return before - after


def _mean_change(sums: Floats, labels: tuple[int, ...]) -> Floats:
    """Change in recall of (m, 4) sums, averaged over classes: (m,)."""
    change: Floats = np.mean([sums[:, 2 + label] / sums[:, label] for label in labels], axis=0)
    return change


def _bounds(drawn: Sequence[Floats], how: Bootstrap) -> tuple[float, float]:
    """One-sided bounds: the wider of resampling patients and resampling cells.

    A handful of patients, resampled, may show less spread than their own cells do.
    """
    between = np.array([np.quantile(d, [1 - how.confidence, how.confidence]) for d in drawn])
    return float(between[:, 0].min()), float(between[:, 1].max())
