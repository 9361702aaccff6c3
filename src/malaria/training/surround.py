"""Give a cell that stands on black the surround of a crop from a smear: plasma, light, neighbours.

NIH cells were cut out and laid on black; what users crop from a field shows what is about the cell. A network
trained on black alone takes a pale surround or a neighbour's rim for a sign.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from malaria.preprocess import Pixels
from malaria.training.transplant import Mask, Reals, density, lit, on_black

FINE = 128
"""The side, in pixels, for which lengths are told below; on others they are as long a share of it."""
CLEAR = (0.02, 0.5)
"""Density of plasma, as a share of the cell's own: nearly clear glass to a thick smear."""


def surrounded(
    pixels: Pixels, neighbours: Sequence[Pixels], rng: np.random.Generator, plasma: Reals | None = None
) -> Pixels:
    """The cell, (s, s, 3) on black, shrunk or not and laid on plasma; neighbours, on black too, peek in.

    plasma: its density, (3,); None: drawn, as a share of the cell's own.
    """
    side = pixels.shape[0]
    scale = float(rng.uniform(0.72, 1.0))
    cell = placed(pixels, scale, (0.0, 0.0))
    mask = on_black(cell)
    if not mask.any():
        return pixels
    densities = density(cell)
    own = np.median(densities[mask], axis=0)
    field = _plasma(side, _level(own, rng) if plasma is None else plasma, rng)
    for other in neighbours:
        field = _laid(field, _beside(other, scale, rng), rng)
    return lit(np.maximum(_over(field, densities, mask, rng), 0.0))


def _level(own: Reals, rng: np.random.Generator) -> Reals:
    """The density of plasma, (3,): coloured as the cell, or by the camera's white balance."""
    share = rng.uniform(*CLEAR)
    level = own * share * rng.uniform(0.8, 1.2, 3) + rng.uniform(0.0, 0.15) + rng.uniform(0, 0.06, 3)
    return np.asarray(level, np.float32)


def _plasma(side: int, level: Reals, rng: np.random.Generator) -> Reals:
    """Even plasma with slanted light and grain."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    tilt = rng.normal(0, 0.02, 2)
    slant = (tilt[0] * x + tilt[1] * y)[..., None]
    grain = ndimage.gaussian_filter(
        rng.normal(0, 0.012, (side, side, 3)), (0.7 * side / FINE, 0.7 * side / FINE, 0)
    )
    return np.asarray(level + slant + grain, np.float32)


def _over(field: Reals, densities: Reals, mask: Mask, rng: np.random.Generator) -> Reals:
    """The cell over the field; its cut edge, a stair of plasma and membrane, is shaved and softened."""
    fine = mask.shape[0] / FINE
    kept = ndimage.binary_erosion(mask, iterations=max(1, round(fine * int(rng.integers(2, 5)))))
    soft = ndimage.gaussian_filter(kept.astype(np.float32), fine * rng.uniform(0.5, 1.3))
    rim = max(1, round(2 * fine))
    soft = soft * ndimage.binary_erosion(mask, iterations=rim)  # black beyond the cut must not bleed in
    soft = soft[..., np.newaxis]
    return np.asarray(densities * soft + field * (1 - soft), np.float32)


def _laid(field: Reals, cell: Pixels, rng: np.random.Generator) -> Reals:
    mask = on_black(cell)
    return _over(field, density(cell), mask, rng) if mask.any() else field


def _beside(cell: Pixels, scale: float, rng: np.random.Generator) -> Pixels:
    """A neighbour, placed so that its rim comes near the middle cell's, or a little under it."""
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.1) * scale
    turned = np.rot90(cell, int(rng.integers(4)))
    return placed(turned, scale, (reach * float(np.sin(angle)), reach * float(np.cos(angle))))


def placed(pixels: Pixels, scale: float, offset: tuple[float, float]) -> Pixels:
    """The picture scaled about its middle and moved by a share of the side (down, right); black beyond."""
    side = pixels.shape[0]
    centre = (side - 1) / 2
    begin = [centre - (centre + o * side) / scale for o in offset]
    planes = [
        ndimage.affine_transform(pixels[:, :, c], (1 / scale, 1 / scale), begin, order=1, output=np.uint8)
        for c in range(3)
    ]
    return np.stack(planes, axis=2)
