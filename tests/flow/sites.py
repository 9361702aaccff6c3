"""Simulated laboratories: real cells of base train patients under another, fixed stain."""

import io
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from malaria import cells, preprocess, roles
from malaria.domain import Cell, Label, Role

Stain = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Site:
    """Cells of a laboratory: name, label, PNG bytes."""

    cells: tuple[tuple[Cell, bytes], ...]

    def zip(self, path: Path, *, flipped: bool = False, only: int | None = None) -> Path:
        """Write an upload; `flipped` swaps the folders, `only` takes that many cells, of both classes."""
        chosen = self.cells if only is None else _both(self.cells, only)
        with zipfile.ZipFile(path, "w") as archive:
            for cell, data in chosen:
                label = Label(1 - cell.label) if flipped else cell.label
                archive.writestr(f"{label.text}/{cell.name}", data)
        return path


def _both(chosen: tuple[tuple[Cell, bytes], ...], count: int) -> tuple[tuple[Cell, bytes], ...]:
    infected = [c for c in chosen if c[0].label == Label.PARASITIZED][: count // 2]
    clear = [c for c in chosen if c[0].label == Label.UNINFECTED][: count - count // 2]
    return (*infected, *clear)


def make_site(part: Path, roles_file: Path, stain: Stain, *, patients: int = 12, per_class: int = 15) -> Site:
    """A site of the first train patients of `part` that have enough cells of both classes."""
    known = roles.load(roles_file)
    by_patient: dict[str, dict[Label, list[tuple[Cell, bytes]]]] = defaultdict(lambda: defaultdict(list))
    for cell, data in cells.read(part):
        if cell.patient and known.get(cell.patient) == Role.TRAIN:
            by_patient[cell.patient][cell.label].append((cell, data))
    enough = [p for p, found in sorted(by_patient.items()) if all(len(found[k]) >= per_class for k in Label)]
    chosen = []
    for patient in enough[:patients]:
        for label in Label:
            for cell, data in by_patient[patient][label][:per_class]:
                name = Path(cell.name).with_suffix(".png").name
                chosen.append((Cell(name, label, patient), _restained(data, stain)))
    return Site(tuple(chosen))


def _restained(data: bytes, stain: Stain) -> bytes:
    out = io.BytesIO()
    stain(preprocess.decode(data)).save(out, "PNG")
    return out.getvalue()
