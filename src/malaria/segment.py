"""Which pixels of a crop are its cell: so that a raw crop can be laid on black, as NIH cells stand.

A crop of a thin smear holds one cell in the middle, on a lighter plasma, and often parts of neighbours at
its edges. Stain and white balance differ, so no colour is known beforehand: the plasma's own is read off the
crop, and what is far from it is cell (Otsu, IEEE Trans. SMC 9:62, 1979). Neighbours that touch are cut at the
neck, by a watershed of the depth inside the outline. Where no outline is plausible, the cell is an ellipse.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from malaria.preprocess import BLACK

Mask = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float32]

WORK_SIDE = 64
"""Longest side, in pixels, at which a crop is looked at: enough for an outline, and fast."""
LEAST, MOST = 0.12, 0.97
"""Shares of the crop that a cell may fill; outside of them the outline is not believed."""
SHARES = (1.0, 0.75, 0.5, 0.35)
"""Of Otsu's threshold, tried in turn: a pale cell with a dark rim needs a lower one to be whole."""
NECKS = (0.8, 0.65, 0.5, 0.35, 0.2)
"""Shares of the cell's depth at which a neighbour may come loose."""
ON_BLACK = 0.5
"""A cell that stands on black touches less of the rectangle about it: of 1,500 each, NIH cells at most
0.38, padded crops of BCCD 0.88 and more in 99 of 100."""
GAP, HOLLOW, WHOLE = 4, 12, 0.85
"""Radii, at the working size, of gaps that are closed and of bays that speak against an outline; and the
share of its bays, and of the crop's middle, that a whole cell fills."""


def masked(image: Image.Image) -> Image.Image:
    """The crop with all that is not its cell in black, RGB, of the same size."""
    return Image.fromarray(cut(np.asarray(image.convert("RGB"))))


def cut(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same of pixels, (h, w, 3)."""
    return np.asarray(pixels * mask(pixels)[..., np.newaxis], np.uint8)


def mask(pixels: npt.NDArray[np.uint8]) -> Mask:
    """Which pixels belong to the middle cell, (h, w), of a raw crop, (h, w, 3) RGB, padded with black or not.

    One piece without holes. An ellipse that fills the crop where no outline is plausible.
    """
    bright = pixels.max(axis=2) > BLACK
    if not np.any(bright):
        return _ellipse(pixels.shape[:2])
    crop = _box(bright)
    if np.mean(_border(bright[crop])) < ON_BLACK:
        return _filled(_middle_piece(bright))
    found = np.zeros(pixels.shape[:2], np.bool_)
    found[crop] = _of_raw(pixels[crop])
    return found


def _box(bright: Mask) -> tuple[slice, slice]:
    """The smallest rectangle that holds all that is bright: a crop without the black that made it square."""
    rows, columns = (np.flatnonzero(bright.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _of_raw(pixels: npt.NDArray[np.uint8]) -> Mask:
    height, width = pixels.shape[:2]
    found = _outline(_shrunk(pixels))
    if found is None:
        return _ellipse((height, width))
    soft = Image.fromarray(ndimage.gaussian_filter(found.astype(np.float32), 0.7, mode="nearest"))
    return np.asarray(soft.resize((width, height), Image.Resampling.BILINEAR)) > 0.5


def _border(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _shrunk(pixels: npt.NDArray[np.uint8]) -> _Floats:
    height, width = pixels.shape[:2]
    scale = WORK_SIDE / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(ndimage.gaussian_filter(np.asarray(small, np.float32), (0.8, 0.8, 0)))


def _outline(small: _Floats) -> Mask | None:
    """The cell at the working size, or None where no threshold gives one of a cell's size.

    The first that is whole; where none is, as with a bent or broken cell, the one that is most so.
    """
    distance = _distance(small)
    threshold = _otsu(distance)
    best, most = None, 0.0
    for share in SHARES:
        cell = _filled(_closed(_middle_cell(_filled(distance > share * threshold)), GAP))
        if not LEAST <= cell.mean() <= MOST:
            continue
        whole = min(cell.sum() / _closed(cell, HOLLOW).sum(), cell[_ellipse(cell.shape, 0.3)].mean())
        if whole > most:
            best, most = cell, whole
        if whole > WHOLE:
            break
    return best


def _distance(small: _Floats) -> _Floats:
    """How far each pixel's colour is from the plasma's, towards the cell's side of it: (h, w)."""
    outside, inside = ~_ellipse(small.shape[:2], 0.9), _ellipse(small.shape[:2], 0.5)
    light = small.sum(axis=2)
    on_dark = np.median(light[outside]) < 0.5 * np.median(light[inside])
    sign = -1 if on_dark else 1
    brightest = sign * light[outside] >= np.quantile(sign * light[outside], 0.6)
    plasma = np.median(small[outside][brightest], axis=0)
    return np.asarray(np.linalg.norm(np.maximum(sign * (plasma - small), 0), axis=2))


def _otsu(values: _Floats) -> float:
    """The threshold between two classes with the most variance between them."""
    counts, edges = np.histogram(values, 64)
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts)[:-1], counts.sum()
    sums = np.cumsum(counts * centres)
    with np.errstate(invalid="ignore"):  # a plain crop has one class only
        between = (sums[-1] * below / total - sums[:-1]) ** 2 / (below * (total - below))
    return float(edges[1 + int(np.nan_to_num(between).argmax())])


