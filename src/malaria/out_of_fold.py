"""What networks said of cells they had not learnt from: the file from which every figure comes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from malaria import whole
from malaria.errors import BadInput


@dataclass(frozen=True)
class OutOfFold:
    """n cells, each answered by the network of the fold that held it out.

    cells: (n,) names without suffix. patients: (n,). labels: (n,) 0 uninfected, 1 parasitized. folds: (n,)
    from 1. probabilities: (n,) calibrated P(parasitized), 0 to 1.
    """

    cells: npt.NDArray[np.str_]
    patients: npt.NDArray[np.str_]
    labels: npt.NDArray[np.uint8]
    folds: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cells)

    def of(self, rows: npt.NDArray[np.generic]) -> "OutOfFold":
        """Some of the cells: a mask (n,) or row numbers."""
        return OutOfFold(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole.file(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})
            file.flush()
            os.fsync(file.fileno())


def load(path: Path) -> OutOfFold:
    """Read what `save` wrote. Raises BadInput where it is something else."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            columns = {field.name: kept[field.name] for field in fields(OutOfFold)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise BadInput(
            f"{path} holds no out-of-fold answers ({error}). `malaria cross-validate` writes such a file."
        ) from None
    return OutOfFold(**columns)


def together(parts: Sequence[OutOfFold]) -> OutOfFold:
    """The answers of several folds as one, in the order of fold and name."""
    joined = {
        field.name: np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(OutOfFold)
    }
    order = np.lexsort((joined["cells"], joined["folds"]))
    return OutOfFold(**{name: column[order] for name, column in joined.items()})
