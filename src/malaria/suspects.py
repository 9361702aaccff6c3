"""Lists of cells whose label is doubted: a CSV with the columns original_label, cell and patient, any order.

`original_label` is a class, Parasitized or Uninfected; `cell` a picture's name, with or without its suffix.
Further columns are ignored, so the list that an audit writes is one too.
"""

import csv
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from malaria.cells import SUFFIXES
from malaria.domain import CLASSES, Label
from malaria.errors import BadInput

Key = tuple[Label, str]
"""A cell by its label and its name without suffix."""


def key(label: int, name: str) -> Key:
    """The name by which a list knows a cell."""
    return Label(label), bare(name)


def bare(name: str) -> str:
    """A picture's name without folders and without its suffix."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def read(path: Path) -> frozenset[Key]:
    """The cells that a list names. Raises BadInput, naming the line and how to mend it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The list of cells {path} cannot be read ({error}).") from None
    table = csv.DictReader(lines)
    if not {"original_label", "cell"} <= set(table.fieldnames or ()):
        raise BadInput(f"{path.name}: the first line must name the columns original_label,cell,patient.")
    found = set()
    for row in table:
        label, cell = (row["original_label"] or "").strip(), (row["cell"] or "").strip()
        if label not in CLASSES or not cell:
            raise BadInput(
                f"{path.name}, line {table.line_num}: name a class, {' or '.join(CLASSES)}, and a cell."
            )
        found.add(key(CLASSES.index(label), cell))
    return frozenset(found)


def listed(
    labels: npt.NDArray[np.integer],  # type: ignore[type-arg]
    names: Iterable[str],
    known: frozenset[Key],
) -> npt.NDArray[np.bool_]:
    """Which of n cells a list names, (n,)."""
    return np.array([key(int(y), name) in known for y, name in zip(labels, names, strict=True)], np.bool_)
