import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import no_cells, synthetic
from malaria.cli.explaining import file_names
from malaria.domain import ModelVersion
from tests.cli.conftest import Run


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """Four cells in a folder: two parasitized, two not."""
    return synthetic.write(tmp_path / "cells", 4, 21)


def test_a_folder_is_answered_rightly_in_order(run: Run, cells: Path, shipped_info: ModelVersion) -> None:
    told = run("predict", cells, "--json")
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["model_version"] == shipped_info.version
    counts = {"pictures": 4, "parasitized": 2, "uninfected": 2, "refused": 0, "to_review": 0, "unreadable": 0}
    assert answer["summary"] == counts
    for result in answer["results"]:
        assert Path(result["file"]).parent.name == result["prediction"]
        assert result["confidence"] == result["probabilities"][result["prediction"]]
    assert [r["file"] for r in answer["results"]] == sorted(r["file"] for r in answer["results"])


def test_doubtful_cells_are_told_in_every_form(run: Run, cells: Path) -> None:
    first = json.loads(run("predict", cells, "--json").stdout)["results"][0]
    at = str(first["probabilities"]["Parasitized"])  # at its own probability a cell is doubtful
    told = json.loads(run("predict", cells, "--json", "--threshold", at).stdout)
    assert told["results"][0]["needs_review"]
    assert told["results"][0]["review"]["code"] == "uncertain"
    assert told["summary"]["to_review"] == sum(one["needs_review"] for one in told["results"])
    rows = list(csv.DictReader(io.StringIO(run("predict", cells, "--csv", "--threshold", at).stdout)))
    assert [row["review"] == "uncertain" for row in rows] == [r["needs_review"] for r in told["results"]]
    table = run("predict", cells, "--threshold", at).stdout
    assert "A person should look at" in table


def test_what_cannot_be_read_is_told_and_the_others_answered(run: Run, cells: Path) -> None:
    (cells / "Parasitized" / "a-note.png").write_text("not a picture")
    told = run("predict", cells / "missing.png", cells, cells / "patients.csv", "--json")
    assert told.exit_code == 1
    answer = json.loads(told.stdout)
    codes = [r.get("error", {}).get("code") for r in answer["results"]]
    assert codes == ["not-found", "unreadable-image", None, None, None, None, "unreadable-image"]
    assert answer["summary"]["unreadable"] == 3


def test_zips_are_looked_into(run: Run, tmp_path: Path) -> None:
    archive = synthetic.write(tmp_path / "cells.zip", 4, 21)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("__MACOSX/Parasitized/._x.png", b"rubbish")
        opened.writestr("Parasitized/zz-broken.png", b"")
    told = run("predict", archive, "--json")
    assert told.exit_code == 1
    results = json.loads(told.stdout)["results"]
    assert len(results) == 5
    broken = [r for r in results if "error" in r]
    assert [Path(r["file"]).name for r in broken] == ["zz-broken.png"]


def test_a_zip_that_is_none_and_an_empty_folder_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fake.zip").write_text("no archive")
    (tmp_path / "empty").mkdir()
    told = run("predict", tmp_path / "fake.zip", tmp_path / "empty")
    assert told.exit_code == 1
    assert "None seen in 0 cells. 2 could not be read." in told.stdout


