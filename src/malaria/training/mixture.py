"""What a network is shown: base cells as they are, and others made of them, in shares that a recipe sets.

Made once, before the training, from cells of the role `train` only:

- surrounded: base cells, which stand on black, on the plasma and among the neighbours of a crop.
- laboratories: raw crops of other laboratories, all uninfected; masked: the same on black.
- restained: base cells in the stain of other laboratories' cells.
- transplanted: other laboratories' cells, and base cells, with what is stained on a base cell moved onto
  them, label and all.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import segment, whole
from malaria.errors import BadOptions
from malaria.memory import BASE
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.training import grafts
from malaria.training.composing import each
from malaria.training.dataset import CellArrays, Part
from malaria.training.grafts import NO_PLATELETS, Platelets, transplant_all
from malaria.training.recipe import Shares
from malaria.training.restain import restain_all
from malaria.training.surround import surrounded

VERSION = 3
"""Of the making; a cache of another version is made anew."""


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
        pixels = np.empty((len(self), *self.parts[0].pixels.shape[1:]), np.uint8)
        labels, places, begin = np.empty(len(self), np.float32), rng.permutation(len(self)), 0
        for part, count in zip(self.parts, self.counts, strict=True):
            rows, to = np.sort(_rows(part, count, rng)), places[begin : begin + count]
            pixels[to], labels[to] = part.pixels[rows], part.labels[rows]
            begin += count
        return Part(pixels, labels)


def _rows(part: Part, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    if part.chances is None:
        return drawn(len(part.labels), count, rng)
    return rng.choice(len(part.labels), count, p=part.chances)


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
    doubted: npt.NDArray[np.bool_] | None = None,
    platelets: Platelets = NO_PLATELETS,
) -> Callable[[int], Mixture]:
    """The mixture at an input size, made of the training cells `cells` at the size that they have.

    Kept in `cache`; made again where cells, seed or version differ. targets: what is to be answered for each
    of the cells, (n,), 0 to 1; None: their labels. Transplants keep the label of their spot, so none is taken
    from `doubted` cells, (n,). platelets: to be laid on cells that stay uninfected.
    """
    base = cells.origins == BASE
    aims = cells.labels.astype(np.float32) if targets is None else targets
    sure = cells if doubted is None else cells.where(~(base & doubted))
    parts = _parts(cells, sure, platelets, shares, seed, report)
    shown: dict[str, Part] = {}
    for name, share in shares.of_parts().items():
        if share > 0:
            made_of, make = parts[name]
            part = _kept(make, cache / f"made-{name}-{_key(made_of)}") if made_of else make()
            if len(part.labels):
                shown[name] = part
    shown |= _aimed(shown, cells, aims, shares.by_patient)
    counts = _counts(shown, shares, int(base.sum()))

    @functools.lru_cache(1)
    def sized(size: int) -> Mixture:
        return Mixture(tuple(part.at(size) for part in shown.values()), counts)

    return sized


def _aimed(
    shown: Mapping[str, Part], cells: CellArrays, aims: npt.NDArray[np.float32], by_patient: float
) -> dict[str, Part]:
    """The parts that show each cell once, with what it is to be answered and how often it is drawn."""
    base = cells.origins == BASE
    chances = even(cells.groups[base], by_patient) if by_patient else None
    of_base = dict.fromkeys(("plain", "surrounded", "restained"), (aims[base], chances))
    told = {**of_base, **dict.fromkeys(("laboratories", "masked"), (aims[~base], None))}
    return {name: Part(shown[name].pixels, *told[name]) for name in told.keys() & shown.keys()}


def _parts(
    cells: CellArrays, sure: CellArrays, platelets: Platelets, shares: Shares, seed: int, report: Report
) -> dict[str, tuple[list[Any], Callable[[], Part]]]:
    """Of each part: all that decides it, nothing where it is not worth keeping; and how it is made."""
    plain, others = cells.where(cells.origins == BASE), cells.where(cells.origins != BASE)
    donors = sure.where(sure.origins == BASE)
    laid = [grafts.VERSION, shares.transplants, platelets.share, [spot.strength for spot in platelets.spots]]
    size = cells.pixels.shape[1]

    def as_is(of: CellArrays) -> Part:
        return Part(of.pixels, of.labels.astype(np.float32))

    def told(of: CellArrays, *more: object) -> list[Any]:
        return [VERSION, seed, size, of.fingerprints.tolist(), of.labels.tolist(), *more]

    return {
        "plain": ([], lambda: as_is(plain)),
        "surrounded": (told(plain), lambda: surround_all(plain, seed, report)),
        "laboratories": ([], lambda: as_is(others)),
        "masked": (told(others), lambda: replace(as_is(others), pixels=mask_all(others.pixels, report))),
        "restained": (
            told(cells, shares.varied),
            lambda: restain_all(plain, others, seed, report, shares.varied),
        ),
        "transplanted": (
            told(sure, laid),
            lambda: transplant_all(donors, others, shares.transplants, seed, report, platelets)[0],
        ),
    }


def even(groups: npt.NDArray[np.str_], how_far: float) -> npt.NDArray[np.float64]:
    """The chance of each cell, (n,), to be drawn: from 0, all cells alike, to 1, all patients alike."""
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights = sizes[places] ** -how_far
    return np.asarray(weights / weights.sum(), np.float64)


def _counts(parts: Mapping[str, Part], shares: Shares, plain: int) -> tuple[int, ...]:
    """Cells of each part in an epoch: at least one, in the shares told."""
    told = {name: share for name, share in shares.of_parts().items() if name in parts}
    whole = sum(told.values())
    if not told:
        raise BadOptions("The recipe's shares leave no cells to train on. Give `plain` a share.")
    if not shares.epoch_cells and "plain" not in told:
        raise BadOptions(
            "The recipe's shares leave out `plain`: say how many cells an epoch has, epoch_cells."
        )
    total = shares.epoch_cells or round(plain / told["plain"] * whole)
    return tuple(max(1, round(total * share / whole)) for share in told.values())


def _key(made_of: list[Any]) -> str:
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]


def _kept(make: Callable[[], Part], folder: Path) -> Part:
    """The part in `folder`, made where it is not there yet; whole or not at all, whoever else makes it."""
    if not folder.exists():
        with whole.folder(folder) as partial:
            made = make()
            np.save(partial / "pixels.npy", made.pixels)
            np.save(partial / "labels.npy", made.labels)
    return Part(np.load(folder / "pixels.npy", mmap_mode="r"), np.load(folder / "labels.npy"))


def mask_all(pixels: npt.NDArray[np.uint8], report: Report) -> Pixels:
    """Raw crops, (n, s, s, 3), on black."""
    return each(lambda _, crop: segment.cut(crop), pixels, "masked", report)


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

    return Part(each(one, cells.pixels, "surrounded", report), cells.labels.astype(np.float32))
