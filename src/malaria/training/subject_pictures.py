"""What the subject network learns from: cells of several laboratories, and all that is no single good cell.

Cells are those of the `mixture` that the classifier learns from, of training patients and fields only. The
rest is cut from the fields, made of the cells by blur and light, or drawn by chance.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image
from sklearn.datasets import load_sample_images

from malaria import fields, no_cells, preprocess, segment, windows
from malaria.domain import Progress, Role
from malaria.ports import Report
from malaria.preprocess import BLACK, Pixels
from malaria.subject import SIDE, Subject
from malaria.training.laboratories import Laboratory
from malaria.training.surround import placed
from malaria.training.transplant import density, lit, on_black

DRAWN = 2 * SIDE
"""Pixels across a picture before it is halved, as the graph halves the classifier's."""
SOFT, SOFTENED = (0.0, 0.025), 0.5
"""Focus that is no fault, as a share of the side: a Gaussian's deviation, or half of a disc's radius; up to
the worst that the classifier is measured with. And the share of pictures of cells that are softened so."""
BLUR = (0.045, 0.12)
"""The same of what is out of focus."""
STRONGER, TINT = (-0.4, 1.5), 0.25
"""Logarithms of how much more a stain absorbs, lowest and highest, and their deviation between channels."""
DARK, BRIGHT = (-4.0, -1.6), (0.6, 2.0)
"""Stops by which cells are exposed badly."""
MARGIN = (-0.1, 0.6)
"""How much wider than its box a white cell or platelet is cropped."""
ON_BLACK = 0.3
"""Share of the white cells and platelets that are laid on black, as NIH cells are."""
MADE_PAIRS = 0.25
"""Share of the pictures with several cells that are made of cells on black."""
ROUGH = 45.0
"""Deviation, of 255, in one channel at least, from which the inside of a thing is no cell's."""
ROUND = 0.92
"""A cell fills less than this of the box about it."""
PLASMA, PHOTOS, CUT_OUTS = 0.12, 0.15, 0.12
"""Shares of the pictures without a cell: of plasma, of photographs, and of things cut out of photographs and
laid on black; the rest is drawn."""

Rng = np.random.Generator


def pictures(
    cells: Pixels, laboratories: Sequence[Laboratory], role: Role, each: int, seed: int, report: Report
) -> dict[Subject, Pixels]:
    """Pictures of every subject, (m, SIDE, SIDE, 3): the cells, (n, DRAWN, DRAWN, 3), halved, and at most
    `each` of every other.

    laboratories: fields of other laboratories; those of the role are used.
    """
    rng = np.random.default_rng((seed, 5))
    found = _of_fields(laboratories, role, each, rng, report)
    found[Subject.SEVERAL] = _mixed(found[Subject.SEVERAL], _pairs(cells, rng), each, MADE_PAIRS)
    for subject in (Subject.SEVERAL, Subject.OTHER):
        found[subject] = [_varied(square, rng) for square in found[subject]]
    cells = np.stack([_varied(np.asarray(cell), rng) for cell in cells])
    found[Subject.BLURRED] = _made(each, lambda: _blurred(_one(cells, rng), BLUR, rng))
    found[Subject.EXPOSED] = _made(each, lambda: _exposed(_one(cells, rng), rng))
    drawn = _no_cells(found[Subject.NOTHING][: int(PLASMA * each)], rng)
    found[Subject.NOTHING] = _made(each, lambda: next(drawn))
    return {Subject.CELL: halved(cells), **{s: halved(np.stack(of)) for s, of in found.items()}}


