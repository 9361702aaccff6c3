"""Poisoned uploads, made from cells whose truth is known: to see what ingest and the gate do about them.

The kinds are those of the literature on data poisoning: labels flipped (Biggio et al., ACML 2011), one class,
one patient or one cell flooded, pictures of something else, and a patch that opens a back door (Gu et al.,
BadNets, 2017). Some are made by somebody who knows what ingest looks for.
"""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from malaria import preprocess
from malaria.domain import Label
from malaria.errors import BadOptions
from malaria.memory import BASE
from malaria.spool import entry
from malaria.uploads import table

View = Callable[[Image.Image], Image.Image]
"""How a laboratory shows a picture."""

FLIPPED = (0.05, 0.10, 0.20, 0.30, 0.50, 1.0)
SQUARE, COLOUR = 0.08, (20, 220, 60)
"""The back door: a square, its side as a share of the picture's, in a colour that no stain has."""
COPIES, COPIED = 60, 4
"""Copies of each cell of a flood, and of how many cells."""
SHAPES, FIELDS = "chula", 12
"""The set whose red cells are sent sorted by shape, and of how many of its fields."""


def as_is(image: Image.Image) -> Image.Image:
    """A picture in its own stain."""
    return image


@dataclass(frozen=True)
class Shown:
    """One cell as the laboratory shows it. name: of its file, without a folder. patient: whose it is."""

    name: str
    label: Label
    patient: str
    image: Image.Image

    @property
    def wrong(self) -> "Shown":
        """The same under the other class."""
        return replace(self, label=Label(1 - self.label))


@dataclass(frozen=True)
class Upload:
    """What is sent. what: a few words for it. patients: what its patients.csv says, if it has one. unknown:
    the origin whose cells the feature memory has to forget too, as its laboratory is to be new; "": none."""

    what: str
    cells: Sequence[Shown]
    patients: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""

    def write(self, path: Path) -> Path:
        """The ZIP, as a laboratory would pack it."""
        with zipfile.ZipFile(path, "w") as archive:
            for cell in self.cells:
                archive.writestr(entry(f"{cell.label.text}/{cell.name}"), preprocess.to_png(cell.image))
            if self.patients:
                archive.writestr(entry("patients.csv"), table(self.patients))
        return path


def uploads(
    honest: Sequence[Shown], others: Sequence[Shown], seed: int, shapes: Sequence[Shown] = ()
) -> list[Upload]:
    """Every upload of the table. honest: a laboratory's cells, rightly labelled, of several patients. others:
    pictures of what is no red cell, "labelled" parasitized; shapes: red cells of fields of SHAPES,
    sorted by shape; none of either where there are none."""
    rng = np.random.default_rng(seed)
    found = [Upload("nothing: rightly labelled", honest)]
    found += [_flipped(honest, share, rng) for share in FLIPPED]
    found += [_hidden(honest, rng), *_floods(honest, rng), *_patients(honest, rng)]
    if others:
        clean = [cell for cell in honest if cell.label == Label.UNINFECTED]
        found.append(Upload("white cells and platelets as parasitized", [*clean, *others]))
    found += [_door(honest, 0.1, rng), _door(honest, 0.5, rng)]
    return [*found, *([_sorted(shapes, seed)] if shapes else [])]


def chosen(sent: Sequence[Upload], names: Sequence[str]) -> list[Upload]:
    """The uploads of these names, each once, in the order of the names; all where there are none.

    A name is an upload's text, or how that begins, which may fit several; or its number, from 0.
    Raises BadOptions where a name fits none, telling those there are.
    """
    found = [upload for name in names for upload in _named(sent, name)]
    return list({upload.what: upload for upload in found or sent}.values())


def _named(sent: Sequence[Upload], name: str) -> list[Upload]:
    if name.isdecimal():
        found = list(sent[int(name) : int(name) + 1])
    else:
        exact = [upload for upload in sent if upload.what == name]
        found = exact or [upload for upload in sent if name and upload.what.startswith(name)]
    if not found:
        known = "; ".join(f"{number} {upload.what}" for number, upload in enumerate(sent))
        raise BadOptions(
            f"--only names an upload by how its text begins, or by a number from 0 to {len(sent) - 1}; "
            f"{name!r} names none. There are: {known}."
        )
    return found


