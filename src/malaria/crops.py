"""The labelled red cells of a set, cut out and ready for a network."""

from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from malaria import cells, fields, preprocess
from malaria.domain import Label
from malaria.preprocess import Pixels

Cells = Iterator[tuple[Pixels, Label, str]]
"""Pixels (s, s, 3), label, and what stays together: a field or a patient."""


def of_fields(path: Path, named: str, size: int, wanted: Callable[[str], bool] | None = None) -> Cells:
    """Raw crops of the boxes of red cells. named: a set of `fields.SETS`. wanted: of a field, as "set/field";
    None: of all."""
    for one in fields.read(path, fields.meaning_of(named)):
        if wanted is not None and not wanted(f"{named}/{one.name}"):
            continue
        image = one.image()
        for box in one.boxes:
            if box.kind.label is not None:
                yield preprocess.to_square(fields.crop(image, box), size), box.kind.label, one.name


def of_patients(
    path: Path, size: int, wanted: Callable[[str], bool], view: Callable[[Image.Image], Image.Image]
) -> Cells:
    """Cells in class folders, each as `view` shows it. wanted: of a patient; unknown ones are not."""
    for cell, data in cells.read(path):
        if cell.patient and wanted(cell.patient):
            yield preprocess.to_square(view(preprocess.decode(data)), size), cell.label, cell.patient
