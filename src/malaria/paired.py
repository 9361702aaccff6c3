"""What one way of showing cells costs against another, in points; patients are resampled in pairs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Floats, Groups, Labels, drawn_auc, drawn_sums
from malaria.metrics import LEVEL, RANKING_DRAWS, roc_auc


@dataclass(frozen=True, slots=True)
class Drop:
    """By how many points (hundredths) a figure falls, with its 95% interval; negative: it rises."""

    points: float
    interval: tuple[float, float]


def drops(
    labels: Labels, groups: Groups, before: Floats, after: Floats, threshold: float, *, draws: int, seed: int
) -> dict[str, Drop | None]:
    """Drops of accuracy, sensitivity, specificity and AUC of n cells; None where the cells cannot say.

    labels: (n,) 0 uninfected, 1 parasitized. groups: (n,) what is resampled as one. before, after: (n,)
    P(parasitized). Both are measured on the same draws.
    """
    ill = labels == 1
    lost = _right(ill, before, threshold) - _right(ill, after, threshold)
    columns = np.stack([ill, ~ill, ill * lost, ~ill * lost], axis=1).astype(np.float64)
    seen = _changes(columns.sum(axis=0, keepdims=True))
    drawn = _changes(drawn_sums(labels, groups, columns, draws, seed))
    found = {name: _drop(float(seen[name][0]), drawn[name]) for name in seen}
    found["auc"] = None
    if ill.any() and not ill.all():
        few = min(draws, RANKING_DRAWS)
        change = drawn_auc(labels, groups, before, few, seed) - drawn_auc(labels, groups, after, few, seed)
        found["auc"] = _drop(roc_auc(ill, before) - roc_auc(ill, after), change)
    return found


def _right(ill: npt.NDArray[np.bool_], p: Floats, threshold: float) -> Floats:
    right: npt.NDArray[np.bool_] = (p >= threshold) == ill
    return right.astype(np.float64)


def _changes(sums: Floats) -> dict[str, Floats]:
    """Of (m, 4) sums: ill, clean, lost among each; (m,) each, NaN where a class is missing."""
    ill, clean, lost_ill, lost_clean = sums.T
    with np.errstate(invalid="ignore"):
        return {
            "accuracy": (lost_ill + lost_clean) / (ill + clean),
            "sensitivity": lost_ill / ill,
            "specificity": lost_clean / clean,
        }


def _drop(seen: float, drawn: Floats) -> Drop | None:
    if np.isnan(seen):
        return None
    low, high = np.quantile(drawn[~np.isnan(drawn)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Drop(100 * seen, (100 * float(low), 100 * float(high)))
