"""What goes with each step of a training: its learning rate, and what is reported of it."""

import time
from collections.abc import Sequence

import keras

from malaria.domain import Progress
from malaria.ports import Report
from malaria.training.recipe import Recipe

Logs = dict[str, float]


class Pace(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of each step: one warm-up and cosine over all steps of a recipe.

    A schedule that the optimizer itself holds is built into the graph once for each weight, which takes a
    quarter of the time until the first step. Older checkpoints hold one, and go on by it.

    steps: of an epoch.
    """

    def __init__(self, recipe: Recipe, steps: int) -> None:
        super().__init__()
        total = steps * recipe.epochs
        warmup = min(recipe.warmup_steps, max(total // 4, 1))
        self._rate = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate / 100,
            decay_steps=max(total - warmup, 1),
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup,
        )
        self._held = False

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        self._held = isinstance(self.model.optimizer.get_config()["learning_rate"], dict)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        optimizer = self.model.optimizer
        if not self._held:
            optimizer.learning_rate = self._rate(optimizer.iterations)


class Averaged(keras.callbacks.Callback):  # type: ignore[misc]
    """Puts averaged weights in place before an epoch is validated, not after, so that what is told of it is
    what the kept network does. For an epoch by itself: the next one would begin from the average."""

    def on_test_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        if self.model.optimizer.use_ema:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
            own_values(self.model)


def own_values(trainee: keras.Model) -> None:
    """Weights that an average has replaced are the average itself, which JAX will neither step on as both nor
    keep for the one once it has given away the other."""
    for weights in trainee.trainable_variables:
        weights.assign(keras.ops.copy(weights))


class Ticker(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports every few seconds: percent, loss, accuracy, seconds left; as an epoch ends those of validation.

    The first step, which also builds the graph, says nothing of how long the others take.

    costs: what a step of each epoch costs, in any unit, such as the pixels of a picture. steps: of an epoch.
    start: the epoch that is run first.
    """

    def __init__(self, costs: Sequence[float], steps: int, start: int, report: Report) -> None:
        super().__init__()
        self._costs, self._steps, self._report = costs, steps, report
        self._first, self._epoch = 0.0, start
        self._began = self._told = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002  # Keras calls it so
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._first:
            self._first, self._began = self._cost(self._epoch, batch + 1), time.monotonic()
        if time.monotonic() - self._told > 2:
            self._tell(batch + 1, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        self._tell(self._steps, logs or {})

    def _cost(self, epochs: int, steps: int) -> float:
        """What so many epochs cost, and so many steps of the one after them."""
        begun = self._costs[epochs] * steps / self._steps if steps else 0.0
        return sum(self._costs[:epochs]) + begun

    def _tell(self, batch: int, logs: Logs) -> None:
        self._told = time.monotonic()
        done, total = self._cost(self._epoch, batch), sum(self._costs)
        paced = done - self._first
        left = (self._told - self._began) * (total - done) / paced if paced > 0 else None
        self._report(
            Progress(
                "train",
                percent=100.0 * done / total,
                eta=left,
                epoch=self._epoch + 1,
                epochs=len(self._costs),
                loss=logs.get("loss"),
                validation_loss=logs.get("val_loss"),
                accuracy=logs.get("accuracy"),
                validation_accuracy=logs.get("val_accuracy"),
            )
        )
