"""The subject network: what a picture shows, told by 32,000 weights. Fitted once, beside every classifier.

It is a network of its own and not a distance in the classifier's features: those tell photographs and
writing from cells, but find every cell of another laboratory as strange, and change with every retraining.
"""

from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from malaria.subject import SIDE, Subject
from malaria.training.export import convert
from malaria.training.fit import Goal
from malaria.training.networks import Scale, convolution

CHANNELS = (12, 24, 40, 56)
"""Of the convolutions, each of which halves the map: 64 pixels to a map of 4x4."""


def build() -> keras.Model:
    """RGB (n, SIDE, SIDE, 3) in 0..255 to a logit for each Subject, (n, 6)."""
    image = keras.Input((SIDE, SIDE, 3), name="image")
    x = Scale(name="scale")(image)
    for number, channels in enumerate(CHANNELS):
        x = convolution(x, channels, stride=2, name=f"down_{number}")
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    return keras.Model(image, layers.Dense(len(Subject), name="head")(x), name="subject")


def goal() -> Goal:
    """Cross-entropy over subjects; the AUC is that of a cell against all else."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Goal(loss, [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), _CellAuc(name="auc")])


@keras.saving.register_keras_serializable("malaria")
class _CellAuc(keras.metrics.AUC):  # type: ignore[misc]  # keras ships no types
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        cell = ops.cast(ops.equal(y_true, int(Subject.CELL)), "float32")
        return super().update_state(cell, ops.softmax(y_pred)[:, :1], sample_weight)


def export(network: keras.Model, path: Path) -> None:
    """Write the branch that is grafted onto served graphs: uint8 RGB (1, s, s, 3), of whatever s, to the
    probability of each Subject, (1, 6), named `subject`."""
    side = 2 * SIDE
    image = keras.Input((side, side, 3), batch_size=1, dtype="uint8", name="image")
    small = ops.image.resize(ops.cast(image, "float32"), (SIDE, SIDE), interpolation="bilinear")
    graph = keras.Model(image, {"subject": ops.softmax(network(small))})
    convert(graph, side, path)
