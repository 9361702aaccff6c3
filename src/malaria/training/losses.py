"""What a network is fitted to lose: cross-entropy, or a loss that doubted labels pull on less."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("malaria")
class GeneralisedCrossEntropy(keras.losses.Loss):  # type: ignore[misc]  # keras ships no types
    """(1 - p^q) / q, of logits; p is the probability given to the label (Zhang & Sabuncu, NeurIPS 2018).

    q: 0..1; near 0 it is cross-entropy, at 1 the mean absolute error, by which all cells pull alike.
    """

    def __init__(self, q: float = 0.7, label_smoothing: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.q, self.label_smoothing = q, label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        aim = ops.cast(y_true, y_pred.dtype) * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        said = ops.sigmoid(y_pred)
        given = ops.clip(aim * said + (1.0 - aim) * (1.0 - said), 1e-6, 1.0)
        return ops.mean((1.0 - ops.power(given, self.q)) / self.q, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "q": self.q, "label_smoothing": self.label_smoothing}


def of(robust: float, label_smoothing: float) -> keras.losses.Loss:
    """Cross-entropy of logits; where `robust` is above 0, the generalised one with that q."""
    if robust:
        return GeneralisedCrossEntropy(robust, label_smoothing)
    return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing)
