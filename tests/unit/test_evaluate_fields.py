"""Fields with boxes, cells of a role, doubted labels: figures by hand."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from malaria import evaluation_tables, fields
from malaria.domain import Role
from malaria.errors import BadInput, BadOptions
from malaria.evaluate import Wanted, measure
from malaria.fields import BBBC041
from malaria.predict import Model
from malaria.scoring import Fields, score
from malaria.suspects import key
from tests.unit.test_evaluate import CELLS, archive, model

__all__ = ["model"]
FIELDS = Fields(BBBC041, "bbbc041")
PLASMA = (225, 220, 215)


def field(path: Path, name: str, *cells: tuple[int, int]) -> None:
    """A field of cells 40 pixels wide, 60 apart: each of a class, and so dark (0 to 255)."""
    image = Image.new("RGB", (60 * len(cells) + 20, 80), PLASMA)
    pen, lines = ImageDraw.Draw(image), []
    for i, (code, darkness) in enumerate(cells):
        left = 20 + 60 * i
        pen.ellipse((left, 20, left + 40, 60), fill=(255 - darkness,) * 3)
        box = [(left + 20) / image.width, 0.5, 40 / image.width, 0.5]
        lines.append(" ".join(map(str, [code, *box])))
    out = io.BytesIO()
    image.save(out, "PNG")
    for part in ("images", "labels"):
        (path / part).mkdir(parents=True, exist_ok=True)
    (path / "images" / f"{name}.png").write_bytes(out.getvalue())
    (path / "labels" / f"{name}.txt").write_text("\n".join(lines))


@pytest.fixture
def smears(tmp_path: Path) -> Path:
    """The model calls a cell parasitized from a darkness of 102 on."""
    path = tmp_path / "smears"
    field(path, "one", (0, 60), (0, 130), (2, 200), (5, 250))
    field(path, "two", (0, 70), (0, 80), (1, 90), (2, 180))
    field(path, "three", (0, 75))
    return path


def test_fields_are_measured_raw_and_masked(model: Model, smears: Path) -> None:
    found, scores = measure(model, smears, Wanted(how=FIELDS))
    assert found.metrics.confusion == {"tp": 2, "fp": 1, "fn": 1, "tn": 4}
    assert (found.fields, found.patients, found.unknown_patients, found.metrics.patients) == (3, 0, 8, 3)
    assert found.masked is not None
    assert found.masked.confusion == found.metrics.confusion, "this model looks at the middle only"
    assert set(scores.views) == {"raw", "masked"}
    assert len(scores.cells) == 9
    assert {cell.group for cell in scores.cells} == {f"field:bbbc041/{n}" for n in ("one", "two", "three")}


def test_each_kind_has_the_figure_of_its_class(model: Model, smears: Path) -> None:
    found, _ = measure(model, smears, Wanted(how=FIELDS))
    told = {k.kind: (k.label, k.figure, k.cells, k.groups, k.rates["raw"].value) for k in found.kinds}
    assert told == {
        "ring": ("Parasitized", "sensitivity", 2, 2, 1.0),
        "trophozoite": ("Parasitized", "sensitivity", 1, 1, 0.0),
        "red blood cell": ("Uninfected", "specificity", 5, 3, 0.8),
    }
    assert [k.kind for k in found.kinds] == ["ring", "trophozoite", "red blood cell"]
    low, high = found.kinds[2].rates["masked"].interval or (0, 0)
    assert low < 0.8 <= high
    (white,) = found.not_cells
    assert (white.kind, white.label, white.figure, white.cells) == ("leukocyte", "", "called_parasitized", 1)
    assert white.rates["raw"].value == 1.0


def test_a_masked_crop_has_black_corners_and_the_same_middle(model: Model, smears: Path) -> None:
    masked = Wanted(how=FIELDS).views(model)["masked"]
    for one in fields.read(smears, BBBC041):
        for box in one.boxes:
            raw = np.asarray(fields.crop(one.image(), box))
            seen = np.asarray(masked(fields.crop(one.image(), box)))
            assert (seen[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
            assert (seen[15:25, 15:25] == raw[15:25, 15:25]).all()


def test_a_margin_widens_the_boxes(model: Model, smears: Path) -> None:
    sizes: list[tuple[int, int]] = []

    def noted(image: Image.Image) -> Image.Image:
        sizes.append(image.size)
        return image

    score(model, smears, {"raw": noted}, how=Fields(BBBC041, "bbbc041", 0.5))
    assert set(sizes) == {(60, 60)}


def test_a_field_has_a_role_as_a_patient_has(model: Model, smears: Path) -> None:
    roles = {"bbbc041/one": Role.TRAIN, "bbbc041/two": Role.TEST, "two": Role.TRAIN}
    found, _ = measure(model, smears, Wanted(how=FIELDS, roles=roles))
    assert found.by_role == {
        "none": {"cells": 1, "patients": 1},
        "test": {"cells": 4, "patients": 1},
        "train": {"cells": 4, "patients": 1},
    }
    assert found.warning.startswith("4 of 9 cells")
    tested, scores = measure(model, smears, Wanted(how=FIELDS, roles=roles, only=["test"]))
    assert {cell.owner for cell in scores.cells} == {"bbbc041/two"}
    assert set(tested.by_role) == {"test"}
    assert (found.fields, tested.fields) == (3, 1)
    assert found.warning.endswith("Judge it on fields it has not seen.")


def test_a_broken_field_is_passed_over_and_told(model: Model, smears: Path) -> None:
    whole, _ = measure(model, smears, Wanted(how=FIELDS))
    field(smears, "bad boxes", (0, 250))
    (smears / "labels" / "bad boxes.txt").write_text("0 0.5 0.5 nonsense 0.1\n")
    field(smears, "no picture", (0, 250))
    (smears / "images" / "no picture.png").write_bytes(b"no picture")
    found, _ = measure(model, smears, Wanted(how=FIELDS))
    assert (found.fields, found.metrics) == (whole.fields, whole.metrics)
    told = {bad.name: (bad.code, bad.reason) for bad in found.unreadable}
    assert told.keys() == {"images/bad boxes.png", "images/no picture.png"}
    assert told["images/bad boxes.png"][0] == "bad-layout"
    assert "labels/bad boxes.txt" in told["images/bad boxes.png"][1]
    assert told["images/no picture.png"][0] == "unreadable-image"
    kept, _ = measure(model, smears, Wanted(how=FIELDS, only=["test"], roles={"bbbc041/two": Role.TEST}))
    assert kept.unreadable == (), "those of other roles are not told"


def test_where_no_field_can_be_read_the_reason_is_told(model: Model, smears: Path) -> None:
    for label in (smears / "labels").iterdir():
        label.write_text("0 0.5")
    with pytest.raises(BadInput, match=r"None of the 3 .* line 1"):
        measure(model, smears, Wanted(how=FIELDS))
    for label in (smears / "labels").iterdir():
        label.write_text("")
    with pytest.raises(BadInput, match="no boxes"):
        measure(model, smears, Wanted(how=FIELDS))


def test_classes_that_are_not_known_stop_the_work(model: Model, smears: Path) -> None:
    (smears / "labels" / "three.txt").write_text("9 0.5 0.5 0.4 0.4")
    with pytest.raises(BadOptions, match="class '9'"):
        measure(model, smears, Wanted(how=FIELDS))


def test_only_patients_of_the_roles_asked_for(model: Model, tmp_path: Path) -> None:
    roles = {"C1": Role.TRAIN, "C2": Role.VALIDATION, "C3": Role.TEST}
    source = archive(tmp_path / "cells.zip", CELLS)

    def cells(*only: str) -> dict[str, int]:
        found, _ = measure(model, source, Wanted(roles=roles, only=only))
        return {role: of["cells"] for role, of in found.by_role.items()}

    assert cells("validation", "test") == {"test": 1, "validation": 1}
    assert cells("none") == {"none": 3}
    with pytest.raises(BadInput, match="None of the cells"):
        measure(model, source, Wanted(roles=roles, only=["gate"]))
    with pytest.raises(BadOptions, match="tests is no role"):
        measure(model, source, Wanted(roles=roles, only=["tests"]))


def test_broken_pictures_of_other_roles_are_not_told(model: Model, tmp_path: Path) -> None:
    files = {
        "Uninfected/C1_a_cell_1.png": b"broken",
        "Uninfected/C2_a_cell_1.png": CELLS["Uninfected/stray.png"],
    }
    found, _ = measure(
        model, archive(tmp_path / "a.zip", files), Wanted(roles={"C2": Role.GATE}, only=["gate"])
    )
    assert found.unreadable == ()


def test_doubted_cells_are_told_apart_and_no_label_is_changed(model: Model, tmp_path: Path) -> None:
    doubted = frozenset({key(1, "C2_thin_IMG_1_cell_1"), key(0, "C3_thin_IMG_1_cell_1"), key(0, "elsewhere")})
    source = archive(tmp_path / "cells.zip", CELLS)
    found, _ = measure(model, source, Wanted(doubted=doubted))
    assert found.metrics == measure(model, source, Wanted())[0].metrics, "all cells, original labels"
    not_listed, listed = found.suspects["not_listed"], found.suspects["listed"]
    assert not_listed is not None
    assert listed is not None
    assert not_listed.confusion == {"tp": 2, "fn": 0, "fp": 0, "tn": 4}
    assert listed.confusion == {"tp": 0, "fn": 1, "fp": 1, "tn": 0}
    none, _ = measure(model, source, Wanted(doubted=frozenset()))
    assert none.suspects["listed"] is None
    assert none.suspects["not_listed"] == found.metrics


def test_disturbances_are_paired_with_the_cells_as_they_are(model: Model, smears: Path) -> None:
    found, scores = measure(model, smears, Wanted(how=FIELDS, corruptions=True, bootstrap=100))
    assert found.metrics.confusion["tp"] == 2, "told of the cells as they are"
    by_name = {f"{one.kind}/{one.severity}": one for one in found.corruptions}
    assert set(scores.views) == {"raw", "masked", *by_name}
    assert set(found.kinds[0].rates) == {"raw", "masked"}
    black = by_name["surround/1"].drops["accuracy"]
    assert black is not None
    assert black.points == 0, "this model looks at the middle only"
    dim = by_name["brightness/2"].drops
    red = scores.red
    said = red.views["brightness/2"] >= 0.4
    lost = (red.views["raw"] >= 0.4).astype(int) == red.labels
    points = 100 * (lost.mean() - (said.astype(int) == red.labels).mean())
    assert dim["accuracy"] is not None
    assert dim["accuracy"].points == pytest.approx(points)


def test_tables_and_json_hold_it_all(model: Model, smears: Path) -> None:
    found, _ = measure(model, smears, Wanted(how=FIELDS, roles={}, corruptions=True, bootstrap=50))
    tables = {table.title: table for table in evaluation_tables.tables(found)}
    assert list(tables["Figures"].columns) == ["figure", "raw crops", "masked crops"]
    assert [row[0] for row in tables["By kind of cell"].rows] == ["ring", "trophozoite", "red blood cell"]
    assert [row[0] for row in tables["What is no red cell"].rows] == ["leukocyte"]
    assert len(tables["Drop under disturbances"].rows) == 13
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title
    told = evaluation_tables.told(found)
    assert told["accuracy"] == found.metrics.accuracy
    assert told["masked"]["confusion"] == told["confusion_matrix"]
    assert told["kinds"][0]["rates"]["raw"]["value"] == 1.0
    assert told["corruptions"][0]["drops"]["auc"]["interval"]


def test_fields_without_a_red_cell_say_nothing_of_red_cells(model: Model, tmp_path: Path) -> None:
    field(tmp_path, "white", (5, 200))
    found, _ = measure(model, tmp_path, Wanted(how=FIELDS))
    assert (found.metrics.cells, found.metrics.accuracy, found.kinds) == (0, None, ())
    assert found.not_cells[0].cells == 1
    assert np.isfinite(found.seconds)
