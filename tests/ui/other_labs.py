"""Cells of other laboratories: microscope fields cut up, and base cells as another stain would show them."""

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from malaria import cells, fields, stains
from malaria.domain import Label


@dataclass(frozen=True)
class Lab:
    """Unlabelled cells by the path under which they lie in a folder, and what each is."""

    cells: dict[str, bytes]
    truth: dict[str, Label]

    def write(self, folder: Path) -> Path:
        """The folder, as somebody would choose it."""
        for name, data in self.cells.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return folder

    def key(self, name: str) -> str:
        """What somebody who knows would press."""
        return "p" if self.truth[name] == Label.PARASITIZED else "u"


def bbbc041(source: Path, most: int) -> Lab:
    """Cells of BBBC041, a folder for each field: all that are infected, others to fill up."""
    lab = Lab({}, {})
    for clean in (False, True):
        for field in fields.read(source, fields.BBBC041):
            image, left = field.image(), 5 if clean else len(field.boxes)
            for number, box in enumerate(field.boxes):
                if box.kind.label is None or (box.kind.label == Label.UNINFECTED) != clean:
                    continue
                if left == 0 or len(lab.cells) == most:
                    break
                left -= 1
                name = f"{field.name}/cell-{number}.png"
                lab.cells[name] = _png(fields.crop(image, box))
                lab.truth[name] = box.kind.label
    return lab


def stained(source: Path, patients: int, each: int) -> Lab:
    """Base cells under a grey, dark stain, so many of each class of each patient, whom file names tell."""
    change, taken, lab = stains.SIMULATED["grey and dark"], Counter[tuple[str, Label]](), Lab({}, {})
    met: set[str] = set()
    for cell, data in cells.read(source):
        if cell.patient is None or (cell.patient not in met and len(met) == patients):
            continue
        met.add(cell.patient)
        if taken[cell.patient, cell.label] == each:
            continue
        taken[cell.patient, cell.label] += 1
        lab.cells[cell.name] = _png(change(Image.open(io.BytesIO(data)).convert("RGB")))
        lab.truth[cell.name] = cell.label
    return lab


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
