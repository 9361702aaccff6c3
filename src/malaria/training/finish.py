"""From a fitted network to the files of a model version: calibrate, export, check, remember."""

from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from malaria import grafting
from malaria import head as heads
from malaria.domain import ModelVersion, Progress, Screen
from malaria.errors import Damaged
from malaria.grafting import Branch
from malaria.memory import Memory, remember
from malaria.operating import validating
from malaria.ports import Report
from malaria.predict import Model, screened
from malaria.training import networks
from malaria.training.dataset import CellArrays
from malaria.training.export import to_tflite

PARITY = 1e-4
"""Largest difference in probability between the network and its exported file."""


@dataclass(frozen=True)
class Finished:
    """tflite, network: files. memory, probabilities, screened: of every cell, (n,), scored by the exported
    file: what it remembers and answers, and whether the picture alone sends it to a person. parity: the
    largest difference in probability between the two files, over the cells on which the temperature was set.
    screen: of the subject network in the exported one, if any."""

    tflite: Path
    network: Path
    memory: Memory
    probabilities: npt.NDArray[np.float64]
    screened: npt.NDArray[np.bool_]
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
    asked = validating(cells.labels, cells.roles, cells.origins)
    validation = cells.where(asked)
    logits = networks.logits(network, validation.pixels)
    temperature = heads.temperature(logits, validation.labels)
    tflite, kept = out / "model.tflite", out / "network.keras"
    to_tflite(network, size, temperature, tflite)
    if branch is not None:
        tflite.write_bytes(grafting.grafted(tflite.read_bytes(), branch))
    network.save(kept)
    screen = branch.screen if branch else None
    model = Model.load(tflite, replace(placeholder, screen=screen))
    rows, probabilities, aside = [], [], []
    for i, scored in enumerate(model.score_many(cells.pixels)):
        rows.append(scored.embedding)
        probabilities.append(scored.probability)
        aside.append(screened(scored, model.info))
        if i % 64 == 0:
            report(Progress("remember", percent=100.0 * i / len(cells), message=f"{i} of {len(cells)} cells"))
    memory = remember(
        np.array(rows), cells.labels, cells.groups, cells.roles, cells.origins, cells.fingerprints
    )
    memory.save(out / "memory.npz")
    told = np.array(probabilities)
    parity = float(np.abs(told[asked] - heads.sigmoid(logits / temperature)).max())
    return Finished(tflite, kept, memory, told, np.array(aside), temperature, parity, screen)


def calibration(cells: CellArrays) -> CellArrays:
    """The cells on which a temperature is set: NIH validation patients, else what validation cells there are.

    Another laboratory that brings one class only would say how common that class is, not how sure to be.
    """
    return cells.where(validating(cells.labels, cells.roles, cells.origins))


def check_parity(done: Finished) -> None:
    """Raise Damaged where the exported file answers otherwise than the network."""
    if done.parity > PARITY:
        raise Damaged(f"The exported file differs from the network by {done.parity:.1e} in probability.")
