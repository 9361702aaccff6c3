"""The networks: one backbone, one neck, one embedding, one linear head.

uint8 RGB -> [-1, 1] -> MobileNetV2 -> neck: 1x1 convolutions of the stride-16 and the stride-32 maps to
EMBEDDING channels, summed on the finer grid -> ReLU -> mean over the grid: the embedding -> linear head.
The head is linear and the pooling a mean, so head(map) is an exact activation map, whose mean is the logit
(class activation mapping: Zhou et al., CVPR 2016). The two-scale sum follows Lin et al., CVPR 2017.
"""

from pathlib import Path

import keras
from keras import layers, ops

from malaria.options import NETWORKS

EMBEDDING = 128


@keras.saving.register_keras_serializable("malaria")
class Scale(layers.Layer):  # type: ignore[misc]  # keras ships no types
    """RGB in 0..255 to [-1, 1], as MobileNetV2 was pretrained."""

    def call(self, x):  # type: ignore[no-untyped-def]
        return ops.cast(x, "float32") / 127.5 - 1.0


def build(network: str, *, dropout: float = 0.3, backbone_weights: Path | None = None) -> keras.Model:
    """A trainable network: RGB (n, h, w, 3) in 0..255, h and w multiples of 32, to logits (n, 1).

    `backbone_weights` is a Keras weights file of MobileNetV2 without top; None starts from nothing.
    """
    if network != "mobilenet_v2":
        raise ValueError(f"unknown network {network!r}; one of {NETWORKS}")
    image = keras.Input((None, None, 3), name="image")
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=1.0)
    if backbone_weights is not None:
        backbone.load_weights(backbone_weights)
    taps = keras.Model(
        backbone.input,
        [backbone.get_layer("block_13_expand_relu").output, backbone.output],
        name="backbone",
    )
    fine, coarse = taps(Scale(name="scale")(image))
    fine = layers.Conv2D(EMBEDDING, 1, use_bias=False, name="neck_fine")(fine)
    coarse = layers.Conv2D(EMBEDDING, 1, use_bias=False, name="neck_coarse")(coarse)
    coarse = layers.UpSampling2D(2, interpolation="nearest", name="neck_up")(coarse)
    grid = layers.BatchNormalization(name="neck_norm")(layers.Add(name="neck_sum")([fine, coarse]))
    grid = layers.ReLU(name="features")(grid)
    embedding = layers.GlobalAveragePooling2D(name="embedding")(grid)
    dropped = layers.Dropout(dropout, name="dropout")(embedding)
    logit = layers.Dense(1, name="head")(dropped)
    return keras.Model(image, logit, name=network)
