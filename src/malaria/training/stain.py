"""The stain of a picture, brought to one density before a network sees it.

What is stained more absorbs more, in proportion (Beer-Lambert), so another stain, lamp or exposure is first
of all another factor on the optical density of each channel (Ruifrok & Johnston, 2001). Crops of BBBC041 are
two to three times as dense as NIH cells, further than augmentation goes here.
"""

from typing import Any

import keras
from keras import ops

from malaria.preprocess import BLACK

DENSITY = (0.28, 0.52, 0.50)
"""Of red, green and blue, in natural logarithms: the median over NIH training cells of that of each."""
FURTHEST = 4.0
"""The most that density is multiplied with, or divided by."""
STEPS = 2


@keras.saving.register_keras_serializable("malaria")
class Normalised(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Scales the density of each channel so that the cell's is `DENSITY`. RGB (n, h, w, 3), 0..255, in and
    out. Black, on which cells stand, stays.

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
        of_cell = middle((density * shown)[:, ::2, ::2])
        factor = ops.clip(ops.convert_to_tensor(DENSITY) / of_cell, 1.0 / FURTHEST, FURTHEST)
        changed = 256.0 * ops.exp(-density * ops.power(factor, self.share)) - 1.0
        return x + shown * (changed - x)


def middle(density: Any) -> Any:
    """The density of what most of a picture's stain is in, the body of a cell: (n, 1, 1, 3) of (n, h, w, 3).

    A mean that is weighted anew about the last one, so that neither bright plasma nor a dark parasite, of
    which it should not tell, counts for much.
    """
    found = _mean(density, density)
    for _ in range(STEPS):
        near = ops.square(density / found)
        found = _mean(density, near / (1.0 + near * near))
    return found


def _mean(of: Any, weights: Any) -> Any:
    total = ops.sum(weights, axis=(1, 2), keepdims=True)
    return ops.maximum(ops.sum(of * weights, axis=(1, 2), keepdims=True) / ops.maximum(total, 1e-3), 1e-3)
