"""From a fitted network to the files of a model version: calibrate, export, check, remember."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from malaria import grafting
from malaria import head as heads
from malaria.domain import ModelVersion, Progress, Role, Screen
from malaria.errors import Damaged
from malaria.grafting import Branch
from malaria.memory import BASE, Memory, remember
from malaria.ports import Report
from malaria.predict import Model
from malaria.training import networks
from malaria.training.dataset import CellArrays
from malaria.training.export import to_tflite

PARITY = 1e-4
"""Largest difference in probability between the network and its exported file."""


@dataclass(frozen=True)
class Finished:
    """tflite, network: files. memory, probabilities: of every cell, (n,), scored by the exported file.
    parity: the largest difference in probability between the two files, over 64 cells. screen: of the subject
    network in the exported one, if any."""

    tflite: Path
    network: Path
    memory: Memory
    probabilities: npt.NDArray[np.float64]
    temperature: float
    parity: float
    screen: Screen | None = None


def finish(
    network: keras.Model,
    cells: CellArrays,
    out: Path,
    placeholder: ModelVersion,
    report: Report,
    branch: Branch | None = None,
) -> Finished:
    """Calibrate on base validation cells, export to `out`, and score every cell through the exported file.

    branch: the subject network that is grafted onto it.
    """
    out.mkdir(parents=True, exist_ok=True)
    size = placeholder.input_size
    validation = calibration(cells)
    logits = networks.logits(network, validation.pixels)
    temperature = heads.temperature(logits, validation.labels)
    tflite, kept = out / "model.tflite", out / "network.keras"
    to_tflite(network, size, temperature, tflite)
    if branch is not None:
        tflite.write_bytes(grafting.grafted(tflite.read_bytes(), branch))
    network.save(kept)
    model = Model.load(tflite, placeholder)
    parity = _parity(model, validation, logits / temperature)
    rows, probabilities = [], []
    for i, scored in enumerate(model.score_many(cells.pixels)):
        rows.append(scored.embedding)
        probabilities.append(scored.probability)
        if i % 64 == 0:
            report(Progress("remember", percent=100.0 * i / len(cells), message=f"{i} of {len(cells)} cells"))
    memory = remember(
        np.array(rows), cells.labels, cells.groups, cells.roles, cells.origins, cells.fingerprints
    )
    memory.save(out / "memory.npz")
    screen = branch.screen if branch else None
    return Finished(tflite, kept, memory, np.array(probabilities), temperature, parity, screen)


def calibration(cells: CellArrays) -> CellArrays:
    """The cells on which a temperature is set: NIH validation patients, else what validation cells there are.

    Another laboratory that brings one class only would say how common that class is, not how sure to be.
    """
    held = cells.of(Role.VALIDATION)
    ours = held.where(held.origins == BASE)
    return ours if len(np.unique(ours.labels)) == 2 else held


def _parity(model: Model, cells: CellArrays, logits: heads.Floats) -> float:
    """The largest difference over 64 cells, spread over the set."""
    spread = np.linspace(0, len(cells) - 1, min(64, len(cells))).astype(int)
    told = heads.sigmoid(logits[spread])
    differences = [
        abs(model.score(np.asarray(cells.pixels[i])).probability - p)
        for i, p in zip(spread, told, strict=True)
    ]
    return float(max(differences))


def check_parity(done: Finished) -> None:
    """Raise Damaged where the exported file answers otherwise than the network."""
    if done.parity > PARITY:
        raise Damaged(f"The exported file differs from the network by {done.parity:.1e} in probability.")