def _closed(piece: Mask, radius: int) -> Mask:
    """Gaps of up to twice the radius, closed; the crop's edge counts as what stands beside it."""
    wide = np.pad(piece, radius + 1, mode="edge")
    grown = ndimage.distance_transform_edt(~wide) <= radius
    shrunk = ndimage.distance_transform_edt(np.pad(grown, radius, mode="edge")) > radius
    cut = slice(2 * radius + 1, -2 * radius - 1)
    return np.asarray(shrunk[cut, cut]) | piece


def _middle_cell(apart: Mask) -> Mask:
    """The piece in the middle, without the neighbours that touch it.

    A watershed by hand: the depth inside the outline falls from level to level, what is new goes to the
    nearest basin, and a piece at the crop's edge that is loose from the middle one is a neighbour's.
    """
    piece = _middle_piece(apart)
    depth = _depth(piece)
    deepest = float(depth[_ellipse(piece.shape, 0.6)].max())
    owner = _middle_piece(depth >= NECKS[0] * deepest).astype(np.int8)  # 1 the cell, 2 a neighbour
    for share in (*NECKS, 0.0):
        level = (depth >= share * deepest) & piece
        pieces, _ = ndimage.label(level)
        loose = set(np.unique(_border(pieces))) - set(np.unique(pieces[owner > 0])) - {0}
        if share > 0:
            owner[np.isin(pieces, list(loose))] = 2
        if (owner == 2).any():
            rows, columns = ndimage.distance_transform_edt(
                owner == 0, return_distances=False, return_indices=True
            )
            owner = np.where(level, owner[rows, columns], owner)
        else:
            owner = np.where(level & np.isin(pieces, pieces[owner == 1]), 1, owner).astype(np.int8)
    return _middle_piece(owner == 1)


def _depth(piece: Mask, beyond: int = WORK_SIDE // 4) -> _Floats:
    """How far inside the outline each pixel is; what the crop cuts is taken to go on a little beyond."""
    wide = np.pad(np.pad(piece, beyond, mode="edge"), 1)
    cut = slice(beyond + 1, -beyond - 1)
    return np.asarray(ndimage.distance_transform_edt(wide)[cut, cut])


def _middle_piece(apart: Mask) -> Mask:
    """The connected piece with the most of itself near the middle."""
    pieces, count = ndimage.label(apart)
    if count < 2:
        return apart
    height, width = apart.shape
    y, x = np.ogrid[:height, :width]
    near = np.exp(-12 * (((y + 0.5) / height - 0.5) ** 2 + ((x + 0.5) / width - 0.5) ** 2))
    weights = ndimage.sum_labels(near, pieces, np.arange(1, count + 1))
    return np.asarray(pieces == 1 + int(np.argmax(weights)))


def _filled(cell: Mask) -> Mask:
    return np.asarray(ndimage.binary_fill_holes(cell))


def _ellipse(shape: tuple[int, ...], scale: float = 1.0) -> Mask:
    """An ellipse in the middle; scale 1 touches the edges."""
    height, width = shape
    y, x = np.ogrid[:height, :width]
    dy, dx = (2 * y + 1 - height) / (height * scale), (2 * x + 1 - width) / (width * scale)
    return np.asarray(dy**2 + dx**2 <= 1)
