"""The shipped model on patients it has not seen, by the command that the README names.

On those of the gate: a test that runs every day must not look at the locked test patients."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from malaria.domain import ModelVersion

pytestmark = pytest.mark.flow


def test_it_is_right_on_patients_it_has_not_seen(real_cells: Path, tmp_path: Path) -> None:
    data = str(real_cells / "nih-cells-part4.zip")
    command = [
        sys.executable,
        "-m",
        "malaria.cli",
        "--home",
        str(tmp_path),
        "evaluate",
        "--data",
        data,
        "--role",
        "gate",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    found = told.get("metrics", told)
    print({name: round(found[name], 4) for name in ("accuracy", "sensitivity", "specificity", "auc")})
    assert found["cells"] == 2918
    assert found["accuracy"] >= 0.965


def test_the_manifest_names_the_very_file(shipped_info: ModelVersion, shipped_tflite: bytes) -> None:
    assert hashlib.sha256(shipped_tflite).hexdigest() == shipped_info.digest
    assert shipped_info.size_bytes == len(shipped_tflite)
    assert shipped_info.lineage["command"]
    assert "test" not in shipped_info.metrics, "test patients are looked at once a release"
