"""Pictures by what they show, to measure what is taken for a cell: cells, and all that is none.

Everything comes from patients and fields that the subject network has not learnt from. Some kinds no training
shows at all: photographs and drawings from folders, gratings, and whatever laboratory is not learnt from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from malaria import cells, fields, no_cells, preprocess, windows
from malaria.corruptions import SUITE
from malaria.domain import Label, Role
from malaria.errors import BadInput, BadLayout
from malaria.scoring import View

CELL = "cell"
EACH = 200
"""Pictures of each kind that is made or drawn, and of cells of each laboratory and role at least."""
BLURS, DISCS = (0.05, 0.10), (0.10, 0.20)
"""Of the side: deviations of a Gaussian, radii of a disc. The corruptions end at a deviation of 0.025, where
a cell is still a cell; that of a disc is half of its radius."""
STOPS = (-3, -2, -1, 1, 2)
PARTS = 6
"""Squares that are cut out of a large photograph."""
WINDOWS = 4
"""Windows of each kind that are cut from a field."""


@dataclass(frozen=True)
class Shown:
    """One picture. kind: what it shows; of a cell it begins with CELL. source: the laboratory or folder that
    it is of. group: what stays together: a patient, a field, else the picture."""

    kind: str
    source: str
    group: str
    image: Image.Image


@dataclass(frozen=True)
class Sources:
    """What is measured on.

    base: ZIPs or folders of cells by patients. laboratories: fields by the name of their set. folders: of
    pictures that show no cell, by what they are called. roles: of patients and fields ("set/field"); where a
    laboratory has none, all of its fields are taken.
    """

    base: Sequence[Path]
    laboratories: Mapping[str, Path]
    folders: Mapping[str, Path]
    roles: Mapping[str, Role]


def of(sources: Sources, seed: int) -> Iterator[Shown]:
    """Every picture, those of a source together."""
    rng = np.random.default_rng((seed, 6))
    for role in (Role.VALIDATION, Role.GATE):
        kept = list(_base(sources, role))
        yield from kept
        if role == Role.VALIDATION:
            yield from _spoilt(kept, seed, rng)
    for name, path in sources.laboratories.items():
        yield from _fields(name, path, sources.roles, rng)
    for name, draw in no_cells.KINDS.items():
        for number in range(EACH):
            yield Shown(name, "drawn", f"{name}:{number}", draw(rng))
    for name, folder in sources.folders.items():
        yield from _folder(name, folder, rng)


def _base(sources: Sources, role: Role) -> Iterator[Shown]:
    for source in sources.base:
        for cell, data in cells.read(source):
            if cell.patient and sources.roles.get(cell.patient) == role:
                yield Shown(_cell(cell.label), f"nih {role}", cell.patient, preprocess.decode(data))


def _cell(label: Label) -> str:
    return f"{CELL}, {label.text.lower()}"


def _spoilt(kept: Sequence[Shown], seed: int, rng: np.random.Generator) -> Iterator[Shown]:
    """Cells that are disturbed and still cells; then cells out of focus and badly exposed."""
    makings: dict[str, View] = {f"{CELL}, {of.kind} {of.setting}": of.view(seed) for of in SUITE}
    for share in BLURS:
        makings[f"blurred by {share:.0%}"] = partial(
            windows.defocused, share=share, disc=False, cut_out=False
        )
    for share in DISCS:
        makings[f"out of focus by {share:.0%}"] = partial(
            windows.defocused, share=share, disc=True, cut_out=True
        )
    for stops in STOPS:
        makings[f"exposed by {stops:+d} stops"] = partial(windows.exposed, stops=stops)
    for kind, making in makings.items():
        for number in rng.permutation(len(kept))[:EACH]:
            one = kept[number]
            yield Shown(kind, one.source, one.group, making(one.image))


def _fields(name: str, path: Path, roles: Mapping[str, Role], rng: np.random.Generator) -> Iterator[Shown]:
    known = any(group.startswith(f"{name}/") for group in roles)
    for field in fields.read(path, fields.meaning_of(name)):
        group = f"{name}/{field.name}"
        if known and roles.get(group) != Role.VALIDATION:
            continue
        image, found = field.image(), windows.Cells(field)

        def shown(kind: str, *images: Image.Image, group: str = group) -> Iterator[Shown]:
            return (Shown(kind, name, group, i) for i in images)

        for box in field.boxes:
            kind = box.kind.name if box.kind.label is None else _cell(box.kind.label)
            yield from shown(kind, fields.crop(image, box))
        yield from shown("whole field", image)
        yield from shown("several cells", *windows.several(image, found, WINDOWS, rng))
        yield from shown("clump", *windows.clumps(image, found, WINDOWS, rng))
        yield from shown("plasma", *windows.plasma(image, found, WINDOWS, rng))


def _folder(name: str, folder: Path, rng: np.random.Generator) -> Iterator[Shown]:
    """Pictures of a folder, whole, and as many squares cut out of large ones. Raises BadLayout."""
    paths = sorted(p for p in folder.rglob("*") if cells.is_picture(p.relative_to(folder).as_posix()))
    if not paths:
        raise BadLayout(f"{folder} holds no pictures.")
    for number in rng.permutation(len(paths))[:EACH]:
        try:
            image = preprocess.decode(paths[number].read_bytes())
        except BadInput:
            continue  # it is told nothing of; a picture that cannot be read is refused when it is asked for
        yield Shown(name, folder.name, f"{name}:{number}", image)
        for _ in range(PARTS if min(image.size) >= 400 else 0):
            side = int(rng.integers(100, 400))
            left, top = int(rng.integers(image.width - side)), int(rng.integers(image.height - side))
            part = image.crop((left, top, left + side, top + side))
            yield Shown(f"part of {name}", folder.name, f"{name}:{number}", part)
