import importlib.util
import json
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from malaria.cli.train import as_asked
from tests.cli.conftest import Run
from tests.train.test_train import nih_named


@pytest.mark.parametrize(
    "words", [("train", "--data", ".", "--held-out", "."), ("reproduce", "mobilenet_v2")]
)
def test_without_tensorflow_the_one_command_is_told(
    run: Run, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "tensorflow" else real(name, package)

    monkeypatch.setattr("malaria.cli.training_options.find_spec", without)
    told = run(*words)
    assert told.exit_code == 1
    assert "uv sync --inexact --extra train" in told.stderr
    assert told.stderr.count("\n") == 1


def test_the_command_is_recorded_without_this_machines_paths() -> None:
    asked = as_asked(["train", "--data", "/home/ada/my cells/part1.zip", "--stage", "96:3"])
    assert asked == "malaria train --data part1.zip --stage 96:3"


@pytest.mark.train
@pytest.mark.parametrize("stage", ["96", "100:2", "0:1", "96:0", "a:b", "544:1", "\u00b2:1"])
def test_a_wrong_stage_is_refused(run: Run, tmp_path: Path, stage: str) -> None:
    told = run("train", "--data", tmp_path, "--held-out", tmp_path, "--stage", stage)
    assert told.exit_code == 2
    assert "SIZE:EPOCHS" in told.stderr


@pytest.mark.train
def test_a_model_is_trained_published_and_promoted(run: Run, tmp_path: Path) -> None:
    development = nih_named(tmp_path / "development", range(1, 9), 1)
    held_out = nih_named(tmp_path / "held-out", range(21, 25), 2)
    out = tmp_path / "trained"
    options = (
        "--stage",
        "64:1",
        "--batch-size",
        16,
        "--run",
        tmp_path / "run",
        "--cache",
        tmp_path / "cache",
    )
    told = run(
        "train", "--data", development, "--held-out", held_out, "--out", out, *options, "--publish", "--json"
    )
    assert told.exit_code == 0, told.stderr
    info = json.loads(told.stdout)
    assert (info["input_size"], set(info["metrics"])) == (64, {"validation", "gate"})
    assert (out / info["version"] / "model.tflite").stat().st_size == info["size_bytes"]
    assert run("models", "promote", info["version"], "--reason", "try it").exit_code == 0
    answered = json.loads(run("predict", development / "Parasitized", "--json").stdout)
    assert answered["model_version"] == info["version"]
    assert answered["summary"]["unreadable"] == 0


@pytest.mark.train
@pytest.mark.parametrize(
    ("told", "why"),
    [
        (("--network", "ensemble"), "go together"),
        (("--network", "ensemble", "--member", "one.keras"), "go together"),
        (("--member", "one.keras", "--member", "one.keras"), "go together"),
        (("--network", "compact_cnn", "--member", "one.keras"), "go together"),
        (
            (
                *("--network", "ensemble", "--member", "one.keras", "--member", "one.keras"),
                *("--stage", "96:1", "--seed", "0"),
            ),
            "leave out --stage, --seed",
        ),
        (("--network", "ensemble", "--member", "one.keras", "--member", "one.keras"), "no manifest.json"),
    ],
)
def test_an_ensemble_takes_members_of_versions_and_nothing_of_training(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.keras").touch()
    found = run("train", "--data", tmp_path, "--held-out", tmp_path, *told)
    assert found.exit_code == 2
    assert why in found.stderr
