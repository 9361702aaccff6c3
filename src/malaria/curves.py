"""The curves behind a version's figures, made anew from its feature memory: no image is needed.

A manifest keeps figures, which hide where they come from; these show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import head as heads
from malaria import memory as memories
from malaria import ranking, remembered
from malaria.at_hand import AtHand
from malaria.bootstrap import group_index
from malaria.metrics import ECE_BINS, SPREAD_CELLS

MOST_POINTS = 200
"""Of a ROC curve: more than a screen could show."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """What an operating point would give, 0 to 1. threshold: P(parasitized) from which a cell is called so;
    None where no cell is."""

    threshold: float | None
    sensitivity: float
    false_positive_rate: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells whose P(parasitized) is from `low` to below `high`. said: its mean; seen: the share of them that
    are parasitized."""

    low: float
    high: float
    cells: int
    said: float
    seen: float


@dataclass(frozen=True, slots=True)
class OfPatient:
    """One patient (else field, else cell): how many parasitized cells there are and how many of them were
    found, how many uninfected ones and how many of them were called parasitized. Nobody is named."""

    parasitized: int
    found: int
    uninfected: int
    called: int


@dataclass(frozen=True, slots=True)
class Curves:
    """roc: from no cell called to all, none where a class is missing. reliability: bins that hold cells.
    patients: those with at least SPREAD_CELLS cells of a class, the most cells first."""

    cells: int
    threshold: float
    roc: tuple[Point, ...]
    reliability: tuple[Bin, ...]
    patients: tuple[OfPatient, ...]


def of_version(at_hand: AtHand, version: str) -> Mapping[str, Curves]:
    """The curves of a version on each set of cells that its memory holds, by the set's name.

    Raises UnknownVersion, NotFound where it has no feature memory, and ModelUnusable where it has no head.
    """
    info = at_hand.version(version)
    memory = memories.load(at_hand.read(info, "memory.npz"))
    head = heads.read(at_hand.read(info, "model.tflite"))
    return {
        name: curves(cells.labels, head.probabilities(cells.embeddings), cells.patients, info.threshold)
        for name, cells in remembered.sets(memory).items()
    }


def curves(
    labels: npt.NDArray[np.uint8], p: Floats, patients: npt.NDArray[np.str_], threshold: float
) -> Curves:
    """Of n cells, at least one. labels: (n,) 0 uninfected, 1 parasitized; p: (n,) P(parasitized); patients:
    (n,) the group that each belongs to."""
    truth = labels == 1
    both = truth.any() and not truth.all()
    return Curves(
        len(labels),
        threshold,
        _roc(truth, p) if both else (),
        _reliability(truth, p),
        _by_patient(truth, p >= threshold, patients),
    )


def _roc(truth: npt.NDArray[np.bool_], p: Floats) -> tuple[Point, ...]:
    """Corners of the curve, of which at most MOST_POINTS are kept, evenly; the ends always."""
    ordered = ranking.order(truth, p)
    steps, scores = ordered.steps(np.ones(len(p))), p[ordered.rows][ordered.starts][::-1]
    found = np.r_[0.0, np.cumsum(steps.parasitized[::-1])] / truth.sum()
    called = np.r_[0.0, np.cumsum(steps.uninfected[::-1])] / (~truth).sum()
    up, along = np.diff(found), np.diff(called)
    turns = np.flatnonzero(up[:-1] * along[1:] != along[:-1] * up[1:])
    corners = np.r_[0, turns + 1, len(found) - 1]
    kept = corners[np.unique(np.linspace(0, len(corners) - 1, MOST_POINTS).round().astype(np.intp))]
    return tuple(Point(float(scores[i - 1]) if i else None, float(found[i]), float(called[i])) for i in kept)


def _reliability(truth: npt.NDArray[np.bool_], p: Floats) -> tuple[Bin, ...]:
    """The bins of which the calibration error is made."""
    place = np.minimum((p * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    found = []
    for k in range(ECE_BINS):
        inside = place == k
        if inside.any():
            said, seen = float(p[inside].mean()), float(truth[inside].mean())
            found.append(Bin(k / ECE_BINS, (k + 1) / ECE_BINS, int(inside.sum()), said, seen))
    return tuple(found)


def _by_patient(
    truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], patients: npt.NDArray[np.str_]
) -> tuple[OfPatient, ...]:
    index, count = group_index(patients)

    def counted(rows: npt.NDArray[np.bool_]) -> list[int]:
        return [int(n) for n in np.bincount(index[rows], minlength=count)]

    columns = (counted(truth), counted(truth & called), counted(~truth), counted(~truth & called))
    told = [OfPatient(*numbers) for numbers in zip(*columns, strict=True)]
    enough = [one for one in told if max(one.parasitized, one.uninfected) >= SPREAD_CELLS]
    return tuple(sorted(enough, key=lambda one: one.parasitized + one.uninfected, reverse=True))
