"""Intervals by resampling patients, not cells, since cells of one patient resemble each other.

Groups are drawn with replacement among those that hold the same classes (both, only parasitized, only
uninfected cells), so every draw holds every class that the data hold. Groups with equal counts are drawn
together, which makes 22,000 cells as cheap as 160 patients.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from malaria import ranking

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]  # type: ignore[type-arg]
Groups = npt.NDArray[np.str_] | npt.NDArray[np.intp]
"""Names, or numbers, which are quicker to tell apart."""


def group_index(groups: Groups) -> tuple[npt.NDArray[np.intp], int]:
    """The number of each cell's group, (n,), and how many groups there are."""
    names, index = np.unique(groups, return_inverse=True)
    return index.reshape(-1), len(names)


def strata(labels: Labels, index: npt.NDArray[np.intp], groups: int) -> npt.NDArray[np.intp]:
    """Which classes each group holds, (groups,): 1 uninfected, 2 parasitized, 3 both."""
    infected = np.bincount(index, weights=labels == 1, minlength=groups) > 0
    clean = np.bincount(index, weights=labels == 0, minlength=groups) > 0
    return clean.astype(np.intp) + 2 * infected.astype(np.intp)


def drawn_sums(labels: Labels, groups: Groups, columns: Floats, draws: int, seed: int) -> Floats:
    """Sums of each column over resampled groups: (draws, k) of columns (n, k)."""
    index, count = group_index(groups)
    sums = np.stack([np.bincount(index, weights=c, minlength=count) for c in columns.T], axis=1)
    kinds = strata(labels, index, count)
    rng = np.random.default_rng(seed)
    total = np.zeros((draws, columns.shape[1]))
    for kind in np.unique(kinds):
        rows, times = np.unique(sums[kinds == kind], axis=0, return_counts=True)
        total += rng.multinomial(times.sum(), times / times.sum(), size=draws) @ rows
    return total


def drawn_auc(labels: Labels, groups: Groups, scores: Floats, draws: int, seed: int) -> Floats:
    """Areas under the ROC curve over resampled groups, (draws,); both classes must be there."""
    return drawn_rankings(labels, groups, scores, lambda steps: [ranking.area(steps)], draws, seed)[:, 0]


def drawn_rankings(
    labels: Labels,
    groups: Groups,
    scores: Floats,
    figures: Callable[[ranking.Steps], Sequence[float] | Floats],
    draws: int,
    seed: int,
) -> Floats:
    """Figures, k of them, of the ranking by score over resampled groups: (draws, k).

    Both classes must be there. The same labels, groups and seed draw the same groups, whatever the scores.
    """
    index, count = group_index(groups)
    kinds = strata(labels, index, count)
    rng = np.random.default_rng(seed)
    order = ranking.order(labels, scores)
    members = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    found = []
    for _ in range(draws):
        times = np.zeros(count)
        for alike in members:
            times += np.bincount(rng.choice(alike, size=len(alike)), minlength=count)
        found.append(figures(order.steps(times[index])))
    return np.asarray(found, dtype=np.float64)
