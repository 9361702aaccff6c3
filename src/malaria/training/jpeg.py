"""Pictures as a camera or a phone keeps them: saved as JPEG, which takes detail away and adds its own."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria.corruptions import through_jpeg
from malaria.preprocess import Pixels

QUALITY = (10, 75)
"""Lowest and highest that is drawn, as Pillow counts it."""
SUBSAMPLING = ("4:4:4", "4:2:0")


def saved(pixels: npt.NDArray[np.uint8], share: float, seed: int) -> Pixels:
    """The pictures, (n, s, s, 3), of which a share went through JPEG, each at a quality of its own."""
    if not share:
        return np.asarray(pixels)
    rng = np.random.default_rng((seed, 5))
    through = np.array(pixels)
    for i in np.flatnonzero(rng.random(len(pixels)) < share):
        quality = int(rng.integers(*QUALITY, endpoint=True))
        through[i] = through_jpeg(Image.fromarray(through[i]), quality, str(rng.choice(SUBSAMPLING)))
    return through
