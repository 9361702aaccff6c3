"""`malaria audit` on made-up answers about synthetic cells, with labels that were turned."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import suspects, synthetic
from malaria.out_of_fold import OutOfFold
from tests.cli.conftest import Run

TURNED = (3, 40, 77, 110)


@pytest.fixture
def audited(tmp_path: Path) -> tuple[Path, Path]:
    """Answers about 160 cells of 8 patients, four of whose labels were turned; and the ZIP of the cells."""
    rng = np.random.default_rng(4)
    made = list(synthetic.generate(160, 11))
    truth = np.array([int(cell.label) for cell in made], np.uint8)
    labels = truth.copy()
    labels[list(TURNED)] ^= 1
    names = [f"C{i % 8}P{i % 8}thinF_IMG_20260102_101010_cell_{i}" for i in range(160)]
    with zipfile.ZipFile(tmp_path / "cells.zip", "w") as archive:
        for cell, name, label in zip(made, names, labels, strict=True):
            archive.writestr(f"{('Uninfected', 'Parasitized')[label]}/{name}.png", cell.png())
    said = 1 / (1 + np.exp(-rng.normal(np.where(truth == 1, 4, -4), 1.0)))
    patients = np.array([f"C{i % 8}P{i % 8}" for i in range(160)])
    told = OutOfFold(np.array(names), patients, labels, (np.arange(160) % 2 + 1).astype(np.uint8), said)
    told.save(tmp_path / "out-of-fold.npz")
    return tmp_path / "out-of-fold.npz", tmp_path / "cells.zip"


def test_an_audit_gives_a_list_a_sheet_and_a_summary(
    run: Run, audited: tuple[Path, Path], tmp_path: Path
) -> None:
    answers, data = audited
    known = tmp_path / "known.csv"
    known.write_text("original_label,cell,patient\nParasitized,unknown_cell_1,C1\n")
    out = tmp_path / "audited"
    told = run(
        *("audit", "--out-of-fold", answers, "--data", data, "--suspects", known, "--out", out, "--json")
    )
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["cells"] == 160
    assert found["overlap"]["all"] == {
        "both": 0,
        "found_only": found["found"],
        "listed_only": 0,  # it was not audited
        "jaccard": 0.0,
        "found_share": None,
        "listed_share": 0.0,
    }
    with (out / "suspects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {int(row["cell"].rpartition("_")[2]) for row in rows[:4]} == set(TURNED)
    assert {row["patient"] for row in rows[:4]} == {f"C{i % 8}P{i % 8}" for i in TURNED}
    assert len(suspects.read(out / "suspects.csv")) == found["found"]
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.width > 1000
    report = json.loads((out / "report.json").read_text())
    assert set(report["made"]["data"]) == {"out-of-fold.npz", "cells.zip", "known.csv"}
    assert "Nothing is relabelled" in (out / "report.md").read_text()
    assert [path.name for path in sorted(out.glob("*.png"))] == ["contact-sheet.png"]


def test_the_summary_is_shown_as_tables(run: Run, audited: tuple[Path, Path], tmp_path: Path) -> None:
    answers, data = audited
    told = run("audit", "--out-of-fold", answers, "--data", data, "--out", tmp_path / "audited")
    assert told.exit_code == 0, told.stderr
    for part in ("labels doubted", "doubted among these, wrongly", "Patients with most doubted labels"):
        assert part in told.stdout
    assert "Against the list" not in told.stdout


def test_other_data_and_other_files_are_refused(run: Run, audited: tuple[Path, Path], tmp_path: Path) -> None:
    answers, data = audited
    other = synthetic.write(tmp_path / "other.zip", 20, 1)
    told = run("audit", "--out-of-fold", answers, "--data", other, "--out", tmp_path / "audited")
    assert told.exit_code == 2
    assert "none of the doubted cells" in told.stderr
    assert not (tmp_path / "audited").exists()
    told = run("audit", "--out-of-fold", data, "--data", data, "--out", tmp_path / "audited")
    assert told.exit_code == 2
    assert "no out-of-fold answers" in told.stderr
