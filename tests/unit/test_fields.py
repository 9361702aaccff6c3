import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from malaria import fields
from malaria.domain import Label
from malaria.errors import BadArchive, BadInput, BadLayout, BadOptions
from malaria.fields import BBBC041, BCCD, CHULA, Box, Kind

VOC = """<annotation><object><name>{name}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>
<ymax>{}</ymax></bndbox></object></annotation>"""


def picture(width: int = 200, height: int = 100, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 180, 190)).save(out, kind)
    return out.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def test_yolo_boxes_are_relative_to_the_field(tmp_path: Path) -> None:
    write(tmp_path, {"images/a.png": picture(), "labels/a.txt": "2 0.5 0.5 0.1 0.4\n\n5 0.1 0.1 0.1 0.1\n"})
    (field,) = fields.read(tmp_path, BBBC041)
    ring, white = field.boxes
    assert field.name == "a"
    assert field.image().size == (200, 100)
    assert (ring.left, ring.top, ring.right, ring.bottom) == pytest.approx((90, 30, 110, 70))
    assert ring.kind == Kind("ring", Label.PARASITIZED)
    assert white.kind == Kind("leukocyte", None)


def test_pascal_voc_boxes(tmp_path: Path) -> None:
    told = VOC.format(10, 20, 50, 60, name="RBC")
    write(tmp_path, {"images/a.jpg": picture(kind="JPEG"), "annotations/a.xml": told})
    (field,) = fields.read(tmp_path, BCCD)
    assert field.boxes == (Box(10, 20, 50, 60, BCCD["RBC"]),)


def test_a_voc_box_without_a_width_is_passed_over(tmp_path: Path) -> None:
    told = VOC.format(10, 20, 10, 60, name="RBC")
    write(tmp_path, {"images/a.jpg": picture(kind="JPEG"), "annotations/a.xml": told})
    (field,) = fields.read(tmp_path, BCCD)
    assert field.boxes == ()


def test_centres_become_boxes_of_a_cells_size(tmp_path: Path) -> None:
    write(tmp_path, {"images/7.png": picture(), "labels/7.txt": "100 50 8\n5 5 12\n"})
    (field,) = fields.read(tmp_path, CHULA)
    burr, elliptocyte = field.boxes
    assert (burr.left, burr.top, burr.right, burr.bottom) == (76, 26, 124, 74)
    assert (burr.kind.name, elliptocyte.kind.name) == ("burr cell", "elliptocyte")
    assert fields.crop(field.image(), burr).size == (48, 48)
    assert fields.crop(field.image(), elliptocyte).size == (29, 29), "cut off where the field ends"


def test_a_zip_reads_as_its_folder_and_pictures_without_labels_are_passed_over(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "set",
        {
            "set/images/b.png": picture(),
            "set/labels/b.txt": "0 0.5 0.5 0.2 0.2",
            "set/images/a.png": picture(90, 90),
            "set/labels/a.txt": "",
            "set/images/none.png": picture(),
            "set/labels/.hidden.txt": "not read",
            "set/classes.txt": "not read",
        },
    )
    archive = zipped(folder, tmp_path / "set.zip")
    assert fields.are_fields(folder)
    assert fields.are_fields(archive)
    assert fields.count(archive) == 2
    read = list(fields.read(archive, BBBC041))
    assert [(field.name, len(field.boxes)) for field in read] == [("a", 0), ("b", 1)]
    assert read == list(fields.read(folder, BBBC041))


