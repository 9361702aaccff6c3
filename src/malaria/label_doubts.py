"""How many rightly labelled cells a model is sure are of the other class, of laboratories new to it.

Where the served model doubts far more labels of an upload than that, the gate does not decide on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from malaria import preprocess
from malaria.comparison import SURE, GateSet, doubted
from malaria.crops import Cells
from malaria.metrics import roc_auc
from malaria.poison import Shown, View, as_is
from malaria.predict import Model
from malaria.preprocess import Pixels
from malaria.report import Table
from malaria.stains import SIMULATED


@dataclass(frozen=True, slots=True)
class Doubts:
    """Of a laboratory's cells, all rightly labelled. auc: None where they are of one class. doubted: share of
    the labels that the model is sure are wrong."""

    laboratory: str
    cells: int
    parasitized: int
    auc: float | None
    doubted: float


def of_stains(model: Model, shown: Sequence[Shown]) -> list[Doubts]:
    """Cells in their own stain and in each that is simulated. shown: in their own."""
    size = model.info.input_size
    views: dict[str, View] = {"NIH, own stain": as_is, **{f"NIH, {name}": v for name, v in SIMULATED.items()}}

    def seen(view: View) -> Cells:
        for cell in shown:
            yield preprocess.to_square(view(cell.image), size), cell.label, cell.patient

    return [doubts(name, model, seen(view)) for name, view in views.items()]


def doubts(laboratory: str, model: Model, cells: Cells) -> Doubts:
    """What the model says of a laboratory's cells."""
    labels, patients = list[int](), list[str]()

    def pixels() -> Iterator[Pixels]:
        for square, label, patient in cells:
            labels.append(int(label))
            patients.append(patient)
            yield square

    p = np.array([scored.probability for scored in model.score_many(pixels())])
    truth = np.array(labels, np.uint8)
    share = len(doubted(GateSet(truth, np.array(patients), p, p))) / len(truth)
    auc = float(roc_auc(truth, p)) if len(set(labels)) == 2 else None
    return Doubts(laboratory, len(truth), int(truth.sum()), auc, share)


def table(found: Sequence[Doubts]) -> Table:
    rows = [
        (one.laboratory, one.cells, one.parasitized, one.auc, f"{100 * one.doubted:.1f}%") for one in found
    ]
    return Table(
        "Labels doubted where all are right",
        ("laboratory", "cells", "parasitized", "AUC", "labels doubted"),
        rows,
        f"Doubted: the served model gives the other class {SURE:.0%} or more. NIH: training patients, so "
        "their figures flatter, in their own stain and in three that are simulated.",
    )
