import json
from pathlib import Path

from malaria import synthetic
from malaria.domain import ModelVersion
from tests.cli.conftest import Run


def test_figures_as_json(run: Run, tmp_path: Path, shipped_info: ModelVersion) -> None:
    data = synthetic.write(tmp_path / "cells.zip", 60, 31)
    told = run("evaluate", "--data", data, "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["model_version"] == shipped_info.version
    assert found["accuracy"] >= 0.95
    assert {"sensitivity", "specificity", "precision", "f1", "auc", "mcc"} <= set(found)
    matrix = found["confusion_matrix"]
    assert sum(matrix.values()) == found["cells"] == 60
    assert found["accuracy"] == (matrix["tp"] + matrix["tn"]) / 60
    assert found["patients"] == 3, "as the patients.csv in the ZIP tells"
    assert found["groups"] == 3


def test_a_stricter_threshold_costs_sensitivity(run: Run, tmp_path: Path) -> None:
    data = synthetic.write(tmp_path / "cells", 20, 31)
    strict = json.loads(run("evaluate", "--data", data, "--threshold", 1, "--json").stdout)
    assert (strict["sensitivity"], strict["specificity"]) == (0.0, 1.0)


def test_people_get_a_table(run: Run, tmp_path: Path) -> None:
    data = synthetic.write(tmp_path / "cells", 20, 31)
    (data / "Uninfected" / "broken.png").write_text("no picture")
    told = run("evaluate", "--data", data)
    assert told.exit_code == 0
    assert "sensitivity" in told.stdout
    assert "broken.png" in told.stderr


def test_data_without_labels_are_refused(run: Run, tmp_path: Path) -> None:
    told = run("evaluate", "--data", tmp_path)
    assert told.exit_code == 2
    assert "Parasitized/" in told.stderr
