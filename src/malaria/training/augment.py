"""What a microscope, a camera and a stain may change about a cell without changing its label.

Keras 3 operations on batches: RGB (n, s, s, 3) float32 in 0..255 in and out. Each picture draws its own
changes. Stain is changed in optical density, where it adds up (Ruifrok & Johnston, 2001): each channel
absorbs more or less.
"""

from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from malaria.preprocess import BLACK
from malaria.training.recipe import Changes

MARK = (0.05, 0.2)
"""Shortest and longest side of a mark, as a share of the picture's: too small to hide many parasites."""


@keras.saving.register_keras_serializable("malaria")
class Augment(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A seeded augmentation at the head of a network in training; each call draws anew.

    changes: the fields of `recipe.Changes`, as a mapping.
    """

    def __init__(self, seed: int = 0, changes: dict[str, float] | None = None, **settings: object) -> None:
        super().__init__(**settings)
        self.seed = seed
        self.changes = Changes(**(changes or {}))
        self._seed = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "seed": self.seed, "changes": asdict(self.changes)}

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return images
        n = ops.shape(images)[0]
        images = self._turn(ops.cast(images, "float32"), n)
        images = self._place(images, n)
        if self.changes.marked:
            images = self._mark(images, n)
        images = self._stain(images, n)
        return ops.clip(self._blur_and_noise(images, n), 0.0, 255.0)

    def _uniform(self, shape: Any, low: Any, high: Any) -> Any:
        return keras.random.uniform(shape, low, high, seed=self._seed)

    def _chance(self, n: Any, share: Any) -> Any:
        return self._uniform((n, 1, 1, 1), 0.0, 1.0) < share

    def _turn(self, x: Any, n: Any) -> Any:
        share = self.changes.turned
        x = ops.where(self._chance(n, share), ops.flip(x, 1), x)
        x = ops.where(self._chance(n, share), ops.flip(x, 2), x)
        return ops.where(self._chance(n, share), ops.transpose(x, (0, 2, 1, 3)), x)

    def _place(self, x: Any, n: Any) -> Any:
        """Scale and shift about the centre; black beyond the edge."""
        zoom, shift = self.changes.zoom, self.changes.shift
        side = ops.cast(ops.shape(x)[1], "float32")
        scale = 1.0 / self._uniform((n,), 1 - zoom, 1 + zoom)
        dx = self._uniform((n,), -shift, shift) * side
        dy = self._uniform((n,), -shift, shift) * side
        centre = side / 2 * (1 - scale)
        zero = ops.zeros((n,))
        rows = [scale, zero, centre + dx, zero, scale, centre + dy, zero, zero]
        transform = ops.stack(rows, axis=1)
        return ops.image.affine_transform(x, transform, interpolation="bilinear")

    def _mark(self, x: Any, n: Any) -> Any:
        """A rectangle of one colour, anywhere on the picture, whose size may be told at run time only."""
        side = ops.shape(x)[1]
        places = ops.cast(ops.arange(side), "float32") / ops.cast(side - 1, "float32")
        down, across = self._span(places, n)[:, :, None, None], self._span(places, n)[:, None, :, None]
        here = ops.logical_and(ops.logical_and(down, across), self._chance(n, self.changes.marked))
        return ops.where(here, self._uniform((n, 1, 1, 3), 0.0, 255.0), x)

    def _span(self, places: Any, n: Any) -> Any:
        """Which of `places` (s,) lie on a mark along one side, (n, s)."""
        length = self._uniform((n, 1), *MARK)
        first = self._uniform((n, 1), 0.0, 1.0) * (1.0 - length)
        return ops.logical_and(places[None] >= first, places[None] <= first + length)

    def _stain(self, x: Any, n: Any) -> Any:
        """Stain, light and gamma; black surround stays black."""
        told = self.changes
        surround = ops.max(x, axis=-1, keepdims=True) <= BLACK
        lit = self._relit(x, n) if told.lamp else x
        density = -ops.log((lit + 1.0) / 256.0)
        stronger = self._uniform((n, 1, 1, 1), -told.strength, told.strength)
        tint = self._uniform((n, 1, 1, 3), -told.tint, told.tint)
        filtered = self._uniform((n, 1, 1, 3), -told.light, told.light)
        changed = 256.0 * ops.exp(-density * ops.exp(stronger + tint) - filtered) - 1.0
        gain = self._uniform((n, 1, 1, 3), 1 - told.gain, 1 + told.gain)
        offset = self._uniform((n, 1, 1, 3), -told.offset, told.offset) * 255.0
        gamma = ops.exp(self._uniform((n, 1, 1, 1), -told.gamma, told.gamma))
        changed = ops.clip(changed * gain + offset, 0.0, 255.0)
        changed = 255.0 * ops.power(changed / 255.0 + 1e-6, gamma)
        return ops.where(surround, x, changed)

    def _relit(self, x: Any, n: Any) -> Any:
        """As another lamp and camera would show it: each channel takes from the others, so that colours fade;
        grey stays grey."""
        drawn = self._uniform((n, 3, 3), 0.0, 1.0)
        shares = drawn / ops.sum(drawn, axis=1, keepdims=True)
        far = self._uniform((n, 1, 1), 0.0, self.changes.lamp)
        return ops.einsum("nhwc,ncd->nhwd", x, (1.0 - far) * ops.eye(3) + far * shares)

    def _blur_and_noise(self, x: Any, n: Any) -> Any:
        blurred = ops.average_pool(x, 3, strides=1, padding="same")
        x = ops.where(self._chance(n, self.changes.blur_share), blurred, x)
        if self.changes.coarse_share:
            x = ops.where(self._chance(n, self.changes.coarse_share), _coarse(x), x)
        strength = self._uniform((n, 1, 1, 1), 0.0, self.changes.noise)
        return x + strength * keras.random.normal(ops.shape(x), seed=self._seed)


def _coarse(x: Any) -> Any:
    """As a camera of half the resolution would see it."""
    doubled = ops.repeat(ops.repeat(ops.average_pool(x, 2), 2, axis=1), 2, axis=2)
    return ops.average_pool(doubled, 3, strides=1, padding="same")
