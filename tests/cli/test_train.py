import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from malaria.cli.train import as_asked
from tests.cli.conftest import Run


def test_without_tensorflow_the_one_command_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "tensorflow" else real(name, package)

    monkeypatch.setattr("malaria.cli.train.find_spec", without)
    told = run("train", "--data", tmp_path, "--held-out", tmp_path)
    assert told.exit_code == 1
    assert "uv sync --inexact --extra train" in told.stderr
    assert told.stderr.count("\n") == 1


def test_the_command_is_recorded_without_this_machines_paths() -> None:
    asked = as_asked(["train", "--data", "/home/ada/my cells/part1.zip", "--stage", "96:3"])
    assert asked == "malaria train --data part1.zip --stage 96:3"


@pytest.mark.train
@pytest.mark.parametrize("stage", ["96", "100:2", "0:1", "96:0", "a:b"])
def test_a_wrong_stage_is_refused(run: Run, tmp_path: Path, stage: str) -> None:
    told = run("train", "--data", tmp_path, "--held-out", tmp_path, "--stage", stage)
    assert told.exit_code == 2
    assert "SIZE:EPOCHS" in told.stderr
