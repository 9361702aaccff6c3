"""Cells are decoded once, and whoever else decodes the same ones at the time does not get in the way."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from malaria import synthetic
from malaria.domain import Progress, Role
from malaria.training import dataset
from malaria.training.dataset import CellArrays, Item


def quiet(progress: Progress) -> None:
    assert progress.percent is None or 0 <= progress.percent <= 100


class Cells:
    """Six cells; `meanwhile` is called once, as they are read for the first time."""

    key = "six cells"

    def __init__(self, cache: Path, meanwhile: bool) -> None:
        self._cache, self._meanwhile = cache, meanwhile
        self.other: CellArrays | None = None

    def read(self) -> Iterator[Item]:
        for i, cell in enumerate(synthetic.generate(6, 3)):
            if self._meanwhile and i == 3:
                self._meanwhile = False
                self.other = dataset.load([Cells(self._cache, False)], 32, self._cache, quiet)
            yield Item(cell.name, cell.label, cell.patient, Role.TRAIN, "base", cell.png())


def test_two_processes_may_decode_the_same_cells_at_once(tmp_path: Path) -> None:
    source = Cells(tmp_path, meanwhile=True)
    own = dataset.load([source], 32, tmp_path, quiet)
    assert source.other is not None
    assert len(own) == len(source.other) == 6
    assert np.array_equal(own.pixels, source.other.pixels)
    assert len(list(tmp_path.iterdir())) == 1, "nothing half done is left"
