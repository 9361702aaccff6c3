"""Base cells in the stain of other laboratories, label, parasites and all.

A laboratory that brings uninfected cells only would teach its stain as a sign of health. Here base cells,
infected ones too, take on the stain of that laboratory's cells: the body of the cell is moved to the density
of theirs, in optical density (as Reinhard et al., 2001, move colours, but the median only), and what stands
out from the body keeps standing out as before.
"""

import functools

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from malaria import segment
from malaria.ports import Report
from malaria.preprocess import BLACK, Pixels
from malaria.training.composing import each
from malaria.training.dataset import CellArrays, Part
from malaria.training.grafts import blur_of
from malaria.training.surround import surrounded
from malaria.training.transplant import Reals, density, lit, on_black

VARIED = 0.25
"""Standard deviation of the logarithm by which a stain that is drawn differs from one that was seen."""
ON_BLACK = 0.3
"""Share that stays on black; the others are laid on the plasma of the cell whose stain they take."""


def restain_all(
    plain: CellArrays, others: CellArrays, seed: int, report: Report, varied: float = 0.0
) -> Part:
    """Each base cell in the stain of a cell of another laboratory; nothing where there is no other.

    varied: share of them whose stain is one drawn about that, as no laboratory at hand has it.
    """
    if not len(others):
        return Part(np.empty((0, *plain.pixels.shape[1:]), np.uint8), np.empty(0, np.float32))
    fields = {group: np.flatnonzero(others.groups == group) for group in np.unique(others.groups)}

    @functools.cache  # each is asked for several times
    def mask_of(k: int) -> npt.NDArray[np.bool_]:
        return segment.mask(np.asarray(others.pixels[k]))

    def one(i: int, pixels: Pixels) -> Pixels:
        rng = np.random.default_rng((seed, 4, i))
        k = int(rng.integers(len(others)))
        model, mask = np.asarray(others.pixels[k]), mask_of(k)
        drawn = np.random.default_rng((seed, 5, i))
        lamp, stain = _drawn(drawn) if drawn.random() < varied else (np.ones(3, np.float32),) * 2
        made = restained(pixels, median(density(model), mask) * lamp * stain)
        sigma = blur_of(others.origins[k], pixels.shape[0])
        made = _blurred(made, sigma) if rng.random() < 0.5 else made
        plasma = ~mask & (model.max(axis=2) > BLACK)  # not what made the crop a square
        if rng.random() < ON_BLACK or not plasma.any():
            return made
        beside = rng.choice(fields[others.groups[k]], int(rng.choice(3, p=[0.4, 0.35, 0.25])))
        near = [np.asarray(others.pixels[j]) * mask_of(int(j))[..., np.newaxis] for j in beside]
        return surrounded(made, near, rng, median(density(model), plasma) * lamp)

    return Part(each(one, plain.pixels, "restained", report), plain.labels.astype(np.float32))


def _drawn(rng: np.random.Generator) -> tuple[Reals, Reals]:
    """By what the density of all, and of what is stained, is multiplied in each channel, (3,) both."""
    lamp, stain = (np.exp(rng.normal(0.0, VARIED, 3)).astype(np.float32) for _ in range(2))
    return lamp, stain


def restained(pixels: Pixels, body: Reals) -> Pixels:
    """The cell, (s, s, 3) on black, with a body of the density told, (3,); what stands out of it stays."""
    mask = on_black(pixels)
    if not mask.any():
        return pixels
    densities = density(pixels)
    own = median(densities, mask)
    smooth = ndimage.gaussian_filter(densities[:, :, 1], pixels.shape[0] / 64)
    thick = np.clip(smooth / max(float(own[1]), 0.05), 0.0, 1.0)[..., np.newaxis]
    moved = lit(np.maximum(densities + (body - own) * thick, 0.0))
    return np.asarray(moved * mask[..., np.newaxis], np.uint8)


def median(densities: Reals, mask: npt.NDArray[np.bool_]) -> Reals:
    """The median density of each channel within the mask, (3,)."""
    return np.asarray(np.median(densities[mask], axis=0), np.float32)


def _blurred(pixels: Pixels, sigma: float) -> Pixels:
    mask = on_black(pixels)[..., np.newaxis]
    return np.asarray(ndimage.gaussian_filter(pixels, (sigma, sigma, 0)) * mask, np.uint8)
