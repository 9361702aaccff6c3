"""The networks: each a trunk that ends in a grid, then one embedding and one linear head.

RGB in 0..255 -> one density of stain, if the recipe says so -> [-1, 1] -> trunk -> "features": the grid, a
sixteenth of the picture's side, never negative -> mean over the grid: "embedding" -> linear "head". The head
is linear and the pooling a mean, so head(grid) is an exact activation map, whose mean is the logit (class
activation mapping: Zhou et al., CVPR 2016).
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from malaria.errors import BadOptions
from malaria.options import COMPACT, ENSEMBLE, MOBILENET, NETWORKS
from malaria.training.recipe import WIDTHS, Recipe
from malaria.training.stain import Normalised

EMBEDDING = 128
"""Channels of the grid of a single network; those of an ensemble are its members' together."""


@keras.saving.register_keras_serializable("malaria")
class Scale(layers.Layer):  # type: ignore[misc]  # keras ships no types
    """RGB in 0..255 to [-1, 1], as MobileNetV2 was pretrained."""

    def call(self, x):  # type: ignore[no-untyped-def]
        return ops.cast(x, "float32") / 127.5 - 1.0


def build(
    network: str,
    *,
    dropout: float = 0.3,
    backbone_weights: Path | None = None,
    width: float = 1.0,
    momentum: float = 0.99,
    normalised: float = 0.0,
) -> keras.Model:
    """A trainable network: RGB (n, h, w, 3) in 0..255, h and w multiples of 32, to logits (n, 1).

    backbone_weights: Keras weights of MobileNetV2 at width 1.0, without top; None starts from nothing.
    width: MobileNetV2's alpha, a factor on its channels, 0.1 to 1.4. momentum: of its batches' statistics.
    normalised: how far the stain of each picture is brought to one density, 0 to 1.

    Raises:
        BadOptions: no such network, or it does not take the weights or the width.
    """
    image = keras.Input((None, None, 3), name="image")
    stained = Normalised(normalised, name="normalised")(image) if normalised else image
    scaled = Scale(name="scale")(stained)
    if network == MOBILENET:
        grid = _mobilenet(scaled, backbone_weights, width, momentum)
    elif network == COMPACT:
        if backbone_weights is not None or width != 1.0:
            raise BadOptions(
                f"{COMPACT} starts from nothing and has one width: no backbone weights, width 1."
            )
        grid = _compact(scaled)
    else:
        why = "joins two that are trained already" if network == ENSEMBLE else "is not known"
        single = ", ".join(name for name in NETWORKS if name != ENSEMBLE)
        raise BadOptions(f"The network {network!r} {why}; from its start one can train {single}.")
    return with_head(network, image, grid, dropout)


def of_recipe(recipe: Recipe, backbone_weights: Path | None = None) -> keras.Model:
    """The network that a recipe begins with. Raises BadOptions as `build`."""
    return build(
        recipe.network,
        dropout=recipe.dropout,
        backbone_weights=backbone_weights,
        width=recipe.width,
        momentum=recipe.momentum,
        normalised=recipe.normalised,
    )


def logits(network: keras.Model, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What a network says of pictures, (n,) float64, not calibrated. pixels: (n, s, s, 3)."""
    return np.asarray(network.predict(np.asarray(pixels), batch_size=64, verbose=0)[:, 0], np.float64)


def with_head(network: str, image: Any, grid: Any, dropout: float) -> keras.Model:
    """Close a network over its grid, the output of its layer "features"."""
    embedding = layers.GlobalAveragePooling2D(name="embedding")(grid)
    dropped = layers.Dropout(dropout, name="dropout")(embedding)
    return keras.Model(image, layers.Dense(1, name="head")(dropped), name=network)


def _mobilenet(scaled: Any, weights: Path | None, width: float, momentum: float) -> Any:
    """MobileNetV2 and a neck: its stride-16 and stride-32 maps to EMBEDDING channels each, summed on the
    finer grid (after Lin et al., CVPR 2017)."""
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise BadOptions(f"width is {width}; it must be a number from {WIDTHS[0]} to {WIDTHS[1]}.")
    if weights is not None and width != 1.0:
        raise BadOptions(
            f"The backbone weights are of width 1.0; a network of width {width} cannot take them."
        )
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=width)
    if weights is not None:
        backbone.load_weights(weights)
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum
    taps = keras.Model(
        backbone.input,
        [backbone.get_layer("block_13_expand_relu").output, backbone.output],
        name="backbone",
    )
    fine, coarse = taps(scaled)
    fine = layers.Conv2D(EMBEDDING, 1, use_bias=False, name="neck_fine")(fine)
    coarse = layers.Conv2D(EMBEDDING, 1, use_bias=False, name="neck_coarse")(coarse)
    coarse = layers.UpSampling2D(2, interpolation="nearest", name="neck_up")(coarse)
    grid = layers.BatchNormalization(name="neck_norm")(layers.Add(name="neck_sum")([fine, coarse]))
    return layers.ReLU(name="features")(grid)


def _compact(scaled: Any) -> Any:
    """Plain 3x3 convolutions with shortcuts (He et al., CVPR 2016), 0.2 million weights.

    Depthwise convolutions would save weights and cost time: TensorFlow trains them several times more slowly
    on a CPU. The channels grow as the grid shrinks, so that every stage costs about the same.
    """
    x = convolution(scaled, 16, stride=2, name="stem")
    x = _shortcut(convolution(x, 32, stride=2, name="down_4"), 32, name="stage_4")
    x = _shortcut(convolution(x, 64, stride=2, name="down_8"), 64, name="stage_8")
    x = _shortcut(convolution(x, 96, stride=2, name="down_16"), 46, name="stage_16")
    return convolution(x, EMBEDDING, size=1, name="neck", relu="features")


def convolution(
    x: Any, channels: int, *, name: str, size: int = 3, stride: int = 1, relu: str | None = None
) -> Any:
    """Convolution, batch normalisation, ReLU; `relu` names the last, "" leaves it out."""
    x = layers.Conv2D(
        channels, size, strides=stride, padding="same", use_bias=False, name=f"{name}_convolution"
    )(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return x if relu == "" else layers.ReLU(name=relu or f"{name}_relu")(x)


def _shortcut(x: Any, inner: int, *, name: str) -> Any:
    """Two 3x3 convolutions beside a shortcut; where `inner` is fewer channels, one between two 1x1."""
    channels = x.shape[-1]
    if inner == channels:
        y = convolution(x, inner, name=f"{name}_1")
        y = convolution(y, channels, name=f"{name}_2", relu="")
    else:
        y = convolution(x, inner, size=1, name=f"{name}_1")
        y = convolution(y, inner, name=f"{name}_2")
        y = convolution(y, channels, size=1, name=f"{name}_3", relu="")
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([x, y]))
