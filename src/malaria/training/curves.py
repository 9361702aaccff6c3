"""The course of a training, as a picture and for TensorBoard, from its history."""

import csv
from pathlib import Path

import keras


def board(run: Path) -> list[keras.callbacks.Callback]:
    """What writes TensorBoard's logs to `run`/tensorboard; nothing where the backend is not TensorFlow's."""
    if keras.backend.backend() != "tensorflow":
        return []
    return [keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False, update_freq="epoch")]


def draw(history: Path, picture: Path) -> None:
    """Loss and accuracy by epoch, training and validation, of a history.csv; a PNG, whole or not at all."""
    from matplotlib.figure import Figure

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) + 1 for row in rows]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, name, title in zip(
        figure.subplots(1, 3), ("loss", "accuracy", "auc"), ("loss", "accuracy", "ROC AUC"), strict=True
    ):
        for column, told in ((name, "training, augmented"), (f"val_{name}", "validation patients")):
            axes.plot(epochs, [float(row[column]) for row in rows], marker="o", markersize=3, label=told)
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.axes[0].legend(frameon=False)
    partial = picture.with_name(picture.name + ".partial")
    figure.savefig(partial, format="png", dpi=110, metadata={"Software": None})
    partial.replace(picture)