def halved(pixels: Pixels) -> Pixels:
    """(n, 2s, 2s, 3) to (n, s, s, 3), as the served graph halves a picture: the mean of four."""
    n, side = pixels.shape[:2]
    made = np.empty((n, side // 2, side // 2, 3), np.uint8)
    for i, one in enumerate(pixels):
        four = np.asarray(one, np.float32).reshape(side // 2, 2, side // 2, 2, 3)
        made[i] = np.rint(four.mean((1, 3)))
    return made


Squares = list[Pixels]


def _of_fields(
    laboratories: Sequence[Laboratory], role: Role, each: int, rng: Rng, report: Report
) -> dict[Subject, Squares]:
    """What fields show: several cells, other blood cells and plasma. Laboratories alike, fields alike."""
    found: dict[Subject, Squares] = {Subject.SEVERAL: [], Subject.OTHER: [], Subject.NOTHING: []}
    for laboratory in laboratories:
        own = {group for group, has in laboratory.roles.items() if has == role}
        every = fields.read(laboratory.path, fields.meaning_of(laboratory.name))
        chosen = [field for field in every if f"{laboratory.name}/{field.name}" in own]
        share = -(-each // (len(laboratories) * max(len(chosen), 1)))
        for number, field in enumerate(chosen):
            image, cells = field.image(), windows.Cells(field)
            seen = [*windows.several(image, cells, share, rng), *windows.clumps(image, cells, share, rng)]
            seen += [image] if number % 4 == 0 else []
            found[Subject.SEVERAL] += _squares(seen)
            found[Subject.OTHER] += _squares(_others(image, field, rng))
            found[Subject.NOTHING] += _squares(windows.plasma(image, cells, share, rng))
            report(Progress("compose", 100.0 * number / len(chosen), message=f"fields of {laboratory.name}"))
    for squares in found.values():
        rng.shuffle(squares)  # type: ignore[arg-type]
    found[Subject.OTHER] = found[Subject.OTHER][:each]
    return found


def _others(image: Image.Image, field: fields.Field, rng: Rng) -> Iterator[Image.Image]:
    """Each white cell and platelet several times, wider or tighter: there are few."""
    for _ in range(6):
        for crop in windows.others(image, field, MARGIN, rng):
            yield segment.masked(crop) if rng.random() < ON_BLACK else crop


def _squares(images: Iterable[Image.Image]) -> Squares:
    return [preprocess.to_square(image, DRAWN) for image in images]


def _mixed(cut: Squares, made: Iterator[Pixels], each: int, share: float) -> Squares:
    of_made = int(share * each)
    return [*cut[: each - of_made], *(next(made) for _ in range(of_made))]


def _made(count: int, one: Callable[[], Image.Image | Pixels]) -> Squares:
    made = (one() for _ in range(count))
    return [preprocess.to_square(m, DRAWN) if isinstance(m, Image.Image) else m for m in made]


def _one(cells: Pixels, rng: Rng) -> Image.Image:
    return Image.fromarray(np.asarray(cells[rng.integers(len(cells))]))


def _pairs(cells: Pixels, rng: Rng) -> Iterator[Pixels]:
    """Two to four cells that stand on black, side by side on black, as where a clump was cut out."""
    while True:
        page = np.zeros((DRAWN, DRAWN, 3), np.uint8)
        count = int(rng.choice((2, 3, 4), p=(0.6, 0.25, 0.15)))
        scale, turn = (0.54 if count == 2 else 0.46) * rng.uniform(0.9, 1.05), rng.uniform(0, 2 * np.pi)
        reach = 0.45 * scale / np.sin(np.pi / count) * rng.uniform(0.9, 1.02)
        for k in range(count):
            cell = _on_black(cells, rng)
            angle = turn + 2 * np.pi * k / count
            laid = placed(cell, scale, (reach * float(np.sin(angle)), reach * float(np.cos(angle))))
            page = np.where(laid.max(axis=2, keepdims=True) > BLACK, laid, page)
        yield page


def _varied(square: Pixels, rng: Rng) -> Pixels:
    """As another laboratory may show it: in another stain, and a little softer."""
    stained = _stained(square, rng)
    if rng.random() >= SOFTENED:
        return stained
    return np.asarray(_blurred(Image.fromarray(stained), SOFT, rng))


def _stained(square: Pixels, rng: Rng) -> Pixels:
    """Every other picture in a stain of another strength and tint, on clearer plasma; black stays."""
    lit_up = square.max(axis=2) > BLACK
    if rng.random() < 0.5 or not lit_up.any():
        return square
    densities = density(square)
    clear = np.quantile(densities[lit_up], 0.1, axis=0) * rng.uniform(0, 0.8)
    factor = np.exp(rng.uniform(*STRONGER) + rng.normal(0, TINT, 3))
    made = lit(np.maximum((densities - clear) * factor, 0).astype(np.float32))
    return np.asarray(np.where(lit_up[..., np.newaxis], np.maximum(made, BLACK + 1), square), np.uint8)


def _on_black(cells: Pixels, rng: Rng) -> Pixels:
    """One of the cells that stand on black; a raw crop that was padded with black is square and is none."""
    while True:
        cell = np.asarray(cells[rng.integers(len(cells))])
        mask = on_black(cell)
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        if rows.size and mask[rows[0] : rows[-1], columns[0] : columns[-1]].mean() < ROUND:
            return cell


def _blurred(image: Image.Image, shares: tuple[float, float], rng: Rng) -> Image.Image:
    disc, share = rng.random() < 0.5, rng.uniform(*shares)
    cut_out = rng.random() < 0.5
    return windows.defocused(image, 2 * share if disc else share, disc=disc, cut_out=cut_out)


def _exposed(image: Image.Image, rng: Rng) -> Image.Image:
    return windows.exposed(image, rng.uniform(*(DARK if rng.random() < 0.5 else BRIGHT)))


def _no_cells(plasma: Squares, rng: Rng) -> Iterator[Image.Image | Pixels]:
    """Plasma, each window once, then parts of photographs and what is drawn, in turn by chance."""
    yield from plasma
    photos = [*map(Image.fromarray, load_sample_images().images), _portrait()]
    drawers = [draw for name, draw in no_cells.KINDS.items() if name not in no_cells.UNTAUGHT]
    while True:
        photo, what = photos[rng.integers(len(photos))], rng.random() * (1 - PLASMA)
        if what < PHOTOS:
            yield _part_of(photo, rng)
        elif what < PHOTOS + CUT_OUTS:
            yield _cut_out(photo, drawers, rng)
        else:
            yield drawers[rng.integers(len(drawers))](rng)


def _portrait() -> Image.Image:
    """A photograph that comes with matplotlib."""
    return Image.open(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg").convert("RGB")


def _cut_out(photo: Image.Image, drawers: Sequence[Callable[[Rng], Image.Image]], rng: Rng) -> Image.Image:
    """A thing with a smooth outline on black, as rough inside as no cell is."""
    y, x = np.mgrid[-1 : 1 : DRAWN * 1j, -1 : 1 : DRAWN * 1j]
    waves = sum(
        rng.normal(0, 0.12 / k) * np.cos(k * np.arctan2(y, x) + rng.uniform(0, 6)) for k in (1, 2, 3, 4)
    )
    inside = np.hypot(x, y) < rng.uniform(0.6, 0.95) * (1 + waves)
    while True:
        drawn = _part_of(photo, rng) if rng.random() < 0.5 else drawers[rng.integers(len(drawers))](rng)
        levels = np.asarray(drawn.resize((DRAWN, DRAWN)))
        if levels[inside].std(axis=0).max() > ROUGH:
            return Image.fromarray(np.asarray(levels * inside[..., np.newaxis], np.uint8))


def _part_of(photo: Image.Image, rng: Rng) -> Image.Image:
    width, height = (int(s * np.exp(rng.uniform(np.log(0.08), 0))) for s in photo.size)
    left, top = int(rng.integers(photo.width - width + 1)), int(rng.integers(photo.height - height + 1))
    return photo.crop((left, top, left + max(width, 8), top + max(height, 8)))
