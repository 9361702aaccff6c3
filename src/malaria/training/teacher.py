"""Targets from a network that has learnt already: what it says of a cell, averaged over flips and turns.

A label is one person's word on one cell; a teacher's answer also tells how doubtful the cell is, and its mean
over eight views is better than one view (distillation: Hinton et al., 2015; of a network into one like it:
Furlanello et al., ICML 2018). Targets mix both, so that a teacher's mistakes do not stand alone.
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from malaria import whole
from malaria.adapt import turn
from malaria.domain import Progress
from malaria.ports import Report
from malaria.predict import Model
from malaria.training.dataset import CellArrays

VIEWS = 8


def targets(
    cells: CellArrays, teacher: Model, share: float, cache: Path, report: Report
) -> npt.NDArray[np.float32]:
    """(n,) in 0..1: the labels, with a share of the teacher's mean calibrated probability.

    Raises ValueError where the cells are not of the teacher's input size.
    """
    if cells.pixels.shape[1] != teacher.info.input_size:
        raise ValueError(f"cells of {cells.pixels.shape[1]} pixels, a teacher for {teacher.info.input_size}")
    told = hashlib.sha256(teacher.info.digest.encode() + cells.fingerprints.tobytes()).hexdigest()[:16]
    kept = cache / f"taught-{told}.npy"
    if not kept.exists():
        with whole.file(kept) as partial:
            np.save(partial, _answers(cells, teacher, report))
    taught = np.load(kept)
    return np.asarray((1 - share) * cells.labels + share * taught, np.float32)


def _answers(cells: CellArrays, teacher: Model, report: Report) -> npt.NDArray[np.float32]:
    views = (turn(np.asarray(pixels), k) for pixels in cells.pixels for k in range(VIEWS))
    total, said = len(cells) * VIEWS, np.zeros(len(cells) * VIEWS, np.float32)
    for i, scored in enumerate(teacher.score_many(views)):
        said[i] = scored.probability
        if i % 512 == 0:
            report(
                Progress("teach", percent=100.0 * i / total, message=f"{i // VIEWS} of {len(cells)} cells")
            )
    return np.asarray(said.reshape(-1, VIEWS).mean(axis=1), np.float32)
