import json
from pathlib import Path

import pytest
from PIL import Image

from malaria import roles, shipped, subject_kinds
from malaria.domain import ModelVersion, Role
from tests.cli.conftest import Run
from tests.train.test_train import nih_named
from tests.unit.test_grafting import bare
from tests.unit.test_laboratories import fields

__all__ = ["bare"]


def test_what_ships_is_grafted_once(run: Run, bare: tuple[Path, ModelVersion], models_dir: Path) -> None:
    models, info = bare
    none = run("subject", "graft", "--models", models)
    assert none.exit_code == 2
    assert "holds no subject network" in none.stderr
    (models / "subject").symlink_to(models_dir / "subject")
    done = run("subject", "graft", "--models", models)
    made = shipped.read_shipped(models)[0]
    assert done.stdout == f"{info.network}: {info.version} is now {made.version}\n"
    again = run("subject", "graft", "--models", models)
    assert again.stdout == f"{info.network}: {made.version} has it\n"


@pytest.fixture
def models(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What ships, with roles for made patients."""
    monkeypatch.setenv("MALARIA_SHIPPED", str(tmp_path / "models"))
    monkeypatch.setattr(subject_kinds, "EACH", 4)
    (tmp_path / "models").mkdir()
    for file in models_dir.iterdir():
        if file.name != "roles.json":
            (tmp_path / "models" / file.name).symlink_to(file)
    known = {"C1P1": Role.VALIDATION, "C2P2": Role.GATE, "bccd/a": Role.VALIDATION}
    roles.save(known, tmp_path / "models" / "roles.json")
    return tmp_path / "models"


@pytest.mark.usefixtures("models")
def test_it_is_put_to_the_test(run: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (60, 50), (10, 90, 200)).save(photos / "sky.png")
    asked = [
        *("subject", "evaluate", "--data", nih_named(tmp_path / "cells", range(1, 3), 1)),
        *("--laboratory", f"bccd={fields(tmp_path / 'bccd', 'a')}", "--pictures", f"skies={photos}"),
    ]
    told = run(*asked, "--report", tmp_path / "report", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    kinds = {(of["kind"], of["source"]): of for of in found["kinds"]}
    assert kinds["cell, parasitized", "nih gate"]["pictures"] == 4
    assert kinds["skies", "photos"]["refused"]["value"] == 1.0
    assert kinds["noise", "drawn"]["stopped"]["value"] == 1.0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["kinds"] == found["kinds"]
    assert set(report["made"]["data"]) == {"cells", "bccd", "photos"}
    assert "## What is not one good cell" in (tmp_path / "report" / "report.md").read_text()
    with Image.open(tmp_path / "report" / "sheet.jpg") as sheet:
        assert sheet.width > 1000


def test_what_is_wrongly_asked_is_told(run: Run, tmp_path: Path) -> None:
    cells = nih_named(tmp_path / "cells", range(1, 2), 1)
    nameless = run("subject", "evaluate", "--data", cells, "--pictures", tmp_path)
    assert nameless.exit_code == 2
    assert "is not NAME=FOLDER" in nameless.stderr
    missing = run("subject", "evaluate", "--data", cells, "--pictures", f"photos={tmp_path / 'gone'}")
    assert missing.exit_code == 2
    assert "There is no folder" in missing.stderr
    laboratory = run("subject", "train", "--data", cells, "--laboratory", f"bbbc041={cells}")
    assert laboratory.exit_code == 2
    assert "with a set of chula, bccd" in laboratory.stderr, "BBBC041 is for measuring only"
