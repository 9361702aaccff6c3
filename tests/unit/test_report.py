import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import pictures, ranking, report
from malaria.errors import MissingPart
from malaria.metrics import metrics
from malaria.report import Answers, Made, Table
from tests.unit.test_metrics import cells

LABELS, SAID, PATIENTS = cells(600, 12)
MADE = Made(
    "malaria evaluate --data cells.zip",
    {"cells.zip": "a" * 64},
    7,
    datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
    "20261125-abcdef01",
    "b" * 64,
    {"folds": 5},
)


def written(folder: Path, labels: np.ndarray = LABELS) -> Path:
    found = metrics(labels, SAID, PATIENTS, 0.5, bootstrap=50)
    tables = [
        report.figures_table("Cells", {"all": found, "listed": None, "again": found}, "A note."),
        Table("Odd", ["name", "value"], [["a|b", None], ["c", 0.12345]]),
    ]
    answers = Answers(labels, SAID, PATIENTS, 0.5)
    report.write(folder, "A model", MADE, {"accuracy": found.accuracy}, tables, answers)
    return folder


def test_a_report_holds_what_is_needed_to_repeat_it(tmp_path: Path) -> None:
    folder = written(tmp_path / "new" / "folder")
    told = json.loads((folder / "report.json").read_text())
    assert told["made"] == {
        "command": MADE.command,
        "date": "2026-11-25T09:30:00+00:00",
        "model": MADE.model,
        "digest": MADE.digest,
        "data": {"cells.zip": "a" * 64},
        "seed": 7,
        "folds": 5,
    }
    assert 0.8 < told["accuracy"] < 1
    text = (folder / "report.md").read_text()
    for part in (MADE.command, MADE.digest, "a" * 64, "2026-11-25", "| figure | all | again |", "A note."):
        assert part in text


def test_every_figure_stands_in_the_table_with_its_interval(tmp_path: Path) -> None:
    text = (written(tmp_path) / "report.md").read_text()
    for name in report.FIGURES.values():
        (row,) = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", text, re.M)
        value, low, high = map(float, re.findall(r"0\.\d{4}", row)[:3])
        assert low < high, name
        assert low <= value <= high or name.startswith("calibration"), name
    assert "median" in text
    assert "| a\\|b | - |\n| c | 0.1235 |" in text


def test_the_same_measurement_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["confusion.png", "reliability.png", "report.json", "report.md", "roc.png"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_pictures_are_pictures_and_links_lead_to_them(tmp_path: Path) -> None:
    folder = written(tmp_path)
    linked = re.findall(r"\]\((\w+\.png)\)", (folder / "report.md").read_text())
    assert linked == ["confusion.png", "roc.png", "reliability.png"]
    for name in linked:
        with Image.open(folder / name) as picture:
            assert picture.size == (576, 576)
            assert len(picture.convert("RGB").getcolors(10**6) or []) > 5


def test_one_class_has_no_roc_curve(tmp_path: Path) -> None:
    folder = written(tmp_path, np.zeros_like(LABELS))
    assert not (folder / "roc.png").exists()
    assert "roc.png" not in (folder / "report.md").read_text()


def test_without_matplotlib_it_says_how_to_add_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPart, match="--extra train"):
        written(tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_the_curve_of_resampled_patients_is_that_of_the_cells() -> None:
    steps = ranking.order(LABELS, SAID).steps(np.ones(len(LABELS)))
    heights = pictures._heights(steps)
    assert heights[0] <= heights[50] <= heights[-1] == 1.0
    assert heights[4] == pytest.approx(metrics(LABELS, SAID, PATIENTS, 0.5).sensitivity_at_specificity_98)
