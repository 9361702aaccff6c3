"""Whose cells are learnt from, and whose are measured."""

from pathlib import Path

import pytest

from malaria import cells, memory, shipped, synthetic, unfamiliar_figures
from malaria.domain import Role
from malaria.predict import Model
from malaria.unfamiliar import MEMORY, Familiar, Features


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return synthetic.write(tmp_path / "cells.zip", 80, seed=2)


def test_looks_are_of_train_patients_and_validation_patients_are_measured(
    archive: Path, models_dir: Path
) -> None:
    patients = [str(cell.patient) for cell, _ in cells.read(archive)]
    first, second, *others = sorted(set(patients))
    base = {first: Role.TRAIN, second: Role.VALIDATION} | dict.fromkeys(others, Role.TEST)
    learnt = unfamiliar_figures.learn([archive], base, {}, 128)
    assert {name: one.cells for name, one in learnt.laboratories.items()} == {"nih": patients.count(first)}
    info, files = shipped.read_shipped(models_dir, "compact_cnn")
    familiar = Familiar(Features.of(memory.load(files / MEMORY)), learnt)
    model = Model.load(files / "model.tflite", info, 1)
    shown = list(unfamiliar_figures.sets([archive], base, {}, {}, 128))
    assert len(shown) == 4, "as they are, and in three simulated stains"
    named, found, _ = shown[0]
    shares = unfamiliar_figures.measure(model, familiar, named, found, most=3)
    assert (shares.named, shares.cells) == ("NIH validation, as they are", 3)
    assert shares.distance <= shares.distance_90
    told = unfamiliar_figures.table([shares], info.network)
    assert len(told.rows[0]) == len(told.columns)
