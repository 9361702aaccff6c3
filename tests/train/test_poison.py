"""An upload goes through `full` in the trial of poisoned uploads, and what it costs is counted."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from malaria import poison_tables, roles
from malaria.cli import app
from malaria.domain import Role
from tests.cli.test_gate import laboratory
from tests.train.test_full import base_zip

pytestmark = pytest.mark.train


def test_a_right_upload_goes_through_full_and_its_cost_is_counted(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALARIA_GATE_DRAWS", "200")
    play, known = laboratory(tmp_path / "cells", models_dir), roles.load(models_dir / "roles.json")
    others = {Role.TRAIN: 2, Role.VALIDATION: 2, Role.GATE: 4, Role.TEST: 2}
    rest = base_zip(tmp_path / "others.zip", known, others)
    out = tmp_path / "out"
    asked = ["gate", "poison", "--method", "full", "--epochs", "1", "--only", "nothing", "--out", str(out)]
    told = CliRunner().invoke(app, [*asked, "--data", str(play), "--data", str(rest)])
    assert told.exit_code == 0, told.output
    found = json.loads((out / "report.json").read_text())
    assert (found["made"]["method"], found["made"]["epochs"]) == ("full", 1)
    (one,) = found["uploads"]
    assert one["what"].startswith("nothing") and one["state"] == "succeeded" and one["verdict"], one["reason"]
    assert one["cost"]["site_sensitivity"]["groups"] >= 8, "as many judge as patients play it"
    for of in ("site", "own"):
        changed = [one["cost"][f"{of}_{name}"]["value"] for name in ("sensitivity", "specificity")]
        assert min(changed) > -0.3, "it went on from the served weights"
    page = (out / "report.md").read_text()
    assert poison_tables.FULL in page and "| epochs | 1 |" in page
