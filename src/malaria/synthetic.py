"""Plausible cells that no one has to be asked for: seeded pictures of red cells, with and without parasites.

They stand in for real pictures in tests and demonstrations, so they resemble the NIH crops: one cell, cut out
along a coarse mask and laid on black, in one of the stains that laboratories use. They are for trying the
system out, never for training it. Cell `i` of a seed is the same picture however many are asked for.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import synthetic_parasites as parasites
from malaria.domain import Label
from malaria.errors import BadOptions
from malaria.synthetic_parasites import STAINS, Floats, Plane, Stain

CELLS_PER_PATIENT = 20
FILLED = 0.82
"""How much of the drawn square a cell fills before it is cut out."""
BITTEN = 0.12
"""Share of cells whose mask lacks a bite, where the real cutting took away a neighbour."""
DEBRIS = 0.15
"""Share of uninfected cells with faint specks of stain."""


@dataclass(frozen=True)
class SyntheticCell:
    """A made picture and all that is true of it.

    image: RGB on black. name: the file it would have. parasites: bool (height, width), True on a parasite's
    pixels; all False for an uninfected cell. kind: the form of the parasites, such as "ring", or "".
    """

    image: Image.Image
    label: Label
    name: str
    patient: str
    stain: str
    kind: str
    parasites: npt.NDArray[np.bool_]

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """The parasites' box (left, top, right, bottom), right and bottom outside; None without any."""
        rows, columns = np.nonzero(self.parasites)
        if not len(rows):
            return None
        return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file."""
        out = io.BytesIO()
        self.image.save(out, "PNG")
        return out.getvalue()


def generate(
    n: int, seed: int, *, stain: str | None = None, size: tuple[int, int] = (100, 170)
) -> Iterator[SyntheticCell]:
    """Make `n` cells, parasitized and uninfected in turn, about 20 to a patient, one stain to a patient.

    stain: a name in STAINS, for all of them. size: shortest and longest width of a picture in pixels.

    Raises:
        BadOptions: n is negative, the stain is unknown, or the sizes are not 48 <= shortest <= longest.
    """
    if n < 0:
        raise BadOptions(f"{n} cells cannot be made; ask for 0 or more.")
    if stain is not None and stain not in STAINS:
        raise BadOptions(f"The stain {stain!r} is unknown; it is one of {', '.join(STAINS)}.")
    if not 48 <= size[0] <= size[1]:
        raise BadOptions(
            f"The size {size} cannot be used; give the shortest width (48 or more), then the longest."
        )
    return (_cell(i, seed, stain, size) for i in range(n))


def write(target: Path, n: int, seed: int, *, stain: str | None = None) -> Path:
    """Write `n` cells as an upload (class folders and patients.csv) to a folder, or a ZIP if so named.

    The same n and seed give the same bytes. Files of the same names in a folder are overwritten.
    """
    cells = generate(n, seed, stain=stain)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() != ".zip":
        for path, data in _files(cells):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)
        return target
    partial = target.with_name(target.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for path, data in _files(cells):
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    partial.replace(target)
    return target


def _files(cells: Iterator[SyntheticCell]) -> Iterator[tuple[str, bytes]]:
    lines = ["file,patient"]
    for cell in cells:
        lines.append(f"{cell.name},{cell.patient}")
        yield f"{cell.label.text}/{cell.name}", cell.png()
    yield "patients.csv", ("\n".join(lines) + "\n").encode()


def _cell(index: int, seed: int, stain_name: str | None, size: tuple[int, int]) -> SyntheticCell:
    patient = index // CELLS_PER_PATIENT
    chosen = stain_name or _stain_of(patient, seed)
    rng = np.random.default_rng((seed, patient, index))
    label = Label(1 - index % 2)
    plane = Plane(round(rng.integers(size[0], size[1] + 1) / FILLED))
    stain = STAINS[chosen].varied(np.random.default_rng((seed, patient, 1 << 32)), 9.0).varied(rng, 3.0)
    body, mask = _body(rng, plane, stain)
    kind, where = "", np.zeros(mask.shape, dtype=np.bool_)
    if label == Label.PARASITIZED:
        kind, body, where = parasites.infect(rng, plane, body, stain)
    elif rng.random() < DEBRIS:
        body = parasites.specks(rng, plane, body, stain)
    image, cut = _photograph(rng, body, mask | where)
    return SyntheticCell(
        image,
        label,
        f"synthetic_{patient:04d}_cell_{index}.png",
        f"synthetic-{seed}-{patient:04d}",
        chosen,
        kind,
        where[cut],
    )


def _stain_of(patient: int, seed: int) -> str:
    """Neighbouring patients differ, so that even a small set shows several stains."""
    names = np.random.default_rng((seed, 1 << 33)).permutation(list(STAINS))
    return str(names[patient % len(names)])


def _body(rng: np.random.Generator, plane: Plane, stain: Stain) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The cell's colours, (s, s, 3) in 0..255, on plasma; and the mask along which it is cut out."""
    edge = plane.outline(rng)
    depth = edge - plane.radius  # 0 on the membrane, growing inwards, in units of the plane's radius
    inside = np.clip(depth / 0.05 + 0.4, 0.0, 1.0)[..., None]
    body = np.broadcast_to(np.array(stain.body), (*depth.shape, 3)).copy()
    body += rng.normal(0, 3.2, 1) * plane.clouds(rng, 4)[..., None] + 1.3 * plane.clouds(rng, 9)[..., None]
    pallor = plane.pallor(rng) * stain.pallor * rng.beta(1.2, 2.2)
    body += (np.array(stain.plasma) - body) * pallor[..., None]
    rim = np.exp(-(((depth - 0.07) / 0.07) ** 2)) * rng.uniform(0.0, 0.10)
    body *= 1.0 - rim[..., None]  # the thicker edge of the disc takes more stain
    colours = np.array(stain.plasma) * (1 - inside) + body * inside
    side = 1 + np.cos(plane.angle - rng.uniform(0, 2 * np.pi))  # one side keeps more plasma than the other
    return colours, plane.coarse(depth > -rng.uniform(0.0, 0.035) * side) & ~_bite(rng, plane)


def _bite(rng: np.random.Generator, plane: Plane) -> npt.NDArray[np.bool_]:
    if rng.random() >= BITTEN:
        return np.zeros(plane.radius.shape, dtype=np.bool_)
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(1.0, 1.15)
    gone = plane.distance(reach * np.cos(angle), reach * np.sin(angle)) < rng.uniform(0.25, 0.45)
    return plane.coarse(gone)


def _photograph(
    rng: np.random.Generator, colours: Floats, mask: npt.NDArray[np.bool_]
) -> tuple[Image.Image, tuple[slice, slice]]:
    """Light, lens, camera and cutting: slanted light, slight blur, fine noise, black outside the mask."""
    height, width = mask.shape
    tilt = rng.uniform(-0.025, 0.025, 2)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lit = colours * (1 + tilt[0] * x + tilt[1] * y)[..., None]
    sharp = parasites.blur(lit, rng.uniform(0.6, 1.0))
    grain = parasites.blur(rng.normal(0, 2.2, sharp.shape), 0.6)
    pixels = np.clip(sharp + grain, 1, 255).astype(np.uint8) * mask[..., None]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Image.fromarray(np.ascontiguousarray(pixels[cut])), cut