def test_class_folders_are_no_fields(tmp_path: Path) -> None:
    write(tmp_path, {"Parasitized/a.png": picture(), "notes.txt": "hello"})
    assert not fields.are_fields(tmp_path)
    with pytest.raises(BadLayout, match="images/"):
        list(fields.read(tmp_path, BBBC041))
    with pytest.raises(BadLayout, match="neither a folder nor a ZIP"):
        fields.are_fields(tmp_path / "nowhere")
    with pytest.raises(BadLayout, match="neither a folder nor a ZIP"):
        fields.are_fields(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("0 0.5 0.5 0.1", "line 1"),
        ("0 0.5 x 0.1 0.1", "could not convert"),
        ("0 0.5 0.5 nan 0.1", "outside"),
        ("0 0.5 0.5 inf 0.1", "outside"),
        ("0 1.5 0.5 0.1 0.1", "outside"),
        ("0 0.5 0.5 -0.1 0.1", "outside"),
        (b"\xff\xfe0", "utf-8"),
    ],
)
def test_labels_that_make_no_sense_are_named(tmp_path: Path, labels: str | bytes, said: str) -> None:
    write(tmp_path, {"images/a.png": picture(), "labels/a.txt": labels})
    with pytest.raises(BadLayout, match=said) as told:
        list(fields.read(tmp_path, BBBC041))
    assert "labels/a.txt" in str(told.value)


@pytest.mark.parametrize(
    "told", ["<annotation>", "<!DOCTYPE a><annotation/>", VOC.format(1, 1, 9, "", name="RBC")]
)
def test_annotations_that_make_no_sense_are_named(tmp_path: Path, told: str) -> None:
    write(tmp_path, {"images/a.png": picture(), "annotations/a.xml": told})
    with pytest.raises(BadLayout, match=r"annotations/a\.xml"):
        list(fields.read(tmp_path, BCCD))


def test_unknown_classes_broken_pictures_and_twins_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a", {"images/a.png": picture(), "labels/a.txt": "9 0.5 0.5 0.1 0.1"})
    with pytest.raises(BadOptions, match="class '9'"):
        list(fields.read(tmp_path / "a", BBBC041))
    write(tmp_path / "b", {"images/a.png": b"no picture", "labels/a.txt": ""})
    with pytest.raises(BadInput, match=r"images/a\.png"):
        list(fields.read(tmp_path / "b", BBBC041))
    write(tmp_path / "c", {"train/labels/a.txt": "", "test/labels/a.txt": ""})
    with pytest.raises(BadLayout, match="named alike"):
        list(fields.read(tmp_path / "c", BBBC041))


def test_a_damaged_zip_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", {"images/a.png": picture(), "labels/a.txt": "0 0.5 0.5 0.1 0.1"})
    archive = zipped(folder, tmp_path / "set.zip")
    data = bytearray(archive.read_bytes())
    at = data.index(b"\x89PNG") + 40
    data[at] ^= 255
    archive.write_bytes(data)
    with pytest.raises((BadInput, BadArchive), match=r"a\.png"):
        list(fields.read(archive, BBBC041))


def test_boxes_grow_about_their_centre() -> None:
    kind = BBBC041["0"]
    assert Box(10, 10, 30, 50, kind).wider(0.5) == Box(5, 0, 35, 60, kind)
    assert Box(10, 10, 30, 50, kind).wider(0.0) == Box(10, 10, 30, 50, kind)
    assert fields.crop(Image.new("RGB", (20, 20)), Box(25, 25, 30, 30, kind)).size[0] >= 1


def test_a_file_may_say_what_classes_are(tmp_path: Path) -> None:
    told = tmp_path / "kinds.json"
    kinds = {
        "ring": {"name": "ring", "label": "Parasitized"},
        "1": {"name": "platelet", "label": None},
    }
    told.write_text(json.dumps(kinds))
    meaning = fields.meaning_of(str(told))
    assert meaning == {"ring": Kind("ring", Label.PARASITIZED), "1": Kind("platelet", None)}
    assert fields.meaning_of("chula") is CHULA
    for wrong in ("[]", '{"a": 1}', '{"a": {"name": "x", "label": "Sick"}}', "{"):
        told.write_text(wrong)
        with pytest.raises(BadOptions, match="does not say"):
            fields.meaning_of(str(told))
    with pytest.raises(BadOptions, match="neither a file"):
        fields.meaning_of("another")
