"""Pictures that are nearly the same but for a turn by any angle, mirrored or not.

What is compared is the disc in the middle of the picture, in green, where stained parasites stand out most
and JPEG loses least: rings about its centre, in two bands, the coarse form of the cell and its grain. On a
ring a turn is a shift, so by Fourier's theorem all turns are compared at once; and as no shift can make two
rings agree better than their amplitudes do, most pairs are ruled out by one product of those alone. Cells
without grain look alike in their form, hence the grain; a copy saved as JPEG loses some of it, hence the
form. The figures were chosen on NIH cells, BBBC041 and Chula (tests/flow/test_near_copies.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 48
NEAR = 0.985
"""From which agreement on two pictures are near; 1 is the same picture."""
_RADIUS = 0.8
"""Of the disc, as a share of the largest in the picture: what a turn brings in from outside lies beyond."""
_LEAST = 1.0
"""Grey levels, root mean square, below which the coarse form is none: a blank picture is near to nothing."""
_TURNS = 128
_AT_ONCE = 64

_Waves = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class _Band:
    """rings, by as many points; waves that are kept of each, from the constant one on. blur, less: sigmas, in
    pixels, of the Gaussian, and of the wider one that is taken off. weight: of the band in the agreement."""

    rings: int
    points: int
    waves: int
    blur: float
    less: float | None
    weight: float


_FORM = _Band(rings=6, points=64, waves=13, blur=2.0, less=None, weight=0.7)
_GRAIN = _Band(rings=12, points=128, waves=33, blur=1.0, less=2.5, weight=0.3)


def middle(image: Image.Image) -> bytes:
    """What is compared of an RGB picture: the green of the largest square in its middle, SIDE x SIDE."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.getchannel("G").resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box).tobytes()


class Turns:
    """n pictures, given by their `middle`s, to be compared with one another."""

    def __init__(self, middles: Sequence[bytes]) -> None:
        pixels = np.frombuffer(b"".join(middles), np.uint8).reshape(len(middles), SIDE * SIDE)
        self._waves = np.concatenate([_waves(_FORM, pixels), _waves(_GRAIN, pixels)], axis=1)
        self._sizes = np.abs(self._waves)

    def maybe(self, block: slice) -> npt.NDArray[np.bool_]:
        """Which of a block, (m,), may be near to which of all up to its end, (m, end): no other is."""
        found: npt.NDArray[np.bool_] = self._sizes[block] @ self._sizes[: block.stop].T >= NEAR
        return found

    def first(self, one: int, others: npt.NDArray[np.intp]) -> int | None:
        """The first of the others that a picture is near to. Of copies the first hit comes soon, so a flood
        of them costs no more than its number."""
        for start in range(0, len(others), _AT_ONCE):
            some = others[start : start + _AT_ONCE]
            hits = np.flatnonzero(self._agreement(one, some) >= NEAR)
            if len(hits):
                return int(some[hits[0]])
        return None

    def _agreement(self, one: int, others: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """The best correlation with each of m others, (m,), over all turns, of either side up."""
        a, b = self._waves[one], self._waves[others]
        either = [(_by_wave(a * turned) @ _shifts()).real.max(axis=1) for turned in (b.conj(), b)]
        return np.asarray(np.maximum(*either), np.float32)


def _waves(band: _Band, pixels: npt.NDArray[np.uint8]) -> _Waves:
    """(n, rings * waves), each of length sqrt(weight), or none of a picture without structure."""
    found = np.empty((len(pixels), band.rings * band.waves), np.complex64)
    for start in range(0, len(pixels), 512):
        some = slice(start, start + 512)
        found[some] = pixels[some].astype(np.float32) @ _lens(band)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    found *= np.sqrt(band.weight) / np.maximum(length, _LEAST if band.less is None else 1e-3)
    return found


@lru_cache(maxsize=2)
def _lens(band: _Band) -> _Waves:
    """(SIDE * SIDE, rings * waves): from pixels to the waves of the rings, blurred, of mean 0.

    Scaled so that a sum of squares is the mean square over the disc's area.
    """
    radii = (np.arange(band.rings) + 0.5) / band.rings * SIDE / 2 * _RADIUS
    angles = np.arange(band.points) / band.points * 2 * np.pi
    y, x = (SIDE - 1) / 2 + np.stack([np.sin(angles), np.cos(angles)])[:, None] * radii[:, None]
    seen = _blurred(y, x, band.blur) - (_blurred(y, x, band.less) if band.less else 0.0)
    share = (radii / radii.sum())[:, None, None]
    seen -= (share * seen).sum(axis=(0, 1)) / band.points
    waves = np.fft.rfft(seen, axis=1)[:, : band.waves] / band.points * np.sqrt(share)
    waves[:, 1:] *= np.sqrt(2)  # the other half of the spectrum, which is its mirror
    return np.asarray(waves.reshape(-1, SIDE * SIDE).T, np.complex64)


def _blurred(y: npt.NDArray[Any], x: npt.NDArray[Any], sigma: float) -> npt.NDArray[np.float64]:
    """(rings, points, SIDE * SIDE): what each pixel weighs in each point, under a Gaussian."""
    pixel = np.arange(SIDE)
    across = np.exp(-((x[..., None] - pixel) ** 2) / (2 * sigma**2))
    down = np.exp(-((y[..., None] - pixel) ** 2) / (2 * sigma**2))
    weights = (down[..., :, None] * across[..., None, :]).reshape(*x.shape, SIDE * SIDE)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


@lru_cache(maxsize=1)
def _shifts() -> npt.NDArray[np.complex64]:
    """(waves, turns): by what each wave is multiplied at each turn."""
    turn = 2j * np.pi / _TURNS * np.outer(np.arange(_GRAIN.waves), np.arange(_TURNS))
    return np.asarray(np.exp(turn), np.complex64)


def _by_wave(products: _Waves) -> _Waves:
    """Summed over the rings of both bands: (m, rings * waves of both) to (m, _GRAIN.waves)."""
    form, grain = np.split(products, [_FORM.rings * _FORM.waves], axis=1)
    total = grain.reshape(len(grain), -1, _GRAIN.waves).sum(axis=1)
    total[:, : _FORM.waves] += form.reshape(len(form), -1, _FORM.waves).sum(axis=1)
    return np.asarray(total, np.complex64)
