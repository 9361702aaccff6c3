import json
from pathlib import Path

import pytest

from malaria import roles, synthetic
from malaria.domain import ModelVersion, Role
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


def test_uploads_go_through_the_whole_run_one_after_another(
    run: Run, tmp_path: Path, models_dir: Path, shipped_info: ModelVersion
) -> None:
    """Synthetic cells named after training patients; what stands before the first is what ships."""
    known = roles.load(models_dir / "roles.json")
    train = [patient for patient, role in sorted(known.items()) if role == Role.TRAIN and "/" not in patient]
    cells = tmp_path / "cells"
    for i, cell in enumerate(synthetic.generate(45 * 4, 3)):
        (cells / cell.label.text).mkdir(parents=True, exist_ok=True)
        (cells / cell.label.text / f"{train[i // 4]}thin_cell_{i}.png").write_bytes(cell.png())
    told = run("adapt-sequence", "--data", cells, "--uploads", 2, "--out", tmp_path / "out")
    assert told.exit_code == 0, told.stderr
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    first, *after = found["steps"]
    assert first["version"] == shipped_info.version
    assert [step["number"] for step in after] == [1, 2]
    assert [step["site"] for step in after] == ["washed out", "yellow lamp"]
    assert all(step["verdict"] in {"accepted", "rejected", "undecidable"} for step in after), after
    for step in after:
        served = step["verdict"] == "accepted"
        before = found["steps"][step["number"] - 1]
        assert served == (step["version"] != before["version"])
        assert step["reason"].lower().startswith(step["verdict"])
    assert (tmp_path / "out" / "sequence.png").is_file()
