"""What a network is shown: base cells as they are, and others made of them, in shares that a recipe sets.

Made once, before the training, from cells of the role `train` only:

- surrounded: base cells, which stand on black, on the plasma and among the neighbours of a crop.
- laboratories: raw crops of other laboratories, all uninfected; masked: the same on black.
- transplanted: those, and base cells, with what is stained on a base cell moved onto them, label and all.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import segment
from malaria.domain import Progress
from malaria.memory import BASE
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.training.dataset import CellArrays
from malaria.training.recipe import Shares
from malaria.training.surround import surrounded
from malaria.training.transplant import Spot, on_black, planted, spot_of, turned

VERSION = 2
"""Of the making; a cache of another version is made anew."""
NATIVE = {"chula": 48, "bccd": 100}
"""Pixels across a cell in the fields of a laboratory: a spot is blurred as the picture beneath it is."""
SPOTS = (0.6, 0.2, 0.08, 0.06, 0.06)
"""Shares of cells with one spot, two, and so on: some infected cells hold several parasites."""
INFECTED = 0.7
"""Share of transplants whose spot is a parasite: other laboratories' own cells are all uninfected."""
CLEAREST = 0.16
"""Parasites that absorb less in green are not moved: on another cell nobody would see them."""


@dataclass(frozen=True)
class Part:
    """Cells of one making. pixels: (n, s, s, 3) uint8; labels: (n,) float32."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.float32]

    def at(self, size: int) -> "Part":
        if self.pixels.shape[1] == size:
            return self
        small = np.empty((len(self.labels), size, size, 3), np.uint8)
        for i, one in enumerate(self.pixels):
            small[i] = Image.fromarray(one).resize((size, size), Image.Resampling.BILINEAR)
        return Part(small, self.labels)


@dataclass(frozen=True)
class Mixture:
    """Parts, and how many cells of each an epoch draws; a part smaller than that is drawn from repeatedly."""

    parts: tuple[Part, ...]
    counts: tuple[int, ...]

    def __len__(self) -> int:
        return sum(self.counts)

    def epoch(self, seed: int) -> Part:
        """The cells of one epoch: without repeats as far as a part reaches, in a random order."""
        rng = np.random.default_rng(seed)
        pixels, labels = [], []
        for part, count in zip(self.parts, self.counts, strict=True):
            rows = drawn(len(part.labels), count, rng)
            pixels.append(part.pixels[np.sort(rows)])
            labels.append(part.labels[np.sort(rows)])
        return Part(np.concatenate(pixels), np.concatenate(labels))


def drawn(available: int, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Row numbers: every row as often as any other, give or take one."""
    rounds = -(-count // max(available, 1))
    rows: npt.NDArray[np.intp] = np.concatenate([rng.permutation(available) for _ in range(rounds)])
    return rows[:count]


def mixture(
    cells: CellArrays,
    shares: Shares,
    seed: int,
    cache: Path,
    report: Report,
    targets: npt.NDArray[np.float32] | None = None,
) -> Callable[[int], Mixture]:
    """The mixture at an input size, made of the training cells `cells` at the size that they have.

    Kept in `cache`; made again where cells, seed or version differ. targets: what is to be answered for each
    of the cells, (n,), 0 to 1; None: their labels. Transplants keep the label of their spot.
    """
    aims = cells.labels.astype(np.float32) if targets is None else targets
    base = cells.origins == BASE
    plain, others = cells.where(base), cells.where(~base)
    making = {
        "plain": lambda: Part(plain.pixels, aims[base]),
        "surrounded": lambda: surround_all(plain, seed, report),
        "laboratories": lambda: Part(others.pixels, aims[~base]),
        "masked": lambda: Part(mask_all(others.pixels, report), others.labels.astype(np.float32)),
        "transplanted": lambda: transplant_all(plain, others, shares.transplants, seed, report),
    }
    here = {name for name in making if len(others) or name not in ("laboratories", "masked")}
    wanted = {name: share for name, share in shares.of_parts().items() if share > 0 and name in here}
    total = shares.epoch_cells or round(len(plain) / wanted["plain"] * sum(wanted.values()))
    made = {}
    for name in wanted:
        key = _key(cells, name, shares.transplants, seed)
        made[name] = making[name]() if name in ("plain", "laboratories") else _kept(making[name], cache / key)
    for name, own in (("surrounded", aims[base]), ("masked", aims[~base])):
        if name in made:  # each is one cell of the same place, so it is to be answered alike
            made[name] = Part(made[name].pixels, own)
    counts = tuple(round(total * share / sum(wanted.values())) for share in wanted.values())

    @functools.lru_cache(1)
    def sized(size: int) -> Mixture:
        return Mixture(tuple(made[name].at(size) for name in wanted), counts)

    return sized


def _key(cells: CellArrays, name: str, transplants: int, seed: int) -> str:
    size = cells.pixels.shape[1]
    told = [VERSION, name, transplants, seed, size, cells.fingerprints.tolist(), cells.labels.tolist()]
    return f"made-{name}-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}"


def _kept(make: Callable[[], Part], folder: Path) -> Part:
    if not folder.exists():
        made, partial = make(), folder.with_name(folder.name + ".partial")
        partial.mkdir(parents=True, exist_ok=True)
        np.save(partial / "pixels.npy", made.pixels)
        np.save(partial / "labels.npy", made.labels)
        partial.rename(folder)
    return Part(np.load(folder / "pixels.npy", mmap_mode="r"), np.load(folder / "labels.npy"))


def _each(
    one: Callable[[int, Pixels], Pixels], pixels: npt.NDArray[np.uint8], name: str, report: Report
) -> Pixels:
    made, n = np.empty(pixels.shape, np.uint8), len(pixels)
    with ThreadPoolExecutor() as pool:
        for i, picture in enumerate(pool.map(one, range(n), pixels)):
            made[i] = picture
            if i % 256 == 0:
                report(Progress("compose", percent=100.0 * i / n, message=f"{name}: {i} of {n} cells"))
    return made


def mask_all(pixels: npt.NDArray[np.uint8], report: Report) -> Pixels:
    """Raw crops, (n, s, s, 3), on black."""

    def one(_: int, crop: Pixels) -> Pixels:
        return np.asarray(crop * segment.mask(crop)[..., np.newaxis], np.uint8)

    return _each(one, pixels, "masked", report)


def surround_all(cells: CellArrays, seed: int, report: Report) -> Part:
    """Cells that stand on black, each with the surround of a crop; neighbours are of the same patient."""
    healthy = {
        group: np.flatnonzero((cells.groups == group) & (cells.labels == 0))
        for group in np.unique(cells.groups)
    }

    def one(i: int, pixels: Pixels) -> Pixels:
        rng = np.random.default_rng((seed, 1, i))
        near = healthy[cells.groups[i]]  # of the same patient, so of the same stain
        count = int(rng.choice(4, p=[0.3, 0.3, 0.25, 0.15])) if len(near) else 0
        return surrounded(pixels, [cells.pixels[k] for k in rng.choice(near, count)] if count else [], rng)

    return Part(_each(one, cells.pixels, "surrounded", report), cells.labels.astype(np.float32))


def transplant_all(plain: CellArrays, others: CellArrays, count: int, seed: int, report: Report) -> Part:
    """`count` cells, most of them other laboratories', with one spot or several of one base cell each."""
    spots = _spots(plain, report)
    rng = np.random.default_rng((seed, 2))
    donors = {label: [i for i, spot in spots.items() if plain.labels[i] == label] for label in (0, 1)}
    clean = np.flatnonzero(plain.labels == 0)
    unfit = np.zeros(plain.pixels.shape[1:], np.uint8)

    def one(i: int, _: Pixels) -> Pixels:
        own = np.random.default_rng((seed, 3, i))
        spot = spots[donors[int(labels[i])][own.integers(len(donors[int(labels[i])]))]]
        for _attempt in range(8):  # a large spot fits on few cells
            grown = _grown(*_recipient(plain, others, clean, own), spot, own)
            if grown is not None:
                return grown
        return unfit

    infected = INFECTED if donors[0] and donors[1] else float(bool(donors[1]))
    count = count if spots else 0
    labels = (rng.random(count) < infected).astype(np.float32)
    blank = np.broadcast_to(unfit, (count, *unfit.shape))
    made = _each(one, blank, "transplanted", report)
    fits = np.any(made, axis=(1, 2, 3))
    return Part(made[fits], labels[fits])


def _grown(
    pixels: Pixels, mask: segment.Mask, blur: float, spot: Spot, rng: np.random.Generator
) -> Pixels | None:
    """The cell with the spot on it, once or more often; None where it does not fit once."""
    grown = planted(pixels, mask, turned(spot, rng, blur), rng)
    for _ in range(int(rng.choice(len(SPOTS), p=SPOTS))):
        if grown is not None:
            again = planted(grown, mask, turned(spot, rng, blur), rng)
            grown = grown if again is None else again
    return grown


def _recipient(
    plain: CellArrays, others: CellArrays, clean: npt.NDArray[np.intp], rng: np.random.Generator
) -> tuple[Pixels, segment.Mask, float]:
    """An uninfected cell, where it is, and how blurred its picture is, in pixels."""
    if not len(others) or rng.random() < 0.15:
        pixels = np.asarray(plain.pixels[clean[rng.integers(len(clean))]])
        return pixels, on_black(pixels), 0.3
    i = int(rng.integers(len(others)))
    pixels = np.asarray(others.pixels[i])
    mask = segment.mask(pixels)
    if rng.random() < 0.3:
        pixels = pixels * mask[..., np.newaxis]
    native = NATIVE.get(others.origins[i].partition(":")[2], 100)
    return pixels, mask, max(0.3, 0.4 * pixels.shape[0] / native)


def _spots(cells: CellArrays, report: Report) -> dict[int, Spot]:
    """The spot of each base cell that has one: of the infected, those that are clear to see."""
    found: dict[int, Spot] = {}
    with ThreadPoolExecutor() as pool:
        seen = pool.map(
            lambda pixels: spot_of(np.asarray(pixels), on_black(np.asarray(pixels))), cells.pixels
        )
        for i, spot in enumerate(seen):
            if spot is not None and (cells.labels[i] == 0 or spot.strength >= CLEAREST):
                found[i] = spot
            if i % 256 == 0:
                percent = 100.0 * i / len(cells)
                report(Progress("compose", percent=percent, message=f"spots: {i} of {len(cells)} cells"))
    return found
