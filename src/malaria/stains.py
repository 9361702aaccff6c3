"""Changes of stain and lamp, for laboratories that are simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria.preprocess import BLACK


@dataclass(frozen=True)
class Change:
    """lamp: how much of red, green and blue (rows) goes into each of them (columns), (3, 3). contrast: a
    share of what it was, above 0. light: added to every pixel, of 255. Black about a cell stays black."""

    lamp: npt.NDArray[np.float64]
    contrast: float
    light: float

    def __call__(self, image: Image.Image) -> Image.Image:
        rgb = np.asarray(image, dtype=np.float64)
        changed = np.clip(self.contrast * (rgb @ self.lamp) + self.light, 0, 255)
        surround = rgb.max(axis=-1, keepdims=True) <= BLACK
        return Image.fromarray(np.where(surround, rgb, changed).astype(np.uint8))


washed_out = Change(np.array([[0.55, 0.10, 0.25], [0.20, 0.80, 0.15], [0.05, 0.10, 0.75]]), 0.72, 52.0)
"""Less red, more blue, and pale."""

SIMULATED: Mapping[str, Change] = {
    "washed out": washed_out,
    "yellow lamp": Change(np.array([[0.98, 0.06, 0.02], [0.06, 0.88, 0.10], [0.0, 0.10, 0.55]]), 0.92, 4.0),
    "grey and dark": Change(
        np.array([[0.62, 0.20, 0.20], [0.28, 0.58, 0.24], [0.10, 0.22, 0.56]]), 0.80, -6.0
    ),
}
"""Laboratories by what their pictures look like."""
