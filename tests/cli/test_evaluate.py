import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from malaria import looks, pointing, synthetic
from malaria.digests import sha256
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


def one_field(folder: Path) -> Path:
    """A field `a` with two boxes."""
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    Image.new("RGB", (90, 90), (220, 210, 205)).save(folder / "images" / "a.png")
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.4 0.4\n2 0.3 0.3 0.3 0.3\n")
    return folder


def test_fields_need_their_classes_told(run: Run, tmp_path: Path) -> None:
    one_field(tmp_path)
    told = run("evaluate", "--data", tmp_path)
    assert told.exit_code == 2
    assert "--kinds bbbc041, chula, bccd" in told.stderr
    told = run("evaluate", "--data", tmp_path, "--kinds", "bbbc041", "--margin", 0.2, "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert (found["cells"], found["fields"], found["masked"]["cells"]) == (2, 1, 2)
    assert [kind["kind"] for kind in found["kinds"]] == ["ring", "red blood cell"]
    assert found["by_role"] == {"none": {"cells": 2, "patients": 1}}


def test_kinds_say_nothing_of_class_folders(run: Run, tmp_path: Path) -> None:
    data = synthetic.write(tmp_path / "cells", 4, 31)
    told = run("evaluate", "--data", data, "--kinds", "chula")
    assert told.exit_code == 2
    assert "no fields" in told.stderr


def test_figures_with_and_without_doubted_labels(run: Run, tmp_path: Path) -> None:
    data = synthetic.write(tmp_path / "cells", 40, 31)
    names = sorted(path.stem for path in (data / "Parasitized").iterdir())[:3]
    doubted = tmp_path / "doubted.csv"
    doubted.write_text(
        "original_label,cell,patient\n" + "".join(f"Parasitized,{name},P1\n" for name in names)
    )
    told = run("evaluate", "--data", data, "--suspects", doubted, "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["cells"] == 40
    assert found["suspects"]["listed"]["cells"] == 3
    assert found["suspects"]["not_listed"]["cells"] == 37
    shown = run("evaluate", "--data", data, "--suspects", doubted)
    assert "not listed as suspect" in shown.stdout
    doubted.write_text("cell\nx\n")
    assert run("evaluate", "--data", data, "--suspects", doubted).exit_code == 2


def of_patient(data: Path, patient: str) -> Path:
    """The cells as those of a base patient."""
    (data / "patients.csv").unlink(missing_ok=True)
    for number, path in enumerate(sorted(data.glob("*/*.png"))):
        path.rename(path.with_name(f"{patient}thinF_IMG_1_cell_{number}.png"))
    return data


@pytest.fixture
def locked(models_dir: Path) -> str:
    roles = json.loads((models_dir / "roles.json").read_text())
    return str(next(patient for patient, role in roles.items() if role == "test"))


def test_looks_at_test_patients_are_counted_and_told(
    run: Run, tmp_path: Path, home: Path, locked: str, shipped_info: ModelVersion, models_dir: Path
) -> None:
    data = of_patient(synthetic.write(tmp_path / "cells", 10, 31), locked)
    before = looks.count(models_dir / looks.FILE)
    first = json.loads(run("evaluate", "--data", data, "--json").stdout)
    assert first["test_look"] == {
        "number": before + 1,
        "of": "patients",
        "cells": 10,
        "patients": 1,
        "fields": 0,
    }
    second = run("evaluate", "--data", data)
    assert f"look {before + 2} at the test patients" in second.stdout
    elsewhere = tmp_path / "elsewhere.jsonl"
    third = json.loads(run("evaluate", "--data", data, "--looks", elsewhere, "--json").stdout)
    assert third["test_look"]["number"] == before + 1
    (line,) = map(json.loads, elsewhere.read_text().splitlines())
    assert (line["version"], line["digest"]) == (shipped_info.version, shipped_info.digest)
    assert (line["data"], line["sha256"]) == ("cells", sha256(data))
    assert looks.count(home / looks.FILE) == 2


def test_looks_at_test_fields_are_no_looks_at_patients(
    run: Run, tmp_path: Path, home: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, models = one_field(tmp_path / "fields"), tmp_path / "ships"
    shutil.copytree(models_dir, models)
    (models / looks.FILE).unlink(missing_ok=True)
    (models / "roles.json").write_text(json.dumps({"bbbc041/a": "test"}))
    monkeypatch.setenv("MALARIA_SHIPPED", str(models))
    told = run("evaluate", "--data", data, "--kinds", "bbbc041", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)["test_look"]
    assert found == {"number": 1, "of": "fields of bbbc041", "cells": 2, "patients": 0, "fields": 1}
    shown = run("evaluate", "--data", data, "--kinds", "bbbc041")
    assert "look 2 at the test fields of bbbc041: 2 cells" in shown.stdout
    assert looks.count(home / looks.FILE) == 0, "no patient was looked at"
    assert looks.count(home / looks.FILE, "fields of bbbc041") == 2


def test_other_patients_are_no_look(run: Run, tmp_path: Path, home: Path, locked: str) -> None:
    data = synthetic.write(tmp_path / "cells", 10, 31)
    assert "test_look" not in json.loads(run("evaluate", "--data", data, "--json").stdout)
    of_patient(data, locked)
    told = run("evaluate", "--data", data, "--role", "gate", "--role", "none")
    assert told.exit_code == 2
    assert "None of the cells" in told.stderr
    assert not (home / looks.FILE).exists()
    assert run("evaluate", "--data", data, "--role", "exam").exit_code == 2


def test_a_report_is_written_with_what_repeats_it(
    run: Run, tmp_path: Path, shipped_info: ModelVersion
) -> None:
    data, folder = synthetic.write(tmp_path / "cells.zip", 30, 31), tmp_path / "report"
    told = run("evaluate", "--data", data, "--report", folder, "--seed", 3, "--json")
    assert told.exit_code == 0, told.stderr
    assert {path.name for path in folder.iterdir()} >= {
        "report.json",
        "report.md",
        "confusion.png",
        "roc.png",
    }
    found = json.loads((folder / "report.json").read_text())
    assert found["made"]["data"] == {"cells.zip": sha256(data)}
    assert (found["made"]["model"], found["made"]["seed"]) == (shipped_info.version, 3)
    assert {name: found[name] for name in json.loads(told.stdout)} == json.loads(told.stdout)
    assert shipped_info.digest in (folder / "report.md").read_text()


def test_without_matplotlib_a_report_is_refused_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = run("evaluate", "--data", tmp_path / "nowhere", "--report", tmp_path / "report")
    assert told.exit_code == 1
    assert "--extra train" in told.stderr


def test_disturbances_are_told_in_points(run: Run, tmp_path: Path) -> None:
    data = synthetic.write(tmp_path / "cells", 12, 31)
    told = run("evaluate", "--data", data, "--corruptions", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)["corruptions"]
    assert len(found) == 13
    assert {"kind", "severity", "setting", "drops"} == set(found[0])
    assert set(found[0]["drops"]) == {"accuracy", "sensitivity", "specificity", "auc"}


def test_explanations_are_put_to_the_test(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pointing, "CELLS", 12)
    data, folder = synthetic.write(tmp_path / "cells", 24, 31), tmp_path / "report"
    told = run("evaluate", "--data", data, "--explanations", "--report", folder, "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads((folder / "report.json").read_text())["explained"]
    assert json.loads(told.stdout)["explained"] == found
    assert {(of["cells"], of["tenth"]) for of in found["hidden"]} == {
        (cells, tenth)
        for cells in ("called parasitized", "parasitized and called so")
        for tenth in ("hottest tenth", "random tenth", "difference")
    }
    hottest, random, difference = (of["logit"]["value"] for of in found["hidden"][:3])
    assert difference == pytest.approx(hottest - random)
    assert hottest > 3 > 4 * random
    whole = found["pointing"][0]
    assert (whole["form"], whole["cells"]) == ("all", 6)
    assert sum(of["cells"] for of in found["pointing"][1:]) == 6
    assert whole["hits"]["value"] > 0.5 > whole["chance"]["value"]
    text = (folder / "report.md").read_text()
    assert "## What a hidden tenth does" in text
    assert "## Pointing at parasites" in text


def test_explanations_of_fields(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pointing, "CELLS", 2)
    told = run(
        *("evaluate", "--data", one_field(tmp_path), "--kinds", "bbbc041", "--threshold", 0),
        *("--explanations", "--json"),
    )
    assert told.exit_code == 0, told.stderr
    hidden = json.loads(told.stdout)["explained"]["hidden"]
    assert {(of["cells"], of["count"], of["groups"]) for of in hidden} == {
        ("called parasitized", 2, 1),
        ("parasitized and called so", 1, 1),
    }


def test_a_set_may_come_in_parts(run: Run, tmp_path: Path, home: Path, locked: str) -> None:
    whole = of_patient(synthetic.write(tmp_path / "whole", 20, 31), locked)
    parts = [tmp_path / "one", tmp_path / "two"]
    for number, path in enumerate(sorted(whole.glob("*/*.png"))):
        place = parts[number % 2] / path.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    once = json.loads(run("evaluate", "--data", whole, "--json").stdout)
    told = run("evaluate", "--data", parts[0], "--data", parts[1], "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["source"] == "one, two"
    assert found["confusion_matrix"] == once["confusion_matrix"]
    assert found["auc"] == once["auc"]
    line = json.loads((home / looks.FILE).read_text().splitlines()[-1])
    assert (line["data"], line["sha256"]) == ("one, two", f"{sha256(parts[0])}, {sha256(parts[1])}")
    twice = run("evaluate", "--data", whole, "--data", whole)
    assert twice.exit_code == 2
    assert "the same name" in twice.stderr
    mixed = run("evaluate", "--data", whole, "--data", one_field(tmp_path / "fields"))
    assert mixed.exit_code == 2
    assert "Measure them apart" in mixed.stderr
