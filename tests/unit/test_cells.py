"""Labelled cells on disk, as trusted data lie there."""

import zipfile
from pathlib import Path

import pytest

from malaria import cells
from malaria.domain import Cell, Label
from malaria.errors import BadArchive, BadLayout
from tests.unit import zips

FILES = {
    "data/parasitized/C33P1thinF_IMG_7_cell_1.png": b"one",
    "data/UNINFECTED/b.JPG": b"two",
    "data/UNINFECTED/.hidden.png": b"x",
    "data/Uninfected/readme.txt": b"x",
    "__MACOSX/Uninfected/._b.png": b"x",
    "stray.png": b"x",
}
READ = [
    (Cell("b.JPG", Label.UNINFECTED, None), b"two"),
    (Cell("C33P1thinF_IMG_7_cell_1.png", Label.PARASITIZED, "C33P1"), b"one"),
]


def test_a_zip_and_a_folder_are_read_alike(tmp_path: Path) -> None:
    for name, data in FILES.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert list(cells.read(tmp_path / "folder")) == READ
    assert list(cells.read(zips.pack(tmp_path / "a.zip", FILES))) == READ


def test_a_patients_csv_names_the_patients(tmp_path: Path) -> None:
    table = b"file,patient\na.png,Ana\nb.png,Ben\n"
    files = {"Parasitized/a.png": b"1", "Uninfected/b.png": b"2", "patients.csv": table}
    told = [cell.patient for cell, _ in cells.read(zips.pack(tmp_path / "a.zip", files))]
    assert told == ["Ana", "Ben"]
    for name, data in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert [cell.patient for cell, _ in cells.read(tmp_path / "folder")] == told


def test_a_patient_has_one_spelling(tmp_path: Path) -> None:
    table = b"file,patient\na.png,K-1\nb.png,k-1 \nc.png,K-2\n"
    files = {"Parasitized/a.png": b"1", "Uninfected/b.png": b"2", "Uninfected/c.png": b"3"}
    told = cells.read(zips.pack(tmp_path / "a.zip", {**files, "patients.csv": table}))
    assert [cell.patient for cell, _ in told] == ["K-1", "K-1", "K-2"]


FIRST_SECOND = {"Parasitized/a.png": b"first one", "Uninfected/b.png": b"second"}


def test_a_damaged_entry_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    packed = zips.pack(tmp_path / "a.zip", FIRST_SECOND, zipfile.ZIP_STORED)
    packed.write_bytes(packed.read_bytes().replace(b"second", b"sec0nd", 1))
    problems: list[tuple[str, str]] = []
    read = list(cells.read(packed, lambda cell, problem: problems.append((cell.name, problem.code))))
    assert [data for _, data in read] == [b"first one"]
    assert problems == [("b.png", "damaged-entry")]
    with pytest.raises(BadArchive, match=r"b\.png"):
        list(cells.read(packed))


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("Parasitized/a.png", Label.PARASITIZED),
        ("x/uninfected/slide 1/a.png", Label.UNINFECTED),
        ("Parasitized/Uninfected/a.png", Label.UNINFECTED),
        ("Parasitized.png", None),
        ("other/a.png", None),
    ],
)
def test_the_nearest_class_folder_counts(path: str, label: Label | None) -> None:
    assert cells.label_of(path) == label


def test_what_holds_no_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("no")
    for source in (tmp_path / "empty", tmp_path / "a.txt", tmp_path / "gone"):
        with pytest.raises(BadLayout, match=source.name):
            list(cells.read(source))
