"""A change of stain and lamp, for laboratories that are simulated: less red, more blue, washed out."""

import numpy as np
from PIL import Image

from malaria.preprocess import BLACK

LAMP = np.array([[0.55, 0.10, 0.25], [0.20, 0.80, 0.15], [0.05, 0.10, 0.75]])
"""How much of red, green and blue (rows) goes into each of them (columns)."""


def washed_out(image: Image.Image, contrast: float = 0.72, light: float = 52.0) -> Image.Image:
    """The RGB picture under another stain and lamp; black about a cell stays black.

    contrast: a share of what it was. light: added to every pixel, of 255.
    """
    rgb = np.asarray(image, dtype=np.float64)
    changed = np.clip(contrast * (rgb @ LAMP) + light, 0, 255)
    surround = rgb.max(axis=-1, keepdims=True) <= BLACK
    return Image.fromarray(np.where(surround, rgb, changed).astype(np.uint8))
