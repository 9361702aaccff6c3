"""What a microscope, a camera and a stain may change about a cell without changing its label.

Keras 3 operations on batches: RGB (n, s, s, 3) float32 in 0..255 in and out. Each picture draws its own
changes: flips and quarter turns, scale and shift (black beyond the edge), gain and shift for each colour
channel, gamma, some blur and noise.
"""

from typing import Any

import keras
from keras import ops

ZOOM = 0.15
SHIFT = 0.06
GAIN = 0.2
OFFSET = 0.06 * 255
GAMMA = 0.29  # exp(0.29) = 1.33
BLUR_SHARE = 0.2
NOISE = 6.0


@keras.saving.register_keras_serializable("malaria")
class Augment(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A seeded augmentation at the head of a network in training; each call draws anew."""

    def __init__(self, seed: int = 0, **settings: object) -> None:
        super().__init__(**settings)
        self.seed = seed
        self._seed = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "seed": self.seed}

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return images
        n = ops.shape(images)[0]
        images = self._turn(ops.cast(images, "float32"), n)
        images = self._place(images, n)
        images = self._stain(images, n)
        return ops.clip(self._blur_and_noise(images, n), 0.0, 255.0)

    def _uniform(self, shape: Any, low: Any, high: Any) -> Any:
        return keras.random.uniform(shape, low, high, seed=self._seed)

    def _chance(self, n: Any, share: Any) -> Any:
        return self._uniform((n, 1, 1, 1), 0.0, 1.0) < share

    def _turn(self, x: Any, n: Any) -> Any:
        x = ops.where(self._chance(n, 0.5), ops.flip(x, 1), x)
        x = ops.where(self._chance(n, 0.5), ops.flip(x, 2), x)
        return ops.where(self._chance(n, 0.5), ops.transpose(x, (0, 2, 1, 3)), x)

    def _place(self, x: Any, n: Any) -> Any:
        """Scale and shift about the centre."""
        side = ops.cast(ops.shape(x)[1], "float32")
        scale = 1.0 / self._uniform((n,), 1 - ZOOM, 1 + ZOOM)
        dx = self._uniform((n,), -SHIFT, SHIFT) * side
        dy = self._uniform((n,), -SHIFT, SHIFT) * side
        centre = side / 2 * (1 - scale)
        zero = ops.zeros((n,))
        rows = [scale, zero, centre + dx, zero, scale, centre + dy, zero, zero]
        transform = ops.stack(rows, axis=1)
        return ops.image.affine_transform(x, transform, interpolation="bilinear")

    def _stain(self, x: Any, n: Any) -> Any:
        """Gain, shift and gamma, by channel where colour changes; black surround stays black."""
        gain = self._uniform((n, 1, 1, 3), 1 - GAIN, 1 + GAIN)
        offset = self._uniform((n, 1, 1, 3), -OFFSET, OFFSET)
        gamma = ops.exp(self._uniform((n, 1, 1, 1), -GAMMA, GAMMA))
        changed = ops.clip(x * gain + offset, 0.0, 255.0)
        changed = 255.0 * ops.power(changed / 255.0 + 1e-6, gamma)
        surround = ops.max(x, axis=-1, keepdims=True) < 8.0
        return ops.where(surround, x, changed)

    def _blur_and_noise(self, x: Any, n: Any) -> Any:
        blurred = ops.average_pool(x, 3, strides=1, padding="same")
        x = ops.where(self._chance(n, BLUR_SHARE), blurred, x)
        strength = self._uniform((n, 1, 1, 1), 0.0, NOISE)
        return x + strength * keras.random.normal(ops.shape(x), seed=self._seed)
