"""Move what is stained on one cell onto another, in optical density: a parasite, or a speck that is none.

Light that passes two layers of stain is weakened by both in turn (Beer-Lambert), so what a parasite adds to
its cell, as optical density, can be added to any other cell of any stain. The same is done with the darkest
spot of uninfected cells, so that the traces of moving say nothing about the label. Cut and paste as
augmentation follows Dwibedi et al., ICCV 2017; optical density as the space of stains Ruifrok & Johnston,
2001.

Pixels are (s, s, 3) uint8 RGB; masks (s, s) bool. Everything is drawn from the generator that is handed in.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from malaria.preprocess import BLACK, Pixels

Reals = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

REACH = 0.34
"""The largest spot that is looked for, as a share of the picture's side."""
FAINTEST = 0.06
"""Spots that absorb less than this, in green and as density, are not seen as spots."""
AREA = (0.002, 0.2)
"""Smallest and largest area of a spot, as a share of the picture."""


def density(pixels: Pixels) -> Reals:
    """Optical density, 0 (clear) to 5.5 (black), (s, s, 3)."""
    return np.asarray(-np.log((pixels.astype(np.float32) + 1.0) / 256.0), np.float32)


def lit(densities: Reals) -> Pixels:
    """Pixels of optical densities."""
    return np.asarray(np.clip(256.0 * np.exp(-densities) - 1.0, 0, 255).round(), np.uint8)


@dataclass(frozen=True)
class Spot:
    """What a stained spot adds to its cell.

    density: (h, w, 3), signed; cover: (h, w), 0..1, soft at the edge.
    strength: mean density in green over the spot. place: its top and left in the picture it was found in.
    """

    density: Reals
    cover: Reals
    strength: float
    place: tuple[int, int] = (0, 0)


def on_black(pixels: Pixels) -> Mask:
    """The mask of a cell that stands on black, as NIH cells do."""
    return np.asarray(ndimage.binary_fill_holes(pixels.max(axis=2) > BLACK), np.bool_)


def spot_of(pixels: Pixels, mask: Mask) -> Spot | None:
    """The strongest stained spot within a cell, or None where there is none."""
    side = pixels.shape[0]
    inside = ndimage.binary_erosion(mask, iterations=max(side // 20, 2))
    if inside.mean() < 0.1:
        return None
    raised = _raised(density(pixels), inside, side)
    core = _strongest(raised, inside)
    if core is None or not AREA[0] <= core.mean() <= AREA[1]:
        return None
    strength = float(raised[core].mean())
    whole = ndimage.binary_dilation(ndimage.binary_fill_holes(core), iterations=max(side // 48, 1)) & mask
    added = _added(density(pixels), whole, mask, side)
    cover = ndimage.gaussian_filter(whole.astype(np.float32), side / 128)
    rows, columns = np.nonzero(cover > 0.02)
    cut = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return Spot(added[cut], cover[cut], strength, (int(rows.min()), int(columns.min())))


def _raised(densities: Reals, inside: Mask, side: int) -> Reals:
    """How much green density stands above its surroundings (white top-hat), 0 outside."""
    green = densities[:, :, 1]
    level = float(np.median(green[inside]))
    flat = np.where(inside, green, level)
    smooth = ndimage.gaussian_filter(flat, side / 160)
    reach = int(REACH * side) | 1
    return np.asarray(ndimage.white_tophat(smooth, size=(reach, reach)) * inside, np.float32)


def _strongest(raised: Reals, inside: Mask) -> Mask | None:
    peak = float(np.quantile(raised[inside], 0.998))
    if peak < FAINTEST:
        return None
    near = ndimage.binary_closing(raised > 0.4 * peak, iterations=2)
    names, count = ndimage.label(near)
    if not count:
        return None
    sums = ndimage.sum_labels(raised, names, np.arange(1, count + 1))
    return np.asarray(names == 1 + int(np.argmax(sums)), np.bool_)


def _added(densities: Reals, spot: Mask, mask: Mask, side: int) -> Reals:
    """The density of the spot less that of the cell beneath, told from the cell about it."""
    around = (mask & ~ndimage.binary_dilation(spot, iterations=2)).astype(np.float32)
    reach = side / 14
    weight = ndimage.gaussian_filter(around, reach) + 1e-6
    beneath = [ndimage.gaussian_filter(densities[:, :, c] * around, reach) / weight for c in range(3)]
    return np.asarray(densities - np.stack(beneath, axis=2), np.float32)


def strengthened(spot: Spot, strength: float) -> Spot:
    """The spot absorbing as much in green as told, within 0.3 to 4 times what it absorbs now.

    Where it is clearer than its cell it is made no clearer: nothing on a smear shines.
    """
    factor = float(np.clip(strength / spot.strength, 0.3, 4.0))
    scaled = np.where(spot.density > 0, spot.density * factor, spot.density * min(factor, 1.0))
    return replace(spot, density=np.asarray(scaled, np.float32), strength=spot.strength * factor)


def turned(
    spot: Spot, rng: np.random.Generator, blur: float, sizes: tuple[float, float] = (0.7, 2.2)
) -> Spot:
    """The spot turned, sized anew, stained 0.75 to 1.3 as strongly, tinted, and blurred (in pixels)."""
    angle, scale = float(rng.uniform(0, 360)), float(np.exp(rng.uniform(*np.log(sizes))))
    tint = rng.uniform(0.75, 1.3) * rng.uniform(0.88, 1.12, 3)
    planes = np.concatenate([spot.density * tint * spot.cover[..., None], spot.cover[..., None]], axis=2)
    if rng.random() < 0.5:
        planes = planes[:, ::-1]
    planes = ndimage.rotate(planes, angle, order=1, reshape=True)
    planes = ndimage.zoom(planes, (scale, scale, 1), order=1)
    if blur > 0:
        planes = np.pad(planes, [(3, 3), (3, 3), (0, 0)])
        planes = ndimage.gaussian_filter(planes, (blur, blur, 0))
    planes = np.asarray(planes, np.float32)
    return Spot(planes[:, :, :3], planes[:, :, 3], spot.strength)


def planted(pixels: Pixels, mask: Mask, spot: Spot, rng: np.random.Generator) -> Pixels | None:
    """The cell with the spot on it (made by `turned`), well within its mask; None where it does not fit."""
    height, width = spot.cover.shape
    room = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    need = 0.55 * min(height, width) / 2
    places = np.argwhere(room > max(need, 2.0))
    if not len(places):
        return None
    y, x = places[rng.integers(len(places))] - np.array([height // 2, width // 2])
    top, left = max(0, -y), max(0, -x)
    bottom, right = min(height, pixels.shape[0] - y), min(width, pixels.shape[1] - x)
    densities = density(pixels)
    window = densities[y + top : y + bottom, x + left : x + right]
    window += spot.density[top:bottom, left:right] * mask[y + top : y + bottom, x + left : x + right, None]
    return lit(np.maximum(densities, 0.0))
