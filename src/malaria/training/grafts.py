"""Cells of all laboratories with what is stained on a base cell moved onto them, label and all.

Parasites are darker than most specks of uninfected cells. Were all moved as they are, the darkest spot alone
would tell the label on other laboratories' cells, and a network would learn to look no further. So parasites
are made fainter or darker, from hardly visible on; specks and platelets are laid on as they are, since a
speck that is made large and dark looks like an old parasite.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import segment
from malaria.domain import Progress
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.training.composing import each
from malaria.training.dataset import CellArrays, Part
from malaria.training.laboratories import NATIVE
from malaria.training.transplant import Spot, on_black, planted, spot_of, strengthened, turned

VERSION = 3
"""Of the making; transplants of another version are made anew."""
SPOTS = (0.6, 0.2, 0.08, 0.06, 0.06)
"""Shares of cells with one spot, two, and so on: some infected cells hold several parasites."""
INFECTED = 0.6
"""Share of transplants whose spot is a parasite: other laboratories' own cells are all uninfected."""
CLEAREST = 0.16
"""Parasites that absorb less in green are not moved: on another cell nobody would see them."""
SIZES = {0: (0.5, 1.1), 1: (0.7, 2.2)}
"""How much smaller or larger a spot is laid on, by its label."""
STRENGTH = (0.14, 0.9)
"""Least and most that a moved parasite absorbs in green, drawn evenly in its logarithm."""


@dataclass(frozen=True)
class Platelets:
    """What is laid on cells that stay uninfected, and in which share of those transplants."""

    spots: Sequence[Spot] = ()
    share: float = 0.0


NO_PLATELETS = Platelets()


def transplant_all(
    plain: CellArrays,
    others: CellArrays,
    count: int,
    seed: int,
    report: Report,
    platelets: Platelets = NO_PLATELETS,
) -> tuple[Part, npt.NDArray[np.intp]]:
    """`count` cells, most of them other laboratories', with one spot or several of one base cell each, or
    with platelets, which leave the cell uninfected. And of each of these n, (n,), the row in `plain` that its
    spot is of, -1: none."""
    spots = _spots(plain, report)
    rng = np.random.default_rng((seed, 2))
    donors = {label: [i for i in spots if plain.labels[i] == label] for label in (0, 1)}
    others = others.where(others.labels == 0)
    clean = np.flatnonzero(plain.labels == 0)
    unfit = np.zeros(plain.pixels.shape[1:], np.uint8)

    def drawn(i: int) -> tuple[np.random.Generator, Spot, int]:
        own, rows = np.random.default_rng((seed, 3, i)), donors[int(labels[i])]
        if platelets.spots and not labels[i] and own.random() < platelets.share:
            return own, platelets.spots[own.integers(len(platelets.spots))], -1
        row = rows[own.integers(len(rows))]
        return own, spots[row], row

    def one(i: int, _: Pixels) -> Pixels:
        own, spot, _row = drawn(i)
        for _attempt in range(8):  # a large spot fits on few cells
            strength = float(np.exp(own.uniform(*np.log(STRENGTH))))
            wanted = strengthened(spot, strength) if labels[i] else spot
            grown = _grown(*_recipient(plain, others, clean, own), wanted, SIZES[int(labels[i])], own)
            if grown is not None:
                return grown
        return unfit

    if not (donors[0] and donors[1] and (len(clean) or len(others))):
        count = 0  # spots of one kind alone would make the moving itself the sign
    labels = (rng.random(count) < INFECTED).astype(np.float32)
    blank = np.broadcast_to(unfit, (count, *unfit.shape))
    made = each(one, blank, "transplanted", report)
    fits = np.any(made, axis=(1, 2, 3))
    rows = np.array([drawn(i)[2] for i in np.flatnonzero(fits)], np.intp)
    return Part(made[fits], labels[fits]), rows


def _grown(
    pixels: Pixels,
    mask: segment.Mask,
    blur: float,
    spot: Spot,
    sizes: tuple[float, float],
    rng: np.random.Generator,
) -> Pixels | None:
    """The cell with the spot on it, once or more often; None where it does not fit once."""
    grown = planted(pixels, mask, turned(spot, rng, blur, sizes), rng)
    for _ in range(int(rng.choice(len(SPOTS), p=SPOTS))):
        if grown is not None:
            again = planted(grown, mask, turned(spot, rng, blur, sizes), rng)
            grown = grown if again is None else again
    return grown


def _recipient(
    plain: CellArrays, others: CellArrays, clean: npt.NDArray[np.intp], rng: np.random.Generator
) -> tuple[Pixels, segment.Mask, float]:
    """An uninfected cell, where it is, and how blurred its picture is, in pixels."""
    if not len(others) or (len(clean) and rng.random() < 0.15):
        pixels = np.asarray(plain.pixels[clean[rng.integers(len(clean))]])
        return pixels, on_black(pixels), 0.3
    i = int(rng.integers(len(others)))
    pixels = np.asarray(others.pixels[i])
    mask = segment.mask(pixels)
    if rng.random() < 0.3:
        pixels = pixels * mask[..., np.newaxis]
    return pixels, mask, blur_of(others.origins[i], pixels.shape[0])


def blur_of(origin: str, side: int) -> float:
    """How blurred a laboratory's picture is on `side` pixels, and so a spot on it; a deviation, in pixels."""
    return max(0.3, 0.4 * side / NATIVE.get(origin.partition(":")[2], 100))


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
