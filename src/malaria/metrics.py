"""How well probabilities agree with labels, with intervals that respect patients."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Floats, Groups, Labels, drawn_auc, drawn_sums, group_index
from malaria.errors import MissingPart, how_to_add

AUC_DRAWS = 300
"""Draws for the AUC's interval, each of which walks through all cells."""
ECE_BINS = 10
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one model on one set of cells; rates are 0 to 1, None where the cells cannot say.

    patients: groups that were resampled; a cell of an unknown patient is a group of its own unless its
    field is known. threshold: P(parasitized) from which a cell is called parasitized. ece: expected
    calibration error over 10 bins of P(parasitized) of equal width. mcc: -1 to 1. confusion: tp, fp, tn, fn.
    intervals: two-sided 95%, by resampling patients; [low, high] by the name of the figure.
    """

    cells: int
    patients: int
    parasitized: int
    uninfected: int
    accuracy: float | None
    sensitivity: float | None
    specificity: float | None
    precision: float | None
    f1: float | None
    mcc: float | None
    auc: float | None
    brier: float | None
    ece: float | None
    confusion: Mapping[str, int]
    threshold: float
    intervals: Mapping[str, tuple[float, float]]


def metrics(
    labels: Labels,
    probabilities: npt.NDArray[np.floating],  # type: ignore[type-arg]
    patients: Groups,
    threshold: float,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Metrics:
    """Figures of n cells at an operating point.

    labels: (n,) 0 uninfected, 1 parasitized. probabilities: (n,) P(parasitized), 0 to 1. patients: (n,)
    the group that is resampled as one. bootstrap: draws for the intervals; 0 leaves them out.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    truth, called = labels == 1, p >= threshold
    outcomes = np.stack([truth & called, ~truth & called, ~truth & ~called, truth & ~called], axis=1)
    totals = outcomes.sum(axis=0)
    rates = {name: _known(value[0]) for name, value in _rates(totals[np.newaxis]).items()}
    both = bool(truth.any() and not truth.all())
    _, groups = group_index(patients)
    return Metrics(
        cells=len(labels),
        patients=groups,
        parasitized=int(truth.sum()),
        uninfected=int((~truth).sum()),
        **rates,
        auc=roc_auc(truth, p) if both else None,
        brier=float(np.mean((p - truth) ** 2)) if len(p) else None,
        ece=_ece(truth, p) if len(p) else None,
        confusion=dict(zip(("tp", "fp", "tn", "fn"), map(int, totals), strict=True)),
        threshold=threshold,
        intervals=_intervals(labels, p, patients, outcomes, rates, bootstrap, seed) if bootstrap else {},
    )


def _rates(counts: npt.NDArray[np.generic]) -> dict[str, Floats]:
    """Rates of (m, 4) counts tp, fp, tn, fn: (m,) each, NaN where undefined."""
    tp, fp, tn, fn = np.asarray(counts, dtype=np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "accuracy": (tp + tn) / (tp + fp + tn + fn),
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "precision": tp / (tp + fp),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def roc_auc(truth: npt.NDArray[np.generic], p: Floats) -> float:
    """Area under the ROC curve; both classes must be there. Raises MissingPart without scikit-learn."""
    try:
        from sklearn.metrics import roc_auc_score
    except ImportError:
        raise MissingPart(f"Measuring a model needs scikit-learn: {how_to_add('adapt')}.") from None
    return float(roc_auc_score(truth, p))


def _ece(truth: npt.NDArray[np.bool_], p: Floats) -> float:
    place = np.minimum((p * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    gaps = np.bincount(place, weights=p - truth, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(p))


def _intervals(
    labels: Labels,
    p: Floats,
    patients: Groups,
    outcomes: npt.NDArray[np.bool_],
    rates: Mapping[str, float | None],
    draws: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """95% intervals of the figures that are defined in nearly every draw."""
    if not len(p):
        return {}
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    drawn = _rates(drawn_sums(labels, patients, outcomes.astype(np.float64), draws, seed))
    found = {}
    for name, values in drawn.items():
        known = values[~np.isnan(values)]
        if rates[name] is not None and len(known) > LEVEL * draws:
            low, high = np.quantile(known, tails)
            found[name] = (float(low), float(high))
    for name, among in (
        ("accuracy", labels >= 0),
        ("sensitivity", labels == 1),
        ("specificity", labels == 0),
    ):
        if name in found:
            found[name] = _widened(found[name], len(np.unique(patients[among])))
    if 0 < int((labels == 1).sum()) < len(labels):
        areas = drawn_auc(labels, patients, p, min(draws, AUC_DRAWS), seed)
        found["auc"] = (float(np.quantile(areas, tails[0])), float(np.quantile(areas, tails[1])))
    return found


def _widened(interval: tuple[float, float], patients: int) -> tuple[float, float]:
    """An interval of no width, where no (or every) cell was answered rightly, made honest.

    Resampling cannot show an error that did not happen; patients without one still leave room for it.
    """
    low, high = interval
    unseen = ((1 - LEVEL) / 2) ** (1 / patients)  # no error in so many patients, as likely as the tail
    if low == high == 1.0:
        return unseen, 1.0
    if low == high == 0.0:
        return 0.0, 1.0 - unseen
    return interval
