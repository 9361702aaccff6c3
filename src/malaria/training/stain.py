"""The stain of a picture, brought to one density before a network sees it.

What is stained more absorbs more, in proportion (Beer-Lambert), so another stain, lamp or exposure is first
of all another factor on the optical density of each channel (Ruifrok & Johnston, 2001). Crops of BBBC041 are
two to three times as dense as NIH cells, further than augmentation goes here.
"""

from typing import Any

import keras
from keras import ops

from malaria.preprocess import BLACK

DENSITY = (0.50, 0.65, 0.63)
"""Of red, green and blue: the median of NIH training cells, in natural logarithms."""
FURTHEST = 4.0
"""The most that density is multiplied with, or divided by."""


@keras.saving.register_keras_serializable("malaria")
class Normalised(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Scales the density of each channel so that a picture's is `DENSITY`. RGB (n, h, w, 3), 0..255, in and
    out.

    A picture's density is the mean over its pixels, each weighted with its own, so that the cell counts and
    the plasma about it hardly does. Black, on which cells stand, is left out and stays.

    share: how far it is brought there, as a power of the factor; 1: wholly.
    """

    def __init__(self, share: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.share = share

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share}

    def call(self, x: Any) -> Any:
        x = ops.cast(x, "float32")
        shown = ops.cast(ops.max(x, axis=-1, keepdims=True) > BLACK, "float32")
        density = -ops.log((x + 1.0) / 256.0)
        counted = density * shown
        total = ops.sum(counted, axis=(1, 2), keepdims=True)
        mean = ops.sum(counted * counted, axis=(1, 2), keepdims=True) / ops.maximum(total, 1e-3)
        factor = ops.clip(ops.convert_to_tensor(DENSITY) / ops.maximum(mean, 1e-3), 1.0 / FURTHEST, FURTHEST)
        changed = 256.0 * ops.exp(-density * ops.power(factor, self.share)) - 1.0
        return x + shown * (changed - x)
