"""`malaria cross-validate` from cells to a report, and an audit of what it said."""

import importlib.util
import json
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from malaria import out_of_fold
from tests.cli.conftest import Run
from tests.train.test_train import nih_named


def test_without_tensorflow_the_one_command_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in ("keras", "tensorflow") else real(name, package)

    monkeypatch.setattr("malaria.cli.training_options.find_spec", without)
    told = run("cross-validate", "--data", tmp_path)
    assert told.exit_code == 1
    assert "uv sync --inexact --extra train" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.train
def test_a_report_and_an_audit_come_of_cells(run: Run, tmp_path: Path) -> None:
    cells = nih_named(tmp_path / "cells", range(301, 311), 1)  # patients that no list names
    listed = tmp_path / "listed.csv"
    listed.write_text(
        "original_label,cell,patient\n"
        + "".join(f"{path.parent.name},{path.stem},x\n" for path in sorted(cells.rglob("*_cell_1*.png")))
    )
    out = tmp_path / "out"
    told = run(
        *("cross-validate", "--data", cells, "--folds", 2, "--out", out, "--network", "compact_cnn"),
        *("--stage", "32:1", "--batch-size", 16, "--seed", 5, "--suspects", listed),
        *("--run", tmp_path / "run", "--cache", tmp_path / "cache"),
    )
    assert told.exit_code == 0, told.stderr
    assert "LEAKY: patients mixed" in told.stdout
    assert "mixed cells" in told.stderr
    report = json.loads((out / "report.json").read_text())
    assert report["kept_apart"]["all"]["cells"] == 80
    listed_cells = report["kept_apart"]["listed"]["cells"]
    assert listed_cells == 11
    assert report["kept_apart"]["not_listed"]["cells"] == 80 - listed_cells
    assert report["made"]["seed"] == 5
    assert set(report["made"]["data"]) == {"cells", "listed.csv"}
    assert report["recipe"]["network"] == "compact_cnn"
    names = {path.name for path in out.iterdir()}
    assert names == {
        *("out-of-fold.npz", "mixed-cells.npz", "report.json", "report.md"),
        *("confusion.png", "roc.png", "reliability.png"),
    }
    assert len(out_of_fold.load(out / "out-of-fold.npz")) == 80

    told = run(
        *("audit", "--out-of-fold", out / "out-of-fold.npz", "--data", cells, "--out", tmp_path / "audited"),
        *("--suspects", listed, "--json"),
    )
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout)["cells"] == 80


@pytest.mark.train
def test_too_few_patients_are_told_in_one_line(run: Run, tmp_path: Path) -> None:
    cells = nih_named(tmp_path / "cells", range(301, 304), 1)
    told = run("cross-validate", "--data", cells, "--run", tmp_path / "run", "--cache", tmp_path / "cache")
    assert told.exit_code == 2
    assert "patients are too few" in told.stderr
    assert told.stderr.count("\n") == 1
