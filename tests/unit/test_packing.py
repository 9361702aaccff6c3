"""Confirmed labels become a ZIP that the real ingest takes in, whole or not at all."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import cells as on_disk
from malaria import preprocess
from malaria.archive import Problem
from malaria.domain import Confirmation, Label, Said
from malaria.errors import BadInput
from malaria.feedback import Settled, settle
from malaria.ingest import Held, ingest
from malaria.packing import Packed, pack
from tests.unit import zips

P, U = Label.PARASITIZED, Label.UNINFECTED
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def fingerprint(data: bytes) -> int:
    return preprocess.fingerprint_of(preprocess.decode(data))


def confirmed(
    data: bytes, label: Label, *, by: str = "ada", patient: str | None = None, nonce: str = ""
) -> Confirmation:
    cell = fingerprint(data)
    said = Said(nonce or f"{cell:x}", "v1", 0.9, 0.5, P, NOW, cell)
    return Confirmation(said, label, by, None, patient, NOW)


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def packed(settled: Settled, source: Path, out: Path) -> Packed:
    return pack(settled, on_disk.pictures(source), out)


SLIDES = {
    "tuesday/a.png": zips.png(1),
    "tuesday/b.jpg": zips.encoded(zips.image(2), "JPEG"),
    "Uninfected/slide_IMG_7_cell_12.png": zips.png(3),
    "Uninfected/slide_IMG_7_cell_13.png": zips.png(4),
    "C33P1thinF_IMG_20150619_cell_5.png": zips.png(5),
    "again.png": zips.encoded(zips.image(1), "BMP"),
    "unlabelled.png": zips.png(6),
    "broken.png": b"no picture",
    "notes.txt": b"hello",
}
ROWS = [
    confirmed(SLIDES["tuesday/a.png"], P, patient="k-1"),
    confirmed(SLIDES["tuesday/b.jpg"], U),
    confirmed(SLIDES["Uninfected/slide_IMG_7_cell_12.png"], P),
    confirmed(SLIDES["Uninfected/slide_IMG_7_cell_13.png"], P),
    confirmed(SLIDES["Uninfected/slide_IMG_7_cell_13.png"], U, by="ben", nonce="another answer"),
    confirmed(SLIDES["C33P1thinF_IMG_20150619_cell_5.png"], U),
    confirmed(zips.png(77), P),
]


def test_pictures_are_found_by_their_pixels_and_told_apart(tmp_path: Path) -> None:
    found = packed(settle(ROWS), folder(tmp_path / "slides", SLIDES), tmp_path / "up.zip")
    assert found == Packed(
        written={"Parasitized": 2, "Uninfected": 2},
        with_patient=2,
        missing=1,
        disputed={
            "Uninfected/slide_IMG_7_cell_13.png": {"ada": "Parasitized", "ben": "Uninfected"},
        },
        repeated=1,
        unconfirmed=1,
        unreadable={"broken.png": found.unreadable["broken.png"]},
    )
    assert "not a picture" in found.unreadable["broken.png"]
    a, b, c, e = (
        f"{fingerprint(SLIDES[name]):016x}"
        for name in (
            "again.png",
            "tuesday/b.jpg",
            "Uninfected/slide_IMG_7_cell_12.png",
            "C33P1thinF_IMG_20150619_cell_5.png",
        )
    )
    with zipfile.ZipFile(tmp_path / "up.zip") as archive:
        assert set(archive.namelist()) == {
            f"Parasitized/{a}/again.png",
            f"Uninfected/{b}/b.png",
            f"Parasitized/{c}/slide_IMG_7_cell_12.png",
            f"Uninfected/{e}/C33P1thinF_IMG_20150619_cell_5.png",
            "patients.csv",
        }
        table = list(csv.reader(io.StringIO(archive.read("patients.csv").decode())))
        assert table[0] == ["file", "patient"]
        assert dict(table[1:]) == {
            f"Parasitized/{a}/again.png": "k-1",
            f"Uninfected/{e}/C33P1thinF_IMG_20150619_cell_5.png": "C33P1",
        }
        jpeg = preprocess.decode(archive.read(f"Uninfected/{b}/b.png"))
    assert np.array_equal(np.asarray(jpeg), np.asarray(preprocess.decode(SLIDES["tuesday/b.jpg"])))


def test_the_real_ingest_takes_it_in_with_labels_patients_and_fields(tmp_path: Path) -> None:
    packed(settle(ROWS), folder(tmp_path / "slides", SLIDES), tmp_path / "up.zip")
    taken = ingest(
        tmp_path / "up.zip", kind="site", held=Held(), known_roles={}, work=tmp_path / "work", now=NOW
    )
    assert taken.report.accepted == {"Parasitized": 2, "Uninfected": 2}
    assert not taken.report.quarantined
    by_cell = {cell.fingerprint: cell for cell in taken.shard.cells}
    settled = settle(ROWS).by_picture()
    assert all(cell.label == settled[key].label for key, cell in by_cell.items())
    assert by_cell[fingerprint(zips.png(1))].patient == "k-1"
    assert by_cell[fingerprint(zips.png(3))].group == "field:slide_IMG_7"
    assert by_cell[fingerprint(zips.png(5))].patient == "C33P1"


def test_a_zip_of_pictures_and_its_patients_are_read_too(tmp_path: Path) -> None:
    files = {f"{i}.png": zips.png(i) for i in range(4)}
    table = b"file,patient\n0.png,from the table\n1.png,from the table\n"
    source = zips.pack(tmp_path / "slides.zip", files | {"patients.csv": table})
    rows = [confirmed(zips.png(i), Label(i % 2), patient="told" if i == 1 else None) for i in range(4)]
    found = packed(settle(rows), source, tmp_path / "up.zip")
    assert (found.with_patient, found.missing) == (2, 0)
    again = on_disk.read(tmp_path / "up.zip")
    assert {cell.name: (cell.label, cell.patient) for cell, _ in again} == {
        "0.png": (U, "from the table"),
        "1.png": (P, "told"),
        "2.png": (U, None),
        "3.png": (P, None),
    }


def test_equal_pictures_and_labels_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        packed(settle(ROWS), folder(tmp_path / name / "slides", SLIDES), tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_nothing_but_pixels_is_written(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, born 1980"
    source = folder(
        tmp_path / "slides",
        {
            "a.jpg": zips.encoded(zips.image(1), "JPEG", exif=exif, comment=b"Jane"),
            "b.png": zips.png(2),
        },
    )
    rows = [confirmed((source / "a.jpg").read_bytes(), P), confirmed(zips.png(2), U)]
    packed(settle(rows), source, tmp_path / "up.zip")
    assert b"Jane" in (source / "a.jpg").read_bytes()
    assert b"Jane" not in (tmp_path / "up.zip").read_bytes()


def test_one_class_is_no_upload_and_writes_nothing(tmp_path: Path) -> None:
    source, out = folder(tmp_path / "slides", SLIDES), tmp_path / "up.zip"
    out.write_bytes(b"of last week")
    with pytest.raises(BadInput, match=r"label Parasitized was found among 6 pictures; 3 cells"):
        packed(settle([ROWS[1], *(confirmed(zips.png(i), P) for i in (90, 91, 92))]), source, out)
    with pytest.raises(BadInput, match="Uninfected or Parasitized"):
        packed(settle([]), source, out)
    assert out.read_bytes() == b"of last week"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slides", "up.zip"]


def test_a_failure_halfway_leaves_what_stood_before(tmp_path: Path) -> None:
    def torn() -> on_disk.Pictures:
        yield "a.png", None, SLIDES["tuesday/a.png"]
        raise OSError("the stick was pulled out")

    with pytest.raises(OSError, match="stick"):
        pack(settle(ROWS), torn(), tmp_path / "up.zip")
    assert not list(tmp_path.iterdir())


def test_an_entry_that_cannot_be_read_is_told_and_odd_names_are_borne(tmp_path: Path) -> None:
    pictures: list[tuple[str, str | None, bytes | Problem]] = [
        ("locked.png", None, Problem("encrypted", "It is protected by a password.")),
        ("odd\x07\udcff.png", None, zips.png(1)),
        ("b.png", None, zips.png(2)),
    ]
    found = pack(
        settle([confirmed(zips.png(1), P), confirmed(zips.png(2), U)]), pictures, tmp_path / "up.zip"
    )
    assert found.unreadable == {"locked.png": "It is protected by a password."}
    taken = ingest(
        tmp_path / "up.zip", kind="site", held=Held(), known_roles={}, work=tmp_path / "work", now=NOW
    )
    assert taken.report.accepted == {"Parasitized": 1, "Uninfected": 1}


def test_a_picture_that_was_saved_again_is_another_one(tmp_path: Path) -> None:
    sent = [zips.encoded(zips.image(i), "PNG") for i in range(3)]
    files = {"same.tif": zips.encoded(zips.image(0), "TIFF"), "b.png": sent[1]}
    files["c.jpg"] = zips.encoded(zips.image(2), "JPEG", quality=80)
    rows = [confirmed(sent[0], P), confirmed(sent[1], U), confirmed(sent[2], U)]
    found = packed(settle(rows), folder(tmp_path / "slides", files), tmp_path / "up.zip")
    assert found.written == {"Parasitized": 1, "Uninfected": 1}
    assert (found.missing, found.unconfirmed) == (1, 1)


def test_names_of_other_systems_do_not_steer_where_a_picture_goes(tmp_path: Path) -> None:
    """A ZIP of Windows, unpacked elsewhere, leaves whole paths as names of files."""
    names = ["Uninfected\\slide 1\\cell.png", "Parasitized\\slide 1\\cell.png", "a\\..\\up.png", "C:\\x.png"]
    source = folder(tmp_path / "slides", {name: zips.png(i) for i, name in enumerate(names)})
    rows = [confirmed(zips.png(i), Label((i + 1) % 2), patient=f"k-{i}") for i in range(len(names))]
    packed(settle(rows), source, tmp_path / "up.zip")
    taken = ingest(
        tmp_path / "up.zip", kind="site", held=Held(), known_roles={}, work=tmp_path / "work", now=NOW
    )
    assert not taken.report.quarantined and not taken.report.warnings
    told = {cell.fingerprint: (cell.label, cell.patient) for cell in taken.shard.cells}
    assert told == {row.said.fingerprint: (row.label, row.patient) for row in rows}


def test_equal_names_in_several_folders_do_not_clash(tmp_path: Path) -> None:
    files = {f"slide-{i}/cell.png": zips.png(i) for i in range(4)}
    rows = [confirmed(zips.png(i), Label(i % 2), patient=f"k-{i}") for i in range(4)]
    found = packed(settle(rows), folder(tmp_path / "slides", files), tmp_path / "up.zip")
    assert (found.written, found.with_patient) == ({"Parasitized": 2, "Uninfected": 2}, 4)
    with zipfile.ZipFile(tmp_path / "up.zip") as archive:
        assert len(set(archive.namelist())) == len(archive.namelist()) == 5
