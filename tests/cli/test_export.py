import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from malaria import parity, roles, shipped
from malaria.domain import Role
from malaria.options import COMPACT
from tests.cli.conftest import Run
from tests.train.test_full import base_zip


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """Synthetic cells named after some of the patients that the shipped models were made of."""
    known = roles.load(models_dir / "roles.json")
    return base_zip(tmp_path_factory.mktemp("base") / "base.zip", known, {Role.TRAIN: 4, Role.VALIDATION: 3})


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "malaria.cli.training_options.find_spec",
        lambda name, *rest: None if name == "tensorflow" else find_spec(name, *rest),
    )


@pytest.mark.usefixtures("without_tensorflow")
def test_float16_needs_no_tensorflow(run: Run, base: Path, tmp_path: Path, models_dir: Path) -> None:
    out, report, cache = (tmp_path / name for name in ("out", "report", "cache"))
    told = run(
        *("export", COMPACT, "--as", "float16", "--data", base, "--out", out),
        *("--report", report, "--cache", cache, "--json"),
    )
    assert told.exit_code == 0, told.stderr
    parent = shipped.read_shipped(models_dir, COMPACT)[0]
    found = json.loads(told.stdout)["float16"]
    assert "of the labels change" in found["unservable"], "two dozen cells cannot show the bound"
    assert found["remembers"] == 0
    assert found["parity"]["validation"]["before"]["cells"] == 24
    assert found["parity"]["validation"]["largest"] < 0.01
    manifest = json.loads((out / "float16" / "manifest.json").read_text())
    assert manifest["digest"] == found["digest"]
    assert (manifest["threshold"], manifest["network"]) == (parent.threshold, COMPACT)
    lineage = manifest["lineage"]
    assert (lineage["method"], lineage["parent"], lineage["precision"]) == (
        "export",
        parent.version,
        "float16",
    )
    assert set(lineage["data"]) == {"base.zip"}
    written = json.loads((report / "report.json").read_text())
    assert written["made"]["model"] == parent.version
    assert f"| float32 | {parent.size_bytes:,} | 1.00 | 1.00 | - |" in (report / "report.md").read_text()
    scored = run("evaluate", "--model", out / "float16" / "model.tflite", "--data", base, "--json")
    assert json.loads(scored.stdout)["model_version"] == found["version"]

    again = run("export", out / "float16", "--as", "float16", "--data", base, "--cache", cache)
    assert again.exit_code == 2
    assert f"not in float32 any more. Export the version from which it was made, {parent.version}" in (
        " ".join(again.stderr.split())
    )


@pytest.mark.usefixtures("without_tensorflow")
def test_int8_does_and_says_so_at_once(run: Run, tmp_path: Path) -> None:
    for asked in ((), ("--as", "int8")):
        told = run("export", COMPACT, *asked, "--data", tmp_path)
        assert told.exit_code == 1
        assert "uv sync --inexact --extra train" in told.stderr
        assert told.stderr.count("\n") == 1


def test_what_cannot_be_exported_is_told(run: Run, base: Path, tmp_path: Path) -> None:
    asked = ("--as", "float16", "--cache", tmp_path / "cache")
    (tmp_path / "empty").mkdir()
    strangers = base_zip(tmp_path / "strangers.zip", {"C999P9": Role.TRAIN}, {Role.TRAIN: 1})
    for arguments, said in (
        (("nothing", "--data", base), "no model version nothing"),
        ((tmp_path / "empty", "--data", base), "manifest.json cannot be read"),
        ((COMPACT,), "--data"),
        ((COMPACT, "--data", tmp_path / "gone.zip"), "no file or folder"),
        ((COMPACT, "--data", base, "--laboratory", "mars=x.zip"), "SET=PATH"),
        ((COMPACT, "--data", strangers), "no cells of patients"),
        ((COMPACT, "--data", base, "--as", "int4"), "int4"),
    ):
        told = run("export", *arguments, *asked)
        assert told.exit_code == 2, (arguments, told.output)
        assert said in " ".join(told.stderr.split()), arguments


def test_what_may_not_be_served_or_not_be_retrained_is_written_but_not_kept(
    run: Run, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound, said in (
        (parity.CHANGED, "must not be served and is not kept"),
        (1.0, "could not be retrained"),
    ):
        monkeypatch.setattr(parity, "CHANGED", bound)
        told = run(
            *("export", COMPACT, "--as", "float16", "--data", base, "--out", tmp_path / said),
            *("--cache", tmp_path / "cache", "--publish"),
        )
        assert told.exit_code == 1
        assert said in " ".join(told.stderr.split())
        assert (tmp_path / said / "float16" / "model.tflite").exists()
        kept = json.loads(run("models", "list", "--json").stdout)
        assert not [one for one in kept if one["lineage"]["method"] == "export"]


@pytest.mark.train
def test_an_int8_version_goes_from_export_to_serving(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small network of the person's own, exported with all its cells, kept, promoted, told on its card."""
    monkeypatch.setattr(
        parity, "CHANGED", 1.0
    )  # so few cells, answered by so little training, cannot hold it
    monkeypatch.setattr(parity, "AUC_LOSS", 1.0)
    from tests.train.test_train import nih_named

    development = nih_named(tmp_path / "development", range(1, 9), 1)
    held_out = nih_named(tmp_path / "held-out", range(21, 25), 2)
    cache = ("--cache", tmp_path / "cache")
    trained = run(
        *("train", "--data", development, "--held-out", held_out, "--out", tmp_path / "trained"),
        *("--network", COMPACT, "--stage", "64:1", "--run", tmp_path / "run", *cache, "--publish", "--json"),
    )
    assert trained.exit_code == 0, trained.stderr
    parent = json.loads(trained.stdout)["version"]
    told = run(
        *("export", tmp_path / "trained" / parent, "--data", development, "--data", held_out),
        *("--out", tmp_path / "out", *cache, "--publish", "--json"),
    )
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["int8"]["remembers"] == found["float16"]["remembers"] == 96
    version = found["int8"]["version"]
    assert run("models", "promote", version, "--reason", "a small board").exit_code == 0
    answered = json.loads(run("predict", development / "Parasitized", "--json").stdout)
    assert answered["model_version"] == version
    card = run("card").stdout
    assert f"exported from {parent}" in card
    assert f"In int8, beside {parent} in float32" in card