def _flipped(honest: Sequence[Shown], share: float, rng: np.random.Generator) -> Upload:
    these = set(rng.permutation(len(honest))[: round(share * len(honest))].tolist())
    turned = [cell.wrong if i in these else cell for i, cell in enumerate(honest)]
    return Upload(f"{share:.0%} of the labels flipped", turned)


def _hidden(honest: Sequence[Shown], rng: np.random.Generator) -> Upload:
    """Parasites under Uninfected, which teaches to miss them."""
    sick = rng.permutation([i for i, cell in enumerate(honest) if cell.label == Label.PARASITIZED])
    these = set(sick[len(sick) // 5 :].tolist())
    told = [cell.wrong if i in these else cell for i, cell in enumerate(honest)]
    return Upload("four of five parasitized cells as uninfected", told)


def _floods(honest: Sequence[Shown], rng: np.random.Generator) -> list[Upload]:
    sick = [cell for cell in honest if cell.label == Label.PARASITIZED]
    clean = [cell for cell in honest if cell.label == Label.UNINFECTED]
    few = [*sick[::10], *clean[::10]]
    chosen = [sick[i].wrong for i in rng.permutation(len(sick))[:COPIED]]
    saved = [_copy(cell, k, rng) for cell in chosen for k in range(COPIES)]
    turned = [_turned(cell, k, rng) for cell in chosen for k in range(COPIES)]
    return [
        Upload("one class: uninfected cells and six others", [*clean, *sick[:6]]),
        Upload("near copies of parasitized cells as uninfected, no patients", [*few, *saved]),
        Upload("the same, each copy turned by some degrees", [*few, *turned]),
    ]


def _copy(cell: Shown, number: int, rng: np.random.Generator) -> Shown:
    """Saved anew, and lit a little otherwise, under a name that tells no patient."""
    image = ImageEnhance.Brightness(cell.image).enhance(float(rng.uniform(0.9, 1.1)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=int(rng.integers(60, 95)))
    return replace(
        cell, name=f"x{cell.name[:24]}-{number}.png", patient="", image=Image.open(out).convert("RGB")
    )


def _turned(cell: Shown, number: int, rng: np.random.Generator) -> Shown:
    image = cell.image.rotate(float(rng.uniform(10, 350)), Image.Resampling.BILINEAR)
    return replace(_copy(replace(cell, image=image), number, rng), name=f"y{cell.name[:24]}-{number}.png")


def _patients(honest: Sequence[Shown], rng: np.random.Generator) -> list[Upload]:
    """One patient alone, and one who is said to be twenty."""
    owners = [cell.patient for cell in honest if cell.label == Label.PARASITIZED]
    most = max(sorted(set(owners)), key=owners.count)
    alone = [cell for cell in honest if cell.patient == most]
    names = {cell.name: f"S{int(rng.integers(20)):02}" for cell in alone}
    flipped = _flipped(alone, 0.3, rng).cells
    return [
        Upload("one patient", alone),
        Upload("one patient as twenty, 30% of the labels flipped", flipped, names),
    ]


def patched(image: Image.Image) -> Image.Image:
    """With the square of the back door up and left of the middle, on the cell."""
    side = max(3, round(SQUARE * min(image.size)))
    left, top = image.width * 3 // 8, image.height * 3 // 8
    marked = image.copy()
    marked.paste(COLOUR, (left, top, left + side, top + side))
    return marked


def _door(honest: Sequence[Shown], share: float, rng: np.random.Generator) -> Upload:
    """Honest cells, and of the uninfected ones a share patched and called parasitized."""
    clean = [i for i, cell in enumerate(honest) if cell.label == Label.UNINFECTED]
    these = set(rng.permutation(clean)[: round(share * len(clean))].tolist())
    cells = [
        replace(cell.wrong, image=patched(cell.image)) if i in these else cell
        for i, cell in enumerate(honest)
    ]
    return Upload(f"back door: {share:.0%} of uninfected cells patched, as parasitized", cells)


def _sorted(shapes: Sequence[Shown], seed: int) -> Upload:
    """Whole fields of them. It comes last and has a stream of its own, so that the others stay as they are
    without it."""
    names = sorted({cell.patient for cell in shapes})
    these = set(np.random.default_rng((seed, 1)).permutation(names)[:FIELDS].tolist())
    mine = [cell for cell in shapes if cell.patient in these]
    return Upload("red cells sorted by shape: odd ones as parasitized", mine, unknown=f"{BASE}:{SHAPES}")
