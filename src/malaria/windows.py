"""What a microscope field shows beside its single red cells: several cells, clumps, other cells, plasma.

Windows are cut from labelled fields, whose boxes say where cells are; not every cell has one, so plasma is
told by its light too. What makes a good picture bad, focus and exposure, is made here as well.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from malaria import fields
from malaria.fields import Box, Field
from malaria.preprocess import BLACK

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]

WELL_INSIDE = 0.3
"""A cell counts as in a window where its middle is so many cell widths inside of it."""
ATTEMPTS = 8
"""Windows that are tried for each one wanted."""
CLUMPED = 1.25
"""Cells whose middles are at most so many cell widths apart touch or overlap."""
EVEN = 0.35
"""A window is plasma where its light varies by less than so much of what cells and plasma differ by."""


class Cells:
    """The red cells of a field. middles: (n, 2) pixels, x and y; across: their median width, pixels."""

    def __init__(self, field: Field) -> None:
        red = [box for box in field.boxes if box.kind.label is not None]
        self.middles = np.array([_middle(box) for box in red], np.float64).reshape(-1, 2)
        self.all = np.array([_middle(box) for box in field.boxes], np.float64).reshape(-1, 2)
        self.across = float(np.median([box.right - box.left for box in red])) if red else 0.0

    def inside(self, window: tuple[float, float, float]) -> int:
        """How many lie well inside a window: left, top and side."""
        left, top, side = window
        near = WELL_INSIDE * self.across
        x, y = (self.middles - (left, top)).T
        return int(np.sum((x > near) & (x < side - near) & (y > near) & (y < side - near)))


def several(image: Image.Image, cells: Cells, count: int, rng: Rng) -> Iterator[Image.Image]:
    """At most `count` square windows with two red cells or more, from twice a cell's width to the whole."""
    made, largest = 0, min(image.size)
    for _ in range(ATTEMPTS * count if cells.across else 0):
        side = min(largest, cells.across * np.exp(rng.uniform(np.log(1.9), np.log(10))))
        window = (rng.uniform(0, image.width - side), rng.uniform(0, image.height - side), side)
        if made < count and cells.inside(window) >= 2:
            made += 1
            yield _cut(image, window)


def clumps(image: Image.Image, cells: Cells, count: int, rng: Rng) -> Iterator[Image.Image]:
    """At most `count` windows about two red cells that touch, both whole."""
    apart = np.linalg.norm(cells.middles[:, np.newaxis] - cells.middles, axis=2)
    pairs = np.argwhere(np.triu((apart < CLUMPED * cells.across) & (apart > 0.6 * cells.across), 1))
    for i, j in rng.permutation(pairs)[:count]:
        side = (apart[i, j] + cells.across) * rng.uniform(1.0, 1.25)
        left, top = (cells.middles[i] + cells.middles[j] - side) / 2
        if left >= 0 and top >= 0 and left + side <= image.width and top + side <= image.height:
            yield _cut(image, (left, top, side))


def plasma(image: Image.Image, cells: Cells, count: int, rng: Rng) -> Iterator[Image.Image]:
    """At most `count` windows, of half a cell's width to a whole one, in which there is no cell."""
    green = np.asarray(image, np.float64)[..., 1]
    dark, light = np.quantile(green, (0.05, 0.95))
    made = 0
    for _ in range(ATTEMPTS * count if cells.across else 0):
        side = cells.across * rng.uniform(0.5, 1.0)
        left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
        away = np.abs(cells.all - (left + side / 2, top + side / 2)).max(axis=1)
        seen = green[int(top) : int(top + side), int(left) : int(left + side)]
        even = np.ptp(np.quantile(seen, (0.02, 0.98))) < EVEN * (light - dark)
        if made < count and even and np.all(away > (cells.across + side) / 2):
            made += 1
            yield _cut(image, (left, top, side))


def others(image: Image.Image, field: Field, margin: tuple[float, float], rng: Rng) -> Iterator[Image.Image]:
    """Each white cell and platelet, its box grown by a share drawn from `margin`."""
    for box in field.boxes:
        if box.kind.label is None:
            yield fields.crop(image, box.wider(rng.uniform(*margin)))


def defocused(image: Image.Image, share: float, *, disc: bool, cut_out: bool) -> Image.Image:
    """The RGB picture out of focus: by a share of its longer side, a Gaussian's deviation or a disc's
    radius.

    cut_out: whether what was black stays black, as where the cell was cut out of the blurred picture.
    """
    reach = share * max(image.size)
    if disc:
        blurred = _through_disc(np.asarray(image, np.float64), reach)
    else:
        blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(reach)), np.float64)
    if cut_out:
        blurred = blurred * (np.asarray(image).max(axis=2, keepdims=True) > BLACK)
    return Image.fromarray(np.rint(blurred).clip(0, 255).astype(np.uint8))


def exposed(image: Image.Image, stops: float) -> Image.Image:
    """The RGB picture exposed longer (positive) or shorter by so many stops, and cut off at white."""
    return Image.fromarray(np.clip(np.asarray(image, np.float64) * 2.0**stops, 0, 255).astype(np.uint8))


def _through_disc(levels: Floats, radius: float) -> Floats:
    """What a lens out of focus makes of a point is a disc; the edge goes on outside."""
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    wide = np.pad(levels, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    shape = wide.shape[:2]
    spread = np.fft.rfft2(disc / disc.sum(), shape)[..., np.newaxis]
    found = np.fft.irfft2(np.fft.rfft2(wide, axes=(0, 1)) * spread, shape, axes=(0, 1))
    return np.asarray(found[2 * reach :, 2 * reach :], np.float64)


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _cut(image: Image.Image, window: tuple[float, float, float]) -> Image.Image:
    left, top, side = window
    return image.crop((int(left), int(top), int(left + side), int(top + side)))
