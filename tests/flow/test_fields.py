"""Fields of three other laboratories, as their files stand: read, cropped, outlined, measured."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from malaria import fields, segment

pytestmark = pytest.mark.flow

SETS = {"bbbc041": "smears_bbbc041", "chula": "chula_rbc12.zip", "bccd": "bccd.zip"}
BOXES = {
    "bbbc041": {"red blood cell": 976, "trophozoite": 13, "ring": 5, "schizont": 2, "leukocyte": 1},
    "chula": {"normal": 3406, "spherocyte": 1684, "target cell": 1371, "elliptocyte": 517, "burr cell": 379},
    "bccd": {"red blood cell": 4153, "white blood cell": 372, "platelet": 361},
}


@pytest.fixture(params=SETS)
def named(request: pytest.FixtureRequest, real_cells: Path) -> tuple[str, Path]:
    path = real_cells / SETS[request.param]
    if not path.exists():
        pytest.skip(f"{path} is missing: the fields of {request.param} belong beside the NIH cells")
    return str(request.param), path


def test_every_box_is_read(named: tuple[str, Path]) -> None:
    name, path = named
    assert fields.are_fields(path)
    kinds = Counter(b.kind.name for field in fields.read(path, fields.SETS[name]) for b in field.boxes)
    assert kinds.items() >= BOXES[name].items()


def test_cells_of_another_laboratory_have_an_outline(named: tuple[str, Path]) -> None:
    """Of every tenth field at most; boxes say how large cells are, centres do not."""
    name, path = named
    found = []
    for number, field in enumerate(fields.read(path, fields.SETS[name])):
        if number % (1 if name == "bbbc041" else 20):
            continue
        image = field.image()
        crops = [fields.crop(image, box) for box in field.boxes[:30] if box.kind.label is not None]
        found += [segment.mask(np.asarray(crop)) for crop in crops]
    assert len(found) > 100
    assert 0.35 < np.median([cell.mean() for cell in found]) < 0.85
    assert np.mean([cell[cell.shape[0] // 2, cell.shape[1] // 2] for cell in found]) > 0.97
    assert not any(cell.all() for cell in found)


def test_a_model_is_measured_on_bbbc041(real_cells: Path, tmp_path: Path) -> None:
    data = real_cells / SETS["bbbc041"]
    if not data.exists():
        pytest.skip(f"{data} is missing")
    arguments = ["--data", str(data), "--kinds", "bbbc041", "--report", str(tmp_path / "report"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "malaria.cli", "--home", str(tmp_path), "evaluate", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path / "matplotlib")},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["fields"], told["cells"], told["parasitized"], told["groups"]) == (12, 996, 20, 12)
    assert told["masked"]["cells"] == 996
    for figures in (told, told["masked"]):
        low, high = figures["intervals"]["auc"]
        assert 0.5 < low < figures["auc"] < high <= 1
    kinds = {kind["kind"]: kind for kind in told["kinds"]}
    assert kinds["ring"]["figure"] == "sensitivity"
    assert kinds["red blood cell"]["rates"]["raw"]["value"] == told["specificity"]
    assert [kind["kind"] for kind in told["not_cells"]] == ["leukocyte"]
    assert (tmp_path / "report" / "roc.png").exists()
