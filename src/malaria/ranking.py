"""Figures of how scores rank cells, whatever the operating point: areas, and one rate at a given other.

Cells may have weights, so that resampled patients need no copies. scikit-learn's functions do the same, but
sort at every call; these sort once for a thousand draws, and are held to it by the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SPECIFICITY, SENSITIVITY = 0.98, 0.90
"""Operating points at which the other rate is told."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Weights of parasitized and of uninfected cells at each distinct score, ascending: (k,) each."""

    parasitized: Floats
    uninfected: Floats


@dataclass(frozen=True, slots=True)
class Order:
    """n cells in the order of their scores; cells of equal score share a step, which begins at `starts`."""

    rows: npt.NDArray[np.intp]
    infected: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.intp]

    def steps(self, weights: Floats) -> Steps:
        """weights: (n,) of each cell, in the cells' own order, not negative."""
        ordered = weights[self.rows]
        return Steps(
            np.add.reduceat(ordered * self.infected, self.starts),
            np.add.reduceat(ordered * ~self.infected, self.starts),
        )


def order(labels: npt.NDArray[np.generic], scores: Floats) -> Order:
    """labels: (n,) 0 uninfected, 1 parasitized. scores: (n,), higher for parasitized; n is at least 1."""
    rows = np.argsort(scores, kind="stable")
    ordered = scores[rows]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return Order(rows, labels[rows] == 1, starts)


def area(steps: Steps) -> float:
    """Area under the ROC curve: the share of (parasitized, uninfected) pairs in order; ties count half."""
    below = np.cumsum(steps.uninfected) - steps.uninfected
    pairs = (steps.parasitized * (below + steps.uninfected / 2)).sum()
    return float(pairs / (steps.parasitized.sum() * steps.uninfected.sum()))


def average_precision(steps: Steps) -> float:
    """Area under the steps of precision over sensitivity: the mean precision over parasitized cells."""
    called_ill, called_clean = np.cumsum(steps.parasitized[::-1]), np.cumsum(steps.uninfected[::-1])
    called = called_ill + called_clean
    precision = np.divide(called_ill, called, out=np.zeros_like(called), where=called > 0)
    return float((precision * steps.parasitized[::-1]).sum() / called_ill[-1])


def sensitivity_at_specificity(steps: Steps, specificity: float = SPECIFICITY) -> float:
    """The highest sensitivity of any threshold whose specificity is at least this."""
    sensitivity, reached = rates(steps)
    return float(sensitivity[reached >= specificity - 1e-12].max())


def specificity_at_sensitivity(steps: Steps, sensitivity: float = SENSITIVITY) -> float:
    """The highest specificity of any threshold whose sensitivity is at least this."""
    reached, specificity = rates(steps)
    return float(specificity[reached >= sensitivity - 1e-12].max())


def rates(steps: Steps) -> tuple[Floats, Floats]:
    """Sensitivity and specificity of each threshold, from 'all' to 'none is parasitized': (k + 1,)."""
    missed = np.r_[0.0, np.cumsum(steps.parasitized)] / steps.parasitized.sum()
    cleared = np.r_[0.0, np.cumsum(steps.uninfected)] / steps.uninfected.sum()
    return 1 - missed, cleared


FIGURES: dict[str, Callable[[Steps], float]] = {
    "auc": area,
    "pr_auc": average_precision,
    "sensitivity_at_specificity_98": sensitivity_at_specificity,
    "specificity_at_sensitivity_90": specificity_at_sensitivity,
}
"""The figures of a ranking, by the name that a Metrics gives them."""
