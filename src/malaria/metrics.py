"""How well probabilities agree with labels, with intervals that respect patients."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from malaria import ranking
from malaria.bootstrap import Floats, Groups, Labels, drawn_rankings, drawn_sums, group_index, strata
from malaria.errors import MissingPart, how_to_add

RANKING_DRAWS = 300
"""Draws for the intervals of a ranking, each of which walks through all cells."""
ECE_BINS = 10
LEVEL = 0.95
SPREAD_CELLS = 10
"""Fewest cells of a class from which a patient's own rate says something."""
FEWEST = 5
"""Fewest cells of each class from which resampling says how far a ranking may be off."""
TOLERANCE = 1e-12
"""Differences up to this are rounding."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A rate by patient: the median and the worst of the patients with at least SPREAD_CELLS cells."""

    patients: int
    median: float
    worst: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one model on one set of cells; rates are 0 to 1, None where the cells cannot say.

    patients: groups that were resampled; a cell of an unknown patient is a group of its own unless its
    field is known. threshold: P(parasitized) from which a cell is called parasitized. ece: expected
    calibration error over 10 bins of P(parasitized) of equal width. mcc: -1 to 1. confusion: tp, fp, tn, fn.
    intervals: two-sided 95%, by resampling patients; [low, high] by the name of the figure; none where the
    cells cannot say how far it may be off. pr_auc: average precision. sensitivity_at_specificity_98: the
    highest of any threshold with that specificity, and specificity_at_sensitivity_90 likewise. spread:
    "sensitivity" and "false_positive_rate" by patient.
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
    pr_auc: float | None = None
    sensitivity_at_specificity_98: float | None = None
    specificity_at_sensitivity_90: float | None = None
    spread: Mapping[str, Spread] = field(default_factory=dict)


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
    outcomes = _outcomes(truth, called)
    values = _values(truth, p, outcomes) | dict.fromkeys(ranking.FIGURES)
    if truth.any() and not truth.all():
        values |= _ranked(truth, p)
    _, groups = group_index(patients)
    intervals = _intervals(labels, p, patients, outcomes, values, bootstrap, seed) if bootstrap else {}
    return Metrics(
        cells=len(labels),
        patients=groups,
        parasitized=int(truth.sum()),
        uninfected=int((~truth).sum()),
        **values,
        confusion=dict(zip(("tp", "fp", "tn", "fn"), map(int, outcomes.sum(axis=0)), strict=True)),
        threshold=threshold,
        intervals=intervals,
        spread=_spread(truth, called, patients),
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of answers that need no ranking, by name: see Metrics, whose rules for None and intervals
    hold."""

    values: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]


def agreement(
    labels: Labels,
    probabilities: npt.NDArray[np.floating],  # type: ignore[type-arg]
    called: npt.NDArray[np.bool_],
    patients: Groups,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Agreement:
    """As `metrics`, for n cells that were not all called at one threshold; needs no scikit-learn.

    called: (n,) whether each was called parasitized.
    """
    p, truth = np.asarray(probabilities, dtype=np.float64), labels == 1
    outcomes = _outcomes(truth, called)
    values = _values(truth, p, outcomes)
    intervals = _intervals(labels, p, patients, outcomes, values, bootstrap, seed) if bootstrap else {}
    return Agreement(values, intervals)


def _outcomes(truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n, 4): whether each cell is a tp, fp, tn, fn."""
    return np.stack([truth & called, ~truth & called, ~truth & ~called, truth & ~called], axis=1)


def _values(
    truth: npt.NDArray[np.bool_], p: Floats, outcomes: npt.NDArray[np.bool_]
) -> dict[str, float | None]:
    """Rates and calibration of all cells; None where they cannot say."""
    totals = outcomes.sum(axis=0)[np.newaxis]
    values = {name: _known(value[0]) for name, value in _rates(totals).items()}
    if not len(p):
        return values | dict.fromkeys(("brier", "ece"))
    sums = gaps(truth, p).sum(axis=0)[np.newaxis]
    return values | {name: float(value[0]) for name, value in calibration(sums).items()}


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


def _ranked(truth: npt.NDArray[np.bool_], p: Floats) -> dict[str, float]:
    values = _all_ranked(ranking.order(truth, p).steps(np.ones(len(p))))
    return dict(zip(ranking.FIGURES, values, strict=True)) | {"auc": roc_auc(truth, p)}


def _all_ranked(steps: ranking.Steps) -> list[float]:
    return [figure(steps) for figure in ranking.FIGURES.values()]


def gaps(truth: npt.NDArray[np.bool_], p: Floats) -> Floats:
    """(n, 2 + bins): one, squared error, and the signed error in the column of the cell's bin."""
    place = np.minimum((p * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    columns = np.zeros((len(p), 2 + ECE_BINS))
    columns[:, 0], columns[:, 1] = 1.0, (p - truth) ** 2
    columns[np.arange(len(p)), 2 + place] = p - truth
    return columns


def calibration(sums: Floats) -> dict[str, Floats]:
    """Figures of (m, 2 + bins) sums of `gaps`: (m,) each."""
    return {"brier": sums[:, 1] / sums[:, 0], "ece": np.abs(sums[:, 2:]).sum(axis=1) / sums[:, 0]}


def _spread(
    truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], patients: Groups
) -> dict[str, Spread]:
    """Sensitivity and false-positive rate by patient, where enough patients have enough cells."""
    index, count = group_index(patients)
    found = {}
    for name, among in (("sensitivity", truth), ("false_positive_rate", ~truth)):
        cells = np.bincount(index[among], minlength=count)
        rates = np.bincount(index[among & called], minlength=count)[cells >= SPREAD_CELLS]
        rates = rates / cells[cells >= SPREAD_CELLS]
        if len(rates):
            worst = rates.min() if name == "sensitivity" else rates.max()
            found[name] = Spread(len(rates), float(np.median(rates)), float(worst))
    return found


def _intervals(
    labels: Labels,
    p: Floats,
    patients: Groups,
    outcomes: npt.NDArray[np.bool_],
    values: Mapping[str, float | None],
    draws: int,
    seed: int,
) -> dict[str, tuple[float, float]]:
    """95% intervals of the figures that are defined in nearly every draw, and for which there is more to
    draw than one patient."""
    if not len(p):
        return {}
    index, count = group_index(patients)
    alone = np.bincount(strata(labels, index, count)).max() < 2
    drawn = _rates(drawn_sums(labels, patients, outcomes.astype(np.float64), draws, seed))
    drawn |= calibration(drawn_sums(labels, patients, gaps(labels == 1, p), draws, seed))
    fewer = min(np.count_nonzero(labels == 1), np.count_nonzero(labels == 0))
    if "auc" in values and fewer >= FEWEST:
        few = min(draws, RANKING_DRAWS)
        ranked = drawn_rankings(labels, patients, p, _all_ranked, few, seed)
        drawn |= dict(zip(ranking.FIGURES, ranked.T, strict=True))
    found = {}
    for name, those in drawn.items():
        known = those[~np.isnan(those)]
        if values[name] is not None and len(known) > LEVEL * len(those):
            low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            end = _end(low, high)
            if end is None and not alone:
                found[name] = (float(low), float(high))
            elif end is not None and name in SHARES:
                of = outcomes[:, SHARES[name]].any(axis=1)
                found[name] = _widened(end, len(np.unique(patients[of])))
    return found


SHARES = {
    "accuracy": [0, 1, 2, 3],
    "sensitivity": [0, 3],
    "specificity": [1, 2],
    "precision": [0, 1],
    "sensitivity_at_specificity_98": [0, 3],
    "specificity_at_sensitivity_90": [1, 2],
}
"""Figures that are shares of cells, and the outcomes (tp, fp, tn, fn) of which they are."""


def _end(low: float, high: float) -> float | None:
    """The end of the scale at which an interval of no width stands, if it does."""
    ends = (end for end in (-1.0, 0.0, 1.0) if max(abs(low - end), abs(high - end)) < TOLERANCE)
    return next(ends, None)


def _widened(end: float, patients: int) -> tuple[float, float]:
    """The interval of a share that is 0 or 1 in every draw.

    Resampling cannot show an error that did not happen; patients without one still leave room for it.
    """
    unseen = ((1 - LEVEL) / 2) ** (1 / patients)  # no error in so many patients, as likely as the tail
    return (unseen, 1.0) if end == 1.0 else (0.0, 1.0 - unseen)
