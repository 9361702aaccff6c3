"""How often cells are called unfamiliar, of laboratories that were learnt from and of others."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from malaria import crops, roles
from malaria.crops import Cells
from malaria.domain import Role
from malaria.predict import Model
from malaria.preprocess import Pixels
from malaria.report import Table
from malaria.stains import SIMULATED
from malaria.unfamiliar import Appearance, Familiar, Usual, looks

View = Callable[[Image.Image], Image.Image]
OF_PATIENT, OF_FIELD = 60, 5
"""Cells of each patient, and of each field, that are looked at: neighbours in a field are much alike."""
FAR, OFF = 1.0, 3.0
"""Beyond which a distance, and a deviation, are counted."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of one set. far: share of cells whose features are farther than FAR; off: whose looks are off by more
    than OFF. distance, deviation: medians; distance_90, deviation_90: what 10 in 100 exceed."""

    named: str
    cells: int
    far: float
    distance: float
    distance_90: float
    off: float
    deviation: float
    deviation_90: float


def learn(
    parts: Iterable[Path], base: Mapping[str, Role], fields: Mapping[str, Path], size: int
) -> Appearance:
    """Brightness and colour of the train cells: NIH cells of train patients as they come, and raw crops of
    the train fields of other laboratories. base: role of each NIH patient, and of each field."""
    nih = chain(*(crops.of_patients(part, size, _of(base, Role.TRAIN), _as_is) for part in parts))
    others = {named: _fields(path, named, size, base, Role.TRAIN) for named, path in fields.items()}
    return Appearance({named: _usual(cells) for named, cells in {"nih": nih, **others}.items()})


def _usual(cells: Cells) -> Usual:
    found = (looks(pixels) for pixels, _, _ in cells)
    return Usual.of(np.array([one for one in found if one is not None]))


def sets(
    parts: Iterable[Path],
    base: Mapping[str, Role],
    known: Mapping[str, Path],
    strange: Mapping[str, Path],
    size: int,
) -> Iterator[tuple[str, Cells, int]]:
    """Validation cells, as they are and in simulated stains, and cells of fields; each set comes with how
    many cells of one patient or field to look at. Test patients are left alone.

    known: laboratories learnt from, of which the validation fields are shown; strange: all others.
    """
    listed, wanted = list(parts), _of(base, Role.VALIDATION)
    views: dict[str, View] = {"as they are": _as_is, **SIMULATED}
    for named, view in views.items():
        shown = chain(*(crops.of_patients(part, size, wanted, view) for part in listed))
        yield f"NIH validation, {named}", shown, OF_PATIENT
    for named, path in known.items():
        yield f"{named}, validation fields", _fields(path, named, size, base, Role.VALIDATION), OF_FIELD
    for named, path in strange.items():
        yield f"{named}, never learnt from", crops.of_fields(path, named, size), OF_FIELD


def measure(model: Model, familiar: Familiar, named: str, cells: Cells, most: int) -> Shares:
    """most: cells of one patient or field that are looked at."""
    deviations: list[float] = []

    def pixels() -> Iterator[Pixels]:
        taken: Counter[str] = Counter()
        for one, _, group in cells:
            taken[group] += 1
            if taken[group] <= most:
                deviations.append(familiar.deviation(one))
                yield one

    distances = np.array([familiar.distance(scored.embedding) for scored in model.score_many(pixels())])
    off = np.array(deviations)
    return Shares(
        named,
        len(off),
        float(np.mean(distances > FAR)),
        float(np.median(distances)),
        float(np.percentile(distances, 90)),
        float(np.mean(off > OFF)),
        float(np.median(off)),
        float(np.percentile(off, 90)),
    )


def table(found: Iterable[Shares], network: str) -> Table:
    rows = [
        (
            one.named,
            one.cells,
            f"{one.far:.1%}",
            f"{one.distance:.2f}",
            f"{one.distance_90:.2f}",
            f"{one.off:.1%}",
            f"{one.deviation:.2f}",
            f"{one.deviation_90:.2f}",
        )
        for one in found
    ]
    columns = (
        "cells",
        "how many",
        f"distance > {FAR:g}",
        "median",
        "p90",
        f"deviation > {OFF:g}",
        "median of it",
        "p90 of it",
    )
    return Table(f"Unfamiliar cells, {network}", columns, rows)


def _fields(path: Path, named: str, size: int, base: Mapping[str, Role], role: Role) -> Cells:
    for cell in crops.of_fields(path, named, size):
        group = f"{named}/{cell[2]}"
        if base.get(group, roles.field_role(group)) == role:
            yield cell


def _of(base: Mapping[str, Role], role: Role) -> Callable[[str], bool]:
    return lambda patient: base.get(patient) == role


def _as_is(image: Image.Image) -> Image.Image:
    return image
