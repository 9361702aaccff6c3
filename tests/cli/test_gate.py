"""`malaria gate`: studies of the gate on the shipped model, as small as they can be."""

import json
from pathlib import Path

import pytest
from PIL import Image

from malaria import poison_trial, roles, synthetic
from malaria.domain import ModelVersion, Role
from malaria.memory import Memory
from tests.cli.conftest import Run


@pytest.mark.slow
def test_power_writes_its_tables_and_pictures(
    run: Run, tmp_path: Path, shipped_info: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALARIA_GATE_DRAWS", "200")
    told = run("gate", "power", "--simulations", 10, "--out", tmp_path / "out")
    assert told.exit_code == 0, told.stderr
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["made"]["model"] == shipped_info.version
    assert found["settings"]["draws"] == 200
    assert len(found["cases"]) > 40 and all(one["simulations"] == 10 for one in found["cases"])
    assert {len(one["alone"]) for one in found["chains"]} == {2}
    page = (tmp_path / "out" / "report.md").read_text()
    for told_of in ("What a margin lets pass", "What more gate patients would buy", "Many small steps"):
        assert f"## {told_of}" in page
    assert "## Where the champion has learnt from earlier uploads" in page
    assert len(found["earlier"]) == 72 and all(one["simulations"] == 2 for one in found["earlier"])
    assert "![" in page and (tmp_path / "out" / "margins.png").is_file()


def laboratory(folder: Path, models_dir: Path) -> Path:
    """Synthetic cells named after training patients who play the laboratory in the first two draws."""
    known = roles.load(models_dir / "roles.json")
    train = [patient for patient, role in sorted(known.items()) if role == Role.TRAIN and "/" not in patient]
    sides = [(side, cast) for cast in (0, 1) for side in poison_trial.MOST]
    play = [p for side, cast in sides for p in [p for p in train if poison_trial.played(p, cast) == side][:8]]
    for i, cell in enumerate(synthetic.generate(len(play) * 8, 3)):
        (folder / cell.label.text).mkdir(parents=True, exist_ok=True)
        (folder / cell.label.text / f"{play[i // 8]}thin_cell_{i}.png").write_bytes(cell.png())
    return folder


@pytest.mark.slow
def test_poison_sends_uploads_through_the_whole_run(run: Run, tmp_path: Path, models_dir: Path) -> None:
    cells = laboratory(tmp_path / "cells", models_dir)
    only = ("--only", "100%", "--draws", 2)
    told = run("gate", "poison", "--data", cells, *only, "--out", tmp_path / "out")
    assert told.exit_code == 0, told.stderr
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["made"]["method"] == "adapt" and "epochs" not in found["made"]
    draws = found["uploads"]
    for flipped in draws:
        assert flipped["counts"]["accepted"] == flipped["sent"] > 30
        assert flipped["what"] == "100% of the labels flipped" and flipped["verdict"] == "rejected"
        assert "labels" in [rule["name"] for rule in flipped["criteria"] if rule["passed"] is False]
    assert [one["cast"] for one in draws] == [0, 1]
    assert draws[0]["cost"] != draws[1]["cost"], "other patients play"
    assert "What each challenger would cost" in (tmp_path / "out/report.md").read_text()


@pytest.mark.slow
def test_what_waits_is_met_by_the_next_upload(run: Run, tmp_path: Path, models_dir: Path) -> None:
    """One class alone is too small to decide on; what it does to the next, which is right, is told."""
    cells = laboratory(tmp_path / "cells", models_dir)
    told = run("gate", "poison", "--data", cells, "--only", 8, "--out", tmp_path / "out")
    assert told.exit_code == 0, told.stderr
    (one,) = json.loads((tmp_path / "out" / "report.json").read_text())["uploads"]
    assert one["what"].startswith("one class") and one["verdict"] == "undecidable"
    assert one["after"]["what"] == "the next" and one["after"]["after"] is None
    assert one["after"]["sent"] > 30 and one["after"]["verdict"]
    page = (tmp_path / "out/report.md").read_text()
    assert "## What waits, and what the next upload makes of it" in page


def fields_of_validation(folder: Path, models_dir: Path) -> Path:
    """Synthetic cells on fields that are named after validation fields of Chula RBC-12."""
    known = roles.load(models_dir / "roles.json")
    names = [name for name, role in sorted(known.items()) if (name[:6], role) == ("chula/", Role.VALIDATION)]
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    cells = iter(synthetic.generate(15 * 6, 5))
    for name in (name.partition("/")[2] for name in names[:15]):
        field, lines = Image.new("RGB", (220, 150), (225, 205, 210)), []
        for place in range(6):
            x, y = 40 + 70 * (place % 3), 40 + 70 * (place // 3)
            field.paste(next(cells).image.resize((48, 48)), (x - 24, y - 24))
            lines.append(f"{x} {y} {place % 2}")
        field.save(folder / "images" / f"{name}.png")
        (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))
    return folder


@pytest.mark.slow
def test_cells_sorted_by_shape_meet_a_system_that_does_not_know_their_laboratory(
    run: Run, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = laboratory(tmp_path / "cells", models_dir)
    shapes, known, ship = fields_of_validation(tmp_path / "fields", models_dir), [], poison_trial.ship

    def shipped(models: Path, info: ModelVersion, memory: Memory, into: Path) -> Path:
        known.append(set(memory.origins.tolist()))
        return ship(models, info, memory, into)

    monkeypatch.setattr(poison_trial, "ship", shipped)
    asked = ("--only", 0, "--only", 15, "--out", tmp_path / "out")
    told = run("gate", "poison", "--data", cells, "--shapes", shapes, *asked)
    assert told.exit_code == 0, told.stderr
    assert known == [{"base", "base:bccd", "base:chula"}, {"base", "base:bccd"}]
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    right, odd = found["uploads"]
    assert right["what"].startswith("nothing") and odd["what"].startswith("red cells sorted by shape")
    assert odd["counts"]["accepted"] == odd["sent"] == 12 * 6
    assert "fields" in found["made"]["data"]


def test_poison_says_what_it_cannot_send(run: Run, tmp_path: Path, models_dir: Path) -> None:
    cells = laboratory(tmp_path / "cells", models_dir)
    told = run("gate", "poison", "--data", cells, "--only", 99)
    assert told.exit_code == 2 and "from 0 to 14" in told.stderr
    told = run("gate", "poison", "--data", cells, "--only", "flipped")
    assert told.exit_code == 2 and "50% of the labels flipped" in told.stderr
    shapes = fields_of_validation(tmp_path / "fields", models_dir)
    told = run("gate", "poison", "--data", cells, "--shapes", shapes, "--only", 99)
    assert told.exit_code == 2 and "from 0 to 15" in told.stderr
    strangers = cells.rename(tmp_path / "strangers")
    for path in list(strangers.rglob("*.png")):
        path.rename(path.with_name(f"nobody{path.name.partition('thin')[2]}"))
    none = run("gate", "poison", "--data", strangers)
    assert none.exit_code == 2 and "no cells of both classes" in none.stderr


def test_poison_by_full_needs_tensorflow_and_alone_takes_epochs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("gate", "poison", "--data", tmp_path / "none.zip")
    told = run(*asked, "--method", "auto")
    assert told.exit_code == 2 and "adapt or full" in told.stderr
    told = run(*asked, "--epochs", 2)
    assert told.exit_code == 2 and "--method full" in told.stderr
    monkeypatch.setattr("malaria.cli.training_options.find_spec", lambda name: object())
    told = run(*asked, "--method", "full", "--epochs", 0)
    assert told.exit_code == 2 and "epochs must be a whole number from 1" in told.stderr
    monkeypatch.setattr("malaria.cli.training_options.find_spec", lambda name: None)
    told = run(*asked, "--method", "full")
    assert told.exit_code == 1 and "needs TensorFlow" in told.stderr
    assert not (tmp_path / "poison").exists()
