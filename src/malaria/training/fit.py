"""Fit a network: staged sizes, one warm-up and cosine over all steps, a checkpoint after every epoch."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import numpy.typing as npt

from malaria import provenance, whole
from malaria.ports import Report
from malaria.training import curves, jpeg, losses
from malaria.training.augment import Augment
from malaria.training.pace import Averaged, Pace, Ticker, own_values
from malaria.training.recipe import Recipe


class Drawn(Protocol):
    """The cells of one epoch. pixels: (n, s, s, 3) uint8; labels: (n,), what the goal takes."""

    @property
    def pixels(self) -> npt.NDArray[np.uint8]: ...
    @property
    def labels(self) -> npt.NDArray[Any]: ...


class Cells(Protocol):
    """What is trained on: `len` cells an epoch, drawn by a seed."""

    def __len__(self) -> int: ...
    def epoch(self, seed: int) -> Drawn: ...


TrainAt = Callable[[int], Cells]
"""Gives the cells to train on at an input size."""
DataAt = Callable[[int], Drawn]
"""Gives the cells to validate on at an input size."""
FITTED_BY = "fitted-by.json"
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "scipy", "pillow", "ai-edge-litert")
"""What decides pixels, weights and the exported file."""


class Goal(NamedTuple):
    """What is fitted: a Keras loss, and two metrics, "accuracy" and "auc"."""

    loss: Any
    metrics: Sequence[Any]


def parasites(recipe: Recipe) -> Goal:
    """To tell parasitized cells: one logit, labels from 0 to 1."""
    metrics = [_Accuracy(threshold=0.0, name="accuracy"), _Auc(from_logits=True, name="auc")]
    return Goal(losses.of(recipe.robust, recipe.label_smoothing), metrics)


def fit(
    network: keras.Model,
    recipe: Recipe,
    train: TrainAt,
    validation: DataAt,
    run: Path,
    report: Report,
    goal: Goal | None = None,
    kept: Callable[[Path], None] | None = None,
) -> keras.Model:
    """Fit `network` and return it fitted. A run that was killed goes on from its last epoch in `run`.

    Writes history.csv, a line an epoch, the same as curves.png, logs for TensorBoard, and FITTED_BY: what ran
    each part. goal: None: `parasites`. kept: is told the run folder after each epoch. Raises whatever
    `report` raises, leaving the last checkpoint.
    """
    run.mkdir(parents=True, exist_ok=True)
    resumed = _resume(run)
    if resumed and resumed[1] >= recipe.epochs:  # nothing is left to be shown
        return resumed[0].get_layer(network.name)
    steps = -(-len(train(recipe.size_at(0))) // recipe.batch_size)
    trainee, start = resumed or (_compile(network, recipe, goal or parasites(recipe)), 0)
    costs = [recipe.size_at(epoch) ** 2 for epoch in range(recipe.epochs)]
    _note_what_runs(run, start)
    callbacks = [Pace(recipe, steps), Averaged(), Ticker(costs, steps, start, report), *curves.board(run)]
    for epoch in range(start, recipe.epochs):
        seed = seed_of(recipe, epoch)
        _draw_by(trainee, seed)
        cells = train(recipe.size_at(epoch)).epoch(seed)
        checked = validation(recipe.size_at(epoch))
        fitted = trainee.fit(
            jpeg.saved(cells.pixels, recipe.changes.jpeg_share, seed),
            cells.labels[:, None].astype(np.float32),
            validation_data=(np.asarray(checked.pixels), checked.labels[:, None].astype(np.float32)),
            batch_size=recipe.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            callbacks=callbacks,
        )
        own_values(trainee)
        _keep(trainee, epoch, fitted.history, run)
        if kept is not None:
            kept(run)
    return trainee.get_layer(network.name)


def seed_of(recipe: Recipe, epoch: int) -> int:
    """By which an epoch is drawn, 0 to 2^31: no two trainings with seeds near to each other share any."""
    return (10_007 * recipe.seed + epoch) % 2**31


def _keep(trainee: keras.Model, epoch: int, history: dict[str, list[float]], run: Path) -> None:
    """What stays of an epoch: a line in history.csv, a checkpoint, and the curves.

    A kill between the first two has the epoch run again, and its line written again.
    """
    _log(run, epoch, history)
    _checkpoint(trainee, epoch + 1, run)
    curves.draw(run / "history.csv", run / "curves.png")


def _compile(network: keras.Model, recipe: Recipe, goal: Goal) -> keras.Model:
    optimizer = keras.optimizers.AdamW(
        recipe.learning_rate,  # at its highest; `Pace` sets that of each step
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.clip,
        use_ema=recipe.average > 0,  # `fit` puts the average in place as it ends: after each epoch here
        ema_momentum=recipe.average,
    )
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    trainee = keras.Model(image, network(Augment(recipe.seed, asdict(recipe.changes), name="augment")(image)))
    trainee.compile(
        optimizer,
        goal.loss,
        metrics=list(goal.metrics),
        jit_compile=keras.backend.backend() == "jax",  # which else runs each operation by itself
    )
    return trainee


def _draw_by(trainee: keras.Model, seed: int) -> None:
    """Have an epoch drawn by its own seed, whatever was drawn before: a checkpoint keeps no state of what
    draws, and a run that was killed goes on as it would have."""
    keras.utils.set_random_seed(seed)
    states = [state for state in trainee.variables if state.path.endswith("seed_generator_state")]
    for number, state in enumerate(states):
        state.assign([(1009 * seed + number) % 2**31, 0])


def _note_what_runs(run: Path, epoch: int) -> None:
    """Add to FITTED_BY which code and packages, on which machine, fit the epochs from `epoch` on."""
    path = run / FITTED_BY
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    packages = {"backend": keras.backend.backend(), **provenance.packages(PACKAGES)}
    told.append(
        {"from_epoch": epoch, "project": provenance.running(), "packages": packages, "machine": _machine()}
    )
    whole.write_text(path, json.dumps(told, indent=1) + "\n")


def _machine() -> dict[str, Any]:
    """The machine, and its accelerator where Keras knows of one."""
    try:
        found = keras.distribution.list_devices("gpu")
    except RuntimeError:  # of JAX, where there is none
        found = []
    return {**provenance.machine(), **({"accelerators": len(found)} if found else {})}


def _hard(aims: Any) -> Any:
    """Labels of targets: a teacher's are between 0 and 1, where Keras' metrics count nothing as right."""
    return keras.ops.cast(aims > 0.5, "float32")


@keras.saving.register_keras_serializable("malaria")
class _Accuracy(keras.metrics.BinaryAccuracy):  # type: ignore[misc]
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().update_state(_hard(y_true), y_pred, sample_weight)


@keras.saving.register_keras_serializable("malaria")
class _Auc(keras.metrics.AUC):  # type: ignore[misc]
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().update_state(_hard(y_true), y_pred, sample_weight)


def _checkpoint(trainee: keras.Model, epochs_done: int, run: Path) -> None:
    partial = run / "partial.keras"
    trainee.save(partial)
    partial.replace(run / f"epoch-{epochs_done:03}.keras")
    for older in _checkpoints(run)[:-1]:
        older.unlink()


def _resume(run: Path) -> tuple[keras.Model, int] | None:
    found = _checkpoints(run)
    return (keras.saving.load_model(found[-1]), int(found[-1].stem.split("-")[1])) if found else None


def _checkpoints(run: Path) -> list[Path]:
    """Oldest first; the name says how many epochs are done, so file and count cannot disagree."""
    return sorted(run.glob("epoch-*.keras"))


def _log(run: Path, epoch: int, figures: dict[str, list[float]]) -> None:
    """Write an epoch's figures into history.csv, in the place of what an interrupted run told of it."""
    path, row = run / "history.csv", {"epoch": epoch, **{name: told[-1] for name, told in figures.items()}}
    kept: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [one for one in csv.DictReader(file) if int(one["epoch"]) < epoch]
    lines = io.StringIO(newline="")
    writer = csv.DictWriter(
        lines, sorted(row, key=lambda name: (name != "epoch", name)), extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows([*kept, row])
    whole.write_text(path, lines.getvalue())
