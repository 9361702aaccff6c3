"""Cells with a part hidden: the tenth where the activation map is hottest, and a tenth anywhere.

If the map shows what decides, hiding its hottest tenth must change the answer, and hiding as much elsewhere
must not (region perturbation: Samek et al., IEEE TNNLS 28:2660, 2017). What is hidden takes the colour of the
rest of the cell, with soft edges, so that as little as possible is added. What a hidden part looks like may
still sway a network; the random tenth is hidden in the same way, so it tells how much.
"""

import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from scipy.spatial import KDTree

from malaria import explain, segment
from malaria.predict import Model
from malaria.preprocess import to_square
from malaria.scoring import View

Mask = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.floating]  # type: ignore[type-arg]

SHARE = 0.1
"""Of the cell's pixels that are hidden."""
SOFT = 0.015
"""Width of the hidden part's edge (a Gaussian's sigma), as a share of the picture's longer side."""
HOTTEST, RANDOM = "hidden/hottest", "hidden/random"
"""Names of the views."""


class Hiding:
    """Shows cells with a tenth hidden, as a model's map of the whole cell says and by chance.

    Its views are asked for one picture after the other, both of the same picture in turn.
    """

    def __init__(self, model: Model, seed: int) -> None:
        self._model, self._seed = model, seed
        self._of: tuple[Image.Image, Mask, Mask] | None = None

    def views(self) -> Mapping[str, View]:
        return {HOTTEST: self._hottest, RANDOM: self._random}

    def _hottest(self, image: Image.Image) -> Image.Image:
        cell, part = self._found(image)
        return hidden(image, part, cell)

    def _random(self, image: Image.Image) -> Image.Image:
        """Where is drawn by the seed and the picture: the same picture is always treated alike."""
        cell, part = self._found(image)
        rng = np.random.default_rng([self._seed, zlib.crc32(image.tobytes())])
        return hidden(image, elsewhere(part, cell, rng), cell)

    def _found(self, image: Image.Image) -> tuple[Mask, Mask]:
        """The cell, and its hottest tenth."""
        if self._of is None or self._of[0] is not image:
            scored = self._model.score(to_square(image, self._model.info.input_size))
            cell = segment.mask(np.asarray(image))
            heat = explain.on_picture(scored.activation, image.size)
            self._of = image, cell, most(heat, cell, amount(cell))
        return self._of[1:]


def amount(cell: Mask) -> int:
    """How many pixels are SHARE of a cell; at least one."""
    return max(1, round(SHARE * int(cell.sum())))


def most(values: Reals, cell: Mask, count: int) -> Mask:
    """The `count` pixels of a cell with the highest values, (h, w)."""
    places = np.flatnonzero(cell)
    chosen = np.zeros(cell.size, np.bool_)
    chosen[places[np.argsort(-values.ravel()[places], kind="stable")[:count]]] = True
    return chosen.reshape(cell.shape)


def elsewhere(part: Mask, cell: Mask, rng: np.random.Generator) -> Mask:
    """As many pixels of the cell as the part has, in its shape, turned and moved by chance.

    The part's middle goes to any pixel of the cell with the same chance, and may stay where it was. What
    would fall outside of the cell is made up for by the pixels of the cell next to it.
    """
    spots, places = np.argwhere(part).astype(np.float64), np.argwhere(cell).astype(np.float64)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (spots - spots.mean(axis=0)) @ turn + places[rng.integers(len(places))]
    distance = np.full(cell.shape, np.inf)
    few = range(1, min(4, len(spots)) + 1)  # of one spot alone, gaps between turned spots would be outside
    distance[cell] = np.mean(KDTree(moved).query(places, list(few))[0], axis=1)
    return most(-distance, cell, len(spots))


def hidden(image: Image.Image, part: Mask, cell: Mask) -> Image.Image:
    """The RGB picture with a part of its cell in the median colour of the cell's rest."""
    pixels = np.asarray(image, np.float32)
    rest = cell & ~part
    colour = np.median(pixels[rest if rest.any() else cell], axis=0)
    soft = ndimage.gaussian_filter(part.astype(np.float32), SOFT * max(image.size), mode="nearest") * cell
    covered = pixels + (colour - pixels) * soft[..., np.newaxis]
    return Image.fromarray(np.rint(covered).astype(np.uint8))
