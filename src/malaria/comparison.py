"""Two models on the same cells: how much better the challenger answers, and how sure that is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Floats, Groups, drawn_auc, drawn_sums
from malaria.errors import Damaged
from malaria.metrics import roc_auc

AUC_DRAWS = 500
"""Most draws for an AUC, each of which walks through all cells."""

Thresholds = tuple[float, float]
"""The operating points of champion and challenger."""


@dataclass(frozen=True)
class GateSet:
    """n gate cells, scored by both models.

    labels: (n,) 0 uninfected, 1 parasitized. patients: (n,) what stays together: patient, else field, else
    cell. champion, challenger: (n,) P(parasitized), 0 to 1. Raises Damaged where that is not so.
    """

    labels: npt.NDArray[np.uint8]
    patients: npt.NDArray[np.str_]
    champion: npt.NDArray[np.floating]  # type: ignore[type-arg]
    challenger: npt.NDArray[np.floating]  # type: ignore[type-arg]

    def __post_init__(self) -> None:
        sizes = {len(part) for part in (self.labels, self.patients, self.champion, self.challenger)}
        if len(sizes) != 1:
            raise Damaged(f"The parts of a gate set differ in length: {sorted(sizes)}.")
        for name in ("champion", "challenger"):
            scores = getattr(self, name)
            if not np.all((scores >= 0) & (scores <= 1)):  # also refuses NaN
                raise Damaged(f"The {name} answers gate cells with values that are no probabilities.")

    def __len__(self) -> int:
        return len(self.labels)

    def cells(self, label: int) -> int:
        """How many cells have a label."""
        return int((self.labels == label).sum())

    def groups(self, *labels: int) -> int:
        """How many patients (fields, cells) have cells of these labels, or of any."""
        return len(np.unique(self.patients[np.isin(self.labels, labels)] if labels else self.patients))


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


def difference(cells: GateSet, at: Thresholds, labels: tuple[int, ...], how: Bootstrap) -> Seen:
    """Challenger minus champion in recall, averaged over classes, each of which must be there.

    (1,) is sensitivity, (0,) specificity, (0, 1) balanced accuracy; -1 to 1.
    """
    columns = _columns(cells, at)

    def draw(groups: Groups, seed: int) -> Floats:
        return _mean_change(drawn_sums(cells.labels, groups, columns, how.draws, seed), labels)

    low, high = _bounds(draw, cells, how)
    return Seen(gain(cells, at, labels), low, high, cells.groups(*labels))


def gain(cells: GateSet, at: Thresholds, labels: tuple[int, ...]) -> float:
    """The difference alone, without bounds."""
    return float(_mean_change(_columns(cells, at).sum(axis=0, keepdims=True), labels)[0])


def champion_auc(cells: GateSet, how: Bootstrap) -> Seen:
    """Area under the champion's ROC curve, 0 to 1; both classes must be there."""
    scores = cells.champion.astype(np.float64)

    def draw(groups: Groups, seed: int) -> Floats:
        return drawn_auc(cells.labels, groups, scores, min(how.draws, AUC_DRAWS), seed)

    low, high = _bounds(draw, cells, how)
    return Seen(float(roc_auc(cells.labels, scores)), low, high, cells.groups())


def changed(cells: GateSet, at: Thresholds) -> dict[str, int]:
    """How many cells changed hands: "gained" (only the challenger is right), "lost" (only the champion)."""
    before, after = _right(cells, cells.champion, at[0]), _right(cells, cells.challenger, at[1])
    return {"cells": len(cells), "gained": int((after & ~before).sum()), "lost": int((before & ~after).sum())}


def _right(cells: GateSet, scores: npt.NDArray[np.floating], at: float) -> npt.NDArray[np.bool_]:  # type: ignore[type-arg]
    right: npt.NDArray[np.bool_] = (scores >= at) == (cells.labels == 1)
    return right


def _columns(cells: GateSet, at: Thresholds) -> Floats:
    """(n, 4): is uninfected, is parasitized, change in right answers of each class (-1, 0 or 1)."""
    truth = cells.labels == 1
    change = _right(cells, cells.challenger, at[1]).astype(np.float64) - _right(cells, cells.champion, at[0])
    return np.stack([~truth, truth, change * ~truth, change * truth], axis=1, dtype=np.float64)


def _mean_change(sums: Floats, labels: tuple[int, ...]) -> Floats:
    """Change in recall of (m, 4) sums, averaged over classes: (m,)."""
    change: Floats = np.mean([sums[:, 2 + label] / sums[:, label] for label in labels], axis=0)
    return change


def _bounds(draw: Callable[[Groups, int], Floats], cells: GateSet, how: Bootstrap) -> tuple[float, float]:
    """One-sided bounds: the wider of resampling patients and resampling cells.

    A handful of patients, resampled, may show less spread than their own cells do.
    """
    alone = np.arange(len(cells)).astype(np.str_)
    drawn = [draw(cells.patients, how.seed), draw(alone, how.seed + 1)]
    low = min(float(np.quantile(d, 1 - how.confidence)) for d in drawn)
    return low, max(float(np.quantile(d, how.confidence)) for d in drawn)
