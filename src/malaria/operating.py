"""A model's operating point, and which of its answers a person should look at: chosen on validation patients.

Threshold: one half of a calibrated probability, where both errors weigh alike, unless validation patients
speak against it. They do where one half lies outside of the middle nine tenths of the thresholds that are
best, by the mean of sensitivity and specificity, for resampled patients; then it is the nearest of these, so
no further from one half than they insist: other patients, and other stains, may differ the other way.

Review band: cells whose logit is near the threshold's. On validation patients no more than `MOST_SENT` of the
cells may be sent to a person, those among them that the picture itself sends (what may be no good cell, what
has no colour), and no more than `MOST_WRONG` of the others be wrong. Of the bands that do both it is the
middle one, so that other patients may differ either way. Where none does, it is as wide as the first allows,
and what it leaves wrong is told (El-Yaniv and Wiener, JMLR 2010: selective classification).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from malaria import bootstrap
from malaria.domain import ModelVersion, Review, Role
from malaria.head import Head
from malaria.memory import BASE, Memory

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]  # type: ignore[type-arg]
Groups = npt.NDArray[np.str_]
Screened = npt.NDArray[np.bool_] | float | None
"""Which of n cells, (n,), the picture alone sends to a person or keeps from an answer; or what share.
None: that is not known, and not counted."""

MOST_SENT, MOST_WRONG = 0.10, 0.015
"""Shares of cells: sent to a person, and wrong among the others."""
RULE = (
    "Chosen on validation patients. The threshold is one half, unless that lies outside of the middle nine "
    "tenths of the thresholds that are best for resampled patients; then it is the nearest of these. The "
    f"review band is the middle one of those that send at most {MOST_SENT:.0%} of the cells to a person and "
    f"leave at most {MOST_WRONG:.1%} wrong among the others."
)
"""For a person, with the model card."""
INCLUDED = "What the picture itself sends, or keeps from an answer, counts among what is sent."
"""For a person, of a band that was chosen so."""
HALF = 0.5
_TRIED = np.arange(5, 96) / 100
_SURE = 1e-7
"""Nearer to 0 or 1 no probability is told apart from them."""


class Operating(NamedTuple):
    """threshold: P(parasitized) from which a cell is called so. review: what a person should look at."""

    threshold: float
    review: Review


def choose(
    labels: Labels, probabilities: Floats, groups: Groups, at: float | None = None, screened: Screened = None
) -> Operating:
    """Threshold and review band of a model that answered n cells of validation patients so: all arrays (n,).

    at: the threshold, where it is given. Raises ValueError where there are no cells.
    """
    chosen = threshold(labels, probabilities, groups) if at is None else at
    return Operating(chosen, review(labels, probabilities, chosen, screened))


def of_memory(memory: Memory, head: Head, at: float | None = None, screened: Screened = None) -> Operating:
    """Where a head operates, by the NIH validation patients that a memory holds, else, where these lack a
    class, by all its validation cells. at: the threshold, where it is given. screened: of all cells of the
    memory. Raises as `choose` does."""
    held = validating(memory.labels, memory.roles, memory.origins)
    cells = memory.where(held)
    kept = screened[held] if isinstance(screened, np.ndarray) else screened
    return choose(cells.labels, head.probabilities(cells.embeddings), cells.patients, at, kept)


def validating(labels: Labels, roles: Groups, origins: Groups) -> npt.NDArray[np.bool_]:
    """The cells on which a model is calibrated and its operating point chosen, (n,): of NIH validation
    patients, else, where these lack a class, of all validation patients. All (n,)."""
    held = np.asarray(roles == Role.VALIDATION.value)
    ours = np.asarray(held & (origins == BASE))
    return ours if len(np.unique(labels[ours])) == 2 else held


def inherited(info: ModelVersion) -> float | None:
    """The share that pictures alone send with a version, and so with what is made of it and judges pictures
    by the same screen; None where that is not known."""
    return info.review.screened if info.review else None


def threshold(
    labels: Labels, probabilities: Floats, groups: Groups, *, draws: int = 500, seed: int = 0
) -> float:
    """The operating point of a model, P(parasitized), that answered n cells so: all arrays (n,).

    groups: patients, else fields. One half where a class is missing.
    """
    if len(np.unique(labels)) < 2:
        return HALF
    called = probabilities[:, np.newaxis] >= _TRIED
    sick = (labels == 1)[:, np.newaxis]
    columns = np.concatenate([called & sick, ~called & ~sick, sick, ~sick], axis=1).astype(np.float64)
    sums = bootstrap.drawn_sums(labels, groups, columns, draws, seed)
    k = len(_TRIED)
    balanced = sums[:, :k] / sums[:, 2 * k, None] + sums[:, k : 2 * k] / sums[:, 2 * k + 1, None]
    best = [np.median(_TRIED[row >= row.max() - 1e-9]) for row in balanced]
    low, high = np.quantile(best, [0.05, 0.95])
    return round(float(np.clip(HALF, low, high)), 2)


def review(labels: Labels, probabilities: Floats, at: float, screened: Screened = None) -> Review:
    """The review band of a model with the threshold `at` that answered n cells so: both arrays (n,).

    Raises ValueError where there are no cells.
    """
    if not len(labels):
        raise ValueError("a review band is chosen on cells, and there are none")
    gone = 0.0 if screened is None else float(np.mean(screened))
    counted = None if screened is None else gone
    if isinstance(screened, np.ndarray):
        labels, probabilities = labels[~screened], probabilities[~screened]
    if not len(labels) or gone >= 1:
        return Review(round(at, 6), round(at, 6), gone, 0.0, counted)
    away = np.abs(logit(probabilities) - logit(at))
    order = np.argsort(away, kind="stable")
    wrong = ((probabilities >= at) != (labels == 1))[order]
    count, away = len(order), away[order]
    most = int(count * max(MOST_SENT - gone, 0.0) / (1 - gone))
    left = wrong[::-1].cumsum()[::-1] / np.arange(count, 0, -1)  # share wrong where the first i are sent
    enough = np.flatnonzero(left[: most + 1] <= MOST_WRONG)
    sent = (int(enough[0]) + most) // 2 if len(enough) else most
    reach = float(away[sent])
    inside = away < reach
    return Review(
        low=_probability(float(logit(at)) - reach),
        high=_probability(float(logit(at)) + reach),
        sent=gone + (1 - gone) * float(inside.mean()),
        wrong=float(wrong[~inside].mean()),
        screened=counted,
    )


def left_by(
    band: Review,
    labels: Labels,
    probabilities: npt.NDArray[np.floating],  # type: ignore[type-arg]
    at: float,
) -> tuple[float, float | None]:
    """Of n cells, all arrays (n,), the share that a band sends to a person, and the share of wrong answers
    among the others; None where there are none."""
    inside = (probabilities > band.low) & (probabilities < band.high)
    wrong = ((probabilities >= at) != (labels == 1))[~inside]
    return float(inside.mean()), float(wrong.mean()) if len(wrong) else None


def moved(band: Review, of: float, to: float) -> tuple[float, float]:
    """The band's bounds about another threshold than that of its model, equally wide in logits."""
    shift = float(logit(to) - logit(of))
    return tuple(_probability(float(logit(bound)) + shift) for bound in (band.low, band.high))  # type: ignore[return-value]


def logit(p: float | Floats) -> Floats:
    """log(p / (1 - p)), finite for every p from 0 to 1."""
    inside = np.clip(p, _SURE, 1 - _SURE)
    return np.asarray(np.log(inside) - np.log1p(-inside), np.float64)


def _probability(of: float) -> float:
    return round(float(1 / (1 + np.exp(-of))), 6)
