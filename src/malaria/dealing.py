"""A laboratory's cells are dealt into parts, each of which is asked by what has learnt the others."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

SEED = 0


def parts(
    groups: npt.NDArray[np.str_], labels: npt.NDArray[np.uint8], count: int
) -> Iterator[npt.NDArray[np.bool_]]:
    """Masks, (m,), that take each of m cells once, and a class in two or more of them if it has two cells.

    groups: (m,) patient, else field, else cell; these stay whole, but of one that alone holds a class the
    cells are drawn singly, which flatters. labels: (m,) 0 or 1. count: of parts, from 2; fewer come of
    fewer groups.
    """
    owner = _units(groups, labels)
    order = np.random.default_rng(SEED).permutation(int(owner.max()) + 1)
    uninfected, parasitized = (np.isin(order, owner[labels == label]) for label in (0, 1))
    # Dealt in turn: those with parasites only, those with both, those without. So the holders of either class
    # follow on each other, and two of them fall into different parts.
    dealt = order[np.argsort(uninfected.astype(int) - parasitized, kind="stable")]
    place = np.empty(len(order), np.intp)
    place[dealt] = np.arange(len(order)) % count
    for number in range(min(count, len(order))):
        yield place[owner] == number


def _units(groups: npt.NDArray[np.str_], labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """What stays together, (m,): the group of a cell, or itself where a class has one group."""
    owner = np.unique(groups, return_inverse=True)[1].astype(np.intp)
    for label in (0, 1):
        holding = np.unique(owner[labels == label])
        if len(holding) == 1:
            of_it = owner == holding[0]
            owner[of_it] = int(owner.max()) + 1 + np.arange(int(of_it.sum()))
    return np.unique(owner, return_inverse=True)[1].astype(np.intp)