def test_csv_has_a_row_for_each_picture_and_no_formula(
    run: Run, cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = next((cells / "Parasitized").iterdir())
    picture.rename(cells / "=HYPERLINK(evil).png")
    (cells / "+broken.png").write_bytes(b"x")
    monkeypatch.chdir(cells)
    told = run("predict", "=HYPERLINK(evil).png", "+broken.png", "--csv")
    assert told.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert [row["file"] for row in rows] == ["'=HYPERLINK(evil).png", "'+broken.png"]
    assert rows[0]["prediction"] == "Parasitized"
    assert float(rows[0]["p_parasitized"]) == pytest.approx(float(rows[0]["confidence"]), abs=1e-6)
    assert rows[1]["prediction"] == ""
    assert rows[1]["error"]


def test_people_get_a_table_and_never_the_word_negative(run: Run, cells: Path) -> None:
    told = run("predict", cells)
    assert told.exit_code == 0
    assert "Parasites seen in 2 of 4 cells." in told.stdout
    clear = run("predict", cells / "Uninfected")
    assert "None seen in 2 cells." in clear.stdout
    assert "negative" not in clear.stdout.lower()
    assert "\x1b[" not in told.stdout


def test_the_threshold_decides(run: Run, cells: Path) -> None:
    everything = json.loads(run("predict", cells, "--json", "--threshold", 0).stdout)
    assert everything["summary"]["parasitized"] == 4
    for wrong in ("1.5", "-0.1", "nan"):
        told = run("predict", cells, "--threshold", wrong)
        assert told.exit_code == 2
        assert "threshold" in told.stderr


def test_a_model_by_version_by_file_and_an_unknown_one(
    run: Run, cells: Path, shipped_info: ModelVersion, models_dir: Path, tmp_path: Path
) -> None:
    served = json.loads(run("predict", cells, "--json").stdout)
    by_version = json.loads(run("predict", cells, "--json", "--model", shipped_info.version).stdout)
    file = models_dir / shipped_info.version / "model.tflite"
    by_file = json.loads(run("predict", cells, "--json", "--model", file).stdout)
    assert served == by_version == by_file
    alone = tmp_path / "alone.tflite"
    alone.write_bytes(file.read_bytes())
    assert (
        json.loads(run("predict", cells, "--json", "--model", alone).stdout)["model_version"]
        == "alone.tflite"
    )
    by_network = json.loads(run("predict", cells, "--json", "--model", shipped_info.network).stdout)
    assert served == by_network
    unknown = run("predict", cells, "--model", "20200101-nothing")
    assert unknown.exit_code == 2
    assert "models list" in unknown.stderr
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    broken = run("predict", cells, "--model", tmp_path / "broken.tflite")
    assert broken.exit_code == 1
    assert broken.stderr.count("\n") == 1


def test_csv_and_json_at_once_are_refused(run: Run, cells: Path) -> None:
    assert run("predict", cells, "--csv", "--json").exit_code == 2


def test_where_the_model_looked_is_drawn_for_each_readable_picture(
    run: Run, cells: Path, tmp_path: Path
) -> None:
    (cells / "Parasitized" / "a-note.png").write_text("not a picture")
    folder = tmp_path / "deep" / "where it looked"
    told = run("predict", cells, "--json", "--explain", folder)
    assert told.exit_code == 1
    results = json.loads(told.stdout)["results"]
    drawn = {Path(r["file"]): Path(r["explanation"]) for r in results if "error" not in r}
    assert len(drawn) == 4
    assert set(folder.iterdir()) == set(drawn.values())
    assert "4 in" in told.stderr
    for picture, looked in drawn.items():
        assert looked.stem == picture.stem
        before, after = Image.open(picture).convert("RGB"), Image.open(looked)
        assert (after.size, after.mode) == (before.size, "RGB")
        painted = before.tobytes() != after.tobytes()
        assert painted == (picture.parent.name == "Parasitized"), "evidence against is not painted"


def test_nothing_is_overwritten(run: Run, cells: Path, tmp_path: Path) -> None:
    folder = tmp_path / "looked"
    assert run("predict", cells / "Uninfected", "--explain", folder).exit_code == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = run("predict", cells, "--explain", folder)
    assert again.exit_code == 2
    assert "nothing is overwritten" in again.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    in_the_way = run("predict", cells, "--explain", next(iter(before)))
    assert in_the_way.exit_code == 2
    assert "cannot be made a folder" in in_the_way.stderr


def test_pictures_of_one_name_get_files_of_their_own_and_csv_names_them(
    run: Run, cells: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "a.zip"
    picture = next((cells / "Parasitized").iterdir()).read_bytes()
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("x/cell.png", "y/CELL.png", "z/cell.jpg", "-../=1+2.png"):
            opened.writestr(name, picture)
    folder = tmp_path / "looked"
    told = run("predict", archive, "--csv", "--explain", folder)
    assert told.exit_code == 0, told.stderr
    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert [Path(row["explanation"]).name for row in rows] == [
        "_1_2.png",
        "cell.png",
        "CELL-2.png",
        "cell-3.png",
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(Path(r["explanation"]).name for r in rows)
    assert "explanation" not in run("predict", archive, "--csv").stdout.splitlines()[0]


def test_names_of_files_are_safe_and_no_two_alike() -> None:
    given = [
        "a.png",
        "b/a.webp",
        "A.png",
        "a-2.png",
        "../..",
        ".hidden.png",
        "-rf.png",
        "ä ö.png",
        "x" * 300,
        "",
    ]
    made = file_names(given)
    assert made[:4] == ["a.png", "a-2.png", "A-3.png", "a-2-2.png"]
    assert len({name.lower() for name in made}) == len(given)
    for name in made:
        assert name.isascii() and len(name) < 120 and not name.startswith((".", "-")) and "/" not in name


def test_what_is_no_cell_is_told_and_not_counted(run: Run, cells: Path, tmp_path: Path) -> None:
    no_cells.writing(np.random.default_rng(1)).save(cells / "page.png")
    told = run("predict", cells, "--json")
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    (page,) = [r for r in answer["results"] if r["file"].endswith("page.png")]
    assert (page["prediction"], page["confidence"], page["probabilities"]) == (None, None, None)
    assert (page["needs_review"], page["review"]["code"]) == (True, "no-cell")
    counted = {name: answer["summary"][name] for name in ("pictures", "parasitized", "uninfected", "refused")}
    assert counted == {"pictures": 5, "parasitized": 2, "uninfected": 2, "refused": 1}
    rows = {
        Path(r["file"]).name: r for r in csv.DictReader(io.StringIO(run("predict", cells, "--csv").stdout))
    }
    assert (rows["page.png"]["prediction"], rows["page.png"]["review"]) == ("", "no-cell")
    table = run("predict", cells, "--explain", tmp_path / "maps")
    assert "Parasites seen in 2 of 4 cells." in table.stdout
    assert "1 picture not answered: not one good cell." in table.stdout
    assert not (tmp_path / "maps" / "page.png").exists()
    assert len(list((tmp_path / "maps").iterdir())) == 4
