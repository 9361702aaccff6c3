"""Does the map point at the parasite? Asked of synthetic cells, where every parasite's pixels are known.

The pointing game (Zhang et al., IJCV 126:1084, 2018): a hit is a hottest place that lies on what it should
show. A place is known to half a grid cell, so that far beside a parasite is a hit too. How often a random
place of the cell would hit stands beside it, since a large parasite is hard to miss.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from malaria import explain, segment, synthetic
from malaria.domain import Label, Progress
from malaria.ports import Report
from malaria.predict import Model, Scored
from malaria.preprocess import Pixels, to_square
from malaria.synthetic import SyntheticCell

CELLS = 1000
"""Synthetic cells that are made; every other one is parasitized."""
SEED = 2026
TOLERANCE = 0.5
"""How far beside a parasite the hottest place may lie, in grid cells."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """One parasitized synthetic cell. kind: the parasites' form. called: whether it was called parasitized.

    hit: whether the hottest place lies on a parasite. chance: that of a random place in the cell, 0 to 1.
    right, down: how far it lies from the nearest pixel of a parasite, in grid cells; 0 on it.
    """

    kind: str
    patient: str
    called: bool
    hit: bool
    chance: float
    right: float = 0.0
    down: float = 0.0


def point(model: Model, threshold: float, total: int, report: Report | None = None) -> list[Pointed]:
    """Ask the model about the parasitized ones of so many synthetic cells, always the same ones.

    threshold: P(parasitized) from which a cell is called parasitized.
    """
    waiting: deque[SyntheticCell] = deque()

    def shown() -> Iterator[Pixels]:
        for number, cell in enumerate(synthetic.generate(total, SEED), 1):
            if report is not None and (number % 20 == 0 or number == total):
                told = f"{number} of {total} synthetic cells"
                report(Progress("point", percent=100 * number / total, message=told))
            if cell.label is Label.PARASITIZED:
                waiting.append(cell)
                yield to_square(cell.image, model.info.input_size)

    return [_pointed(waiting.popleft(), scored, threshold) for scored in model.score_many(shown())]


def _pointed(cell: SyntheticCell, scored: Scored, threshold: float) -> Pointed:
    place = explain.hottest(scored.activation, cell.image.size)
    step = max(cell.image.size) / scored.activation.shape[0]
    distance, (rows, columns) = ndimage.distance_transform_edt(~cell.parasites, return_indices=True)
    near = distance <= TOLERANCE * step
    at = place.y, place.x
    return Pointed(
        cell.kind,
        cell.patient,
        called=scored.probability >= threshold,
        hit=bool(near[at]),
        chance=float(near[segment.mask(np.asarray(cell.image))].mean()),
        right=float(place.x - columns[at]) / step,
        down=float(place.y - rows[at]) / step,
    )
