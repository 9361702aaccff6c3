"""A smaller file of a model beside the one it was made from, on the same cells; and whether it may be served.

Both are asked of validation patients, from whom neither has learnt. A smaller file answers a little
otherwise; the bound says how much of that may pass without anybody being asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from malaria.bootstrap import Groups, Labels
from malaria.evaluation import Rate
from malaria.head import Floats, Reals
from malaria.metrics import Metrics, metrics
from malaria.paired import Drop, drops
from malaria.shares import share

CHANGED = 0.01
"""Most of the labels that may change. The gate lets a retrained model lose a point of sensitivity or of
specificity on base patients; a smaller file of the same model should not cost more than that."""
AUC_LOSS = 0.002
"""Most that the AUC may fall: less than the half of its own interval on the NIH validation patients."""
PATIENTS = "validation"
"""The set of the NIH validation patients, on which the upper ends of the intervals count. Those of other
laboratories hold one class and a few hundred cells, too few for that: there the share itself counts."""


@dataclass(frozen=True, slots=True)
class Answered:
    """n cells as a file answers them. probabilities: (n,) P(parasitized). embeddings: (n, width)."""

    probabilities: Floats
    embeddings: Reals


@dataclass(frozen=True, slots=True)
class Parity:
    """largest, mean: difference in P(parasitized). changed: share of labels that are others at the threshold.
    drops: what is lost of accuracy, sensitivity, specificity and AUC, in points, None where the cells cannot
    say. embedding: mean difference of the embedding's channels, as a share of their mean. before, after:
    figures of both files."""

    largest: float
    mean: float
    changed: Rate
    drops: Mapping[str, Drop | None]
    embedding: float
    before: Metrics
    after: Metrics


def compare(
    labels: Labels,
    groups: Groups,
    before: Answered,
    after: Answered,
    threshold: float,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Parity:
    """How `after` differs from `before` on n cells. labels: (n,) 0, 1. groups: (n,) patients, else fields."""
    left, right = before.probabilities, after.probabilities
    apart = np.abs(right - left)
    moved = (left >= threshold) != (right >= threshold)
    # Where no label changed, cells say how many may have: whether one lies near to the threshold is its own
    # affair, while fifteen patients without a change would leave room for one in five.
    alike = groups if moved.any() else np.arange(len(moved)).astype(np.str_)
    return Parity(
        largest=float(apart.max()),
        mean=float(apart.mean()),
        changed=share(moved, alike, draws, seed),
        drops=drops(labels, groups, left, right, threshold, draws=draws, seed=seed),
        embedding=float(np.abs(after.embeddings - before.embeddings).mean() / before.embeddings.mean()),
        before=metrics(labels, left, groups, threshold, bootstrap=draws, seed=seed),
        after=metrics(labels, right, groups, threshold, bootstrap=draws, seed=seed),
    )


def refusal(found: Mapping[str, Parity]) -> str:
    """Why a file must not be served, by its parity on each set of validation cells; "" where it may be.

    At most CHANGED of the labels of each set may change, and the AUC on PATIENTS may fall by AUC_LOSS; on
    these the upper ends of the intervals must hold it too.
    """
    reasons = []
    for name, seen in found.items():
        between = seen.changed.interval if name == PATIENTS else None
        if max(seen.changed.value, *(between or (0.0,))) > CHANGED:
            told = _told(100 * seen.changed.value, between and 100 * between[1], "%")
            reasons.append(f"{told} of the labels change on {name} cells, where {CHANGED:.0%} may")
    auc = found[PATIENTS].drops["auc"]
    if auc is not None and auc.interval[1] > 100 * AUC_LOSS:
        told = _told(auc.points, auc.interval[1], " points")
        reasons.append(f"the AUC falls by {told} on {PATIENTS} cells, where {100 * AUC_LOSS:.1f} may be lost")
    return "; ".join(reasons)


def _told(value: float, most: float | None, unit: str) -> str:
    return f"{value:.2f}{unit}" + (f" (as much as {most:.2f}{unit})" if most is not None else "")
