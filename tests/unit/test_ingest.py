"""Taking in uploads: what is accepted, what is set aside and why."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from malaria import codec, preprocess, roles
from malaria.adapters import objects
from malaria.archive import Limits
from malaria.domain import Label, Method, Progress, RetrainOptions, Role
from malaria.errors import BadArchive, BadLayout, BadOptions, Cancelled, UploadTooLarge
from malaria.ingest import Held, Ingested, IngestReport, ingest, read_options
from malaria.shards import Shards
from tests.unit import zips

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def take(folder: Path, files: Mapping[str, bytes] | Path, **options: Any) -> Ingested:
    path = files if isinstance(files, Path) else zips.pack(folder / "upload.zip", files)
    held = options.pop("held", Held())
    known = options.pop("known_roles", {})
    work = options.pop("work", folder / "work")
    kind = options.pop("kind", "site")
    return ingest(path, kind=kind, held=held, known_roles=known, work=work, now=NOW, **options)


def refused(report: IngestReport) -> dict[str, str]:
    return {entry.name: entry.code for entry in report.quarantined}


def fingerprint(data: bytes) -> int:
    return preprocess.fingerprint(preprocess.pixels(data, preprocess.FINGERPRINT_SIZE))


def test_an_ordinary_upload_becomes_a_shard(tmp_path: Path) -> None:
    files = zips.usual(5)
    taken = take(tmp_path, files, name="march.zip")
    assert taken.report.accepted == {"Parasitized": 5, "Uninfected": 5}
    assert taken.report.counts["entries"] == taken.report.counts["accepted"] == 10
    assert not any((taken.report.quarantined, taken.report.duplicates, taken.report.overlap))
    assert (taken.shard.kind, taken.shard.name, taken.shard.created) == ("site", "march.zip", NOW)
    by_original = {cell.original: cell for cell in taken.shard.cells}
    with zipfile.ZipFile(taken.cells_zip) as archive:
        assert archive.namelist() == [cell.name for cell in taken.shard.cells] == sorted(archive.namelist())
        for name, data in files.items():
            cell = by_original[name]
            assert cell.label.text == name.split("/")[0] == cell.name.split("/")[0]
            assert cell.fingerprint == fingerprint(data)
            stored = preprocess.decode(archive.read(cell.name))
            assert np.array_equal(np.asarray(stored), np.asarray(preprocess.decode(data)))
    assert not (tmp_path / "work" / "pictures.spool").exists()


def test_equal_cells_give_equal_bytes_however_they_are_packed(tmp_path: Path) -> None:
    files = zips.usual(4)
    first = take(tmp_path, files, work=tmp_path / "a")
    again = {f"deep/{name.upper()}": data for name, data in reversed(files.items())}
    path = zips.pack(tmp_path / "other.zip", again, zipfile.ZIP_STORED)
    second = take(tmp_path, path, work=tmp_path / "b")
    assert first.shard.sha256 == second.shard.sha256
    assert first.cells_zip.read_bytes() == second.cells_zip.read_bytes()
    other = take(tmp_path, zips.usual(3), work=tmp_path / "c")
    assert other.shard.sha256 != first.shard.sha256


def test_nothing_but_pixels_is_stored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Jane Doe, born 1980", 6
    upright = zips.image(77)
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    secret = zips.encoded(turned, "PNG", exif=exif, icc_profile=b"Jane Doe" * 20, dpi=(300, 300))
    taken = take(tmp_path, {**zips.usual(), "Parasitized/x.png": secret})
    cell = next(c for c in taken.shard.cells if c.original == "Parasitized/x.png")
    with zipfile.ZipFile(taken.cells_zip) as archive:
        data = archive.read(cell.name)
    assert b"Jane" not in taken.cells_zip.read_bytes()
    with Image.open(io.BytesIO(data)) as stored:
        assert stored.info == {}
        assert np.array_equal(np.asarray(stored), np.asarray(upright))


def test_one_bad_entry_does_not_sink_the_others(tmp_path: Path) -> None:
    bad = {
        "Parasitized/empty.png": b"",
        "Parasitized/text.png": b"a note, renamed",
        "Parasitized/cut.png": zips.png(50)[:300],
        "Parasitized/dot.png": zips.encoded(Image.new("RGB", (1, 1))),
        "Parasitized/slide.png": zips.encoded(Image.new("L", (2100, 2100))),
        "Parasitized/inner.zip": b"PK\x03\x04 and so on",
        "Parasitized/Uninfected/which.png": zips.png(51),
        "elsewhere/stray.png": zips.png(52),
        "notes.txt": b"hello",
    }
    skipped = {"__MACOSX/Parasitized/._p0.png": b"x", "Uninfected/.DS_Store": b"x"}
    report = take(tmp_path, {**zips.usual(), **bad, **skipped}).report
    assert report.accepted == {"Parasitized": 3, "Uninfected": 3}
    assert refused(report) == {
        "Parasitized/empty.png": "unreadable-image",
        "Parasitized/text.png": "unreadable-image",
        "Parasitized/cut.png": "unreadable-image",
        "Parasitized/dot.png": "image-too-small",
        "Parasitized/slide.png": "image-too-large",
        "Parasitized/inner.zip": "nested-archive",
        "Parasitized/Uninfected/which.png": "two-classes",
        "elsewhere/stray.png": "no-class",
        "notes.txt": "not-a-picture",
    }
    assert all(entry.reason.endswith(".") for entry in report.quarantined)
    assert report.counts == {
        "entries": 17, "skipped": 2, "accepted": 6, "quarantined": 9, "duplicates": 0, "overlap": 0,
        "near_duplicates": 0,
    }  # fmt: skip


def test_a_bomb_within_a_picture_is_set_aside(tmp_path: Path) -> None:
    head = struct.pack(">2L5B", 40_000, 40_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(10_000_000), 9)), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(d)) + k + d + struct.pack(">L", zlib.crc32(k + d)) for k, d in chunks
    )
    report = take(tmp_path, {**zips.usual(), "Parasitized/bomb.png": bomb}).report
    assert refused(report) == {"Parasitized/bomb.png": "image-too-large"}


@pytest.mark.parametrize("limit", [{"max_total_pixels": 9000}, {"max_total_bytes": 30_000}])
def test_pictures_are_bounded_in_all(tmp_path: Path, limit: dict[str, int]) -> None:
    flat = {name: zips.encoded(Image.open(io.BytesIO(data)), "JPEG") for name, data in zips.usual(6).items()}
    with pytest.raises(UploadTooLarge, match="in parts"):
        take(tmp_path, flat, limits=Limits(**limit))
    assert not (tmp_path / "work" / "pictures.spool").exists()


@pytest.mark.parametrize("names", ["in/PARASITIZED {}", "a/b/parasitized {}", "Parasitized {}"])
def test_class_folders_are_found_deeper_and_in_any_case(tmp_path: Path, names: str) -> None:
    folder = names.removesuffix(" {}")
    files = {name.replace("Parasitized", folder): data for name, data in zips.usual().items()}
    assert take(tmp_path, files).report.accepted == {"Parasitized": 3, "Uninfected": 3}


@pytest.mark.parametrize("missing", list(Label))
def test_a_missing_class_is_named(tmp_path: Path, missing: Label) -> None:
    files = {name: data for name, data in zips.usual().items() if not name.startswith(missing.text)}
    with pytest.raises(BadLayout, match=f"folder {missing.text} is missing or empty"):
        take(tmp_path, files)


def test_wrong_folders_are_listed(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match=r"folders are: healthy, sick\. .*Parasitized and Uninfected"):
        take(tmp_path, {"sick/a.png": zips.png(1), "healthy/b.png": zips.png(2), "__MACOSX/._a": b""})


@pytest.mark.parametrize(
    "files", [{}, {"Parasitized/": b"", "Uninfected/": b""}, {"__MACOSX/Parasitized/a.png": b""}]
)
def test_a_zip_without_pictures_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(BadLayout, match="holds no files"):
        take(tmp_path, files)


def test_a_class_of_which_nothing_can_be_used_is_explained(tmp_path: Path) -> None:
    files = {"Parasitized/a.png": b"no", "Parasitized/b.png": b"no", "Uninfected/c.png": zips.png(3)}
    with pytest.raises(
        BadArchive, match=r"None of the 2 files under Parasitized/ .*/a\.png: This is not a picture"
    ):
        take(tmp_path, files)


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "upload.zip", zips.usual())
    for name in zips.usual():
        zips.set_local_flags(zips.patch_directory(path, name, flags=1), name, 1)
    with pytest.raises(BadArchive, match="password"):
        take(tmp_path, path)


def test_later_doubles_are_listed_and_dropped(tmp_path: Path) -> None:
    same = zips.encoded(zips.image(0), "BMP")  # the pixels of p0.png in another format
    report = take(tmp_path, {"Parasitized/p9.bmp": same, **zips.usual()}).report
    assert report.accepted == {"Parasitized": 3, "Uninfected": 3}
    assert [(d.name, d.same_as) for d in report.duplicates] == [("Parasitized/p9.bmp", "Parasitized/p0.png")]


def test_a_picture_under_both_classes_is_in_neither(tmp_path: Path) -> None:
    files = {**zips.usual(), "Uninfected/u8.png": zips.png(0), "Parasitized/p8.png": zips.png(0)}
    taken = take(tmp_path, files)
    assert refused(taken.report) == dict.fromkeys(
        ("Parasitized/p0.png", "Parasitized/p8.png", "Uninfected/u8.png"), "contradiction"
    )
    assert fingerprint(zips.png(0)) not in {cell.fingerprint for cell in taken.shard.cells}
    assert taken.report.duplicates == ()


def nih(patients: int, each: int = 2) -> dict[str, bytes]:
    """NIH-style names: each patient with cells of both classes."""
    files = {}
    for patient in range(patients):
        for i in range(each):
            stem = f"C{900 + patient}P{patient}ThinF_IMG_7_cell_{i}.png"
            files[f"Parasitized/{stem}"] = zips.png(patient * 100 + i)
            files[f"Uninfected/{stem}"] = zips.png(5000 + patient * 100 + i)
    return files


def copies(seed: int) -> dict[str, bytes]:
    """A cell saved, lit and turned anew: other bytes, other pixels, the same cell."""
    cell = zips.image(seed, (90, 84))
    dark = Image.eval(cell, lambda level: round(0.85 * level))
    turned = cell.transpose(Image.Transpose.ROTATE_90).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    small = cell.resize((83, 77))
    return {
        "a.png": zips.encoded(cell),
        "b.jpg": zips.encoded(cell, "JPEG", quality=60),
        "c.png": zips.encoded(dark),
        "d.png": zips.encoded(turned),
        "e.png": zips.encoded(small),
    }


def test_copies_that_are_nearly_the_same_count_once_and_are_told(tmp_path: Path) -> None:
    flood = {f"Uninfected/{name}": data for name, data in copies(7).items()}
    report = take(tmp_path, zips.usual(4) | flood).report
    assert report.accepted == {"Parasitized": 4, "Uninfected": 5}
    assert report.counts["near_duplicates"] == 4 and report.counts["duplicates"] == 0
    assert {(d.name, d.same_as, d.near) for d in report.duplicates} == {
        (f"Uninfected/{name}", "Uninfected/a.png", True) for name in sorted(copies(7))[1:]
    }
    assert any("4 pictures are nearly the same" in warning for warning in report.warnings)


def test_copies_under_both_classes_contradict_each_other(tmp_path: Path) -> None:
    (_, first), (_, second), *_ = copies(7).items()
    taken = take(tmp_path, zips.usual(4) | {"Uninfected/x.png": first, "Parasitized/y.jpg": second})
    assert refused(taken.report) == {
        "Uninfected/x.png": "contradiction",
        "Parasitized/y.jpg": "contradiction",
    }
    assert len(taken.shard.cells) == 8


def test_base_images_are_kept_as_they_are(tmp_path: Path) -> None:
    flood = {f"Uninfected/{name}": data for name, data in copies(7).items()}
    assert len(take(tmp_path, zips.usual(4) | flood, kind="base").shard.cells) == 13


def test_kind_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="kind"):
        take(tmp_path, zips.usual(), kind="other")


def test_options_come_along(tmp_path: Path) -> None:
    files = {**zips.usual(), "retrain.json": json.dumps({"method": "full", "epochs": 3}).encode()}
    assert take(tmp_path, files).options == RetrainOptions(method=Method.FULL, epochs=3)
    assert read_options(tmp_path / "upload.zip") == RetrainOptions(method=Method.FULL, epochs=3)
    assert take(tmp_path, zips.usual()).options is None
    assert read_options(zips.pack(tmp_path / "b.zip", zips.usual())) is None


def test_bad_options_are_refused_before_any_picture_is_read(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", {**zips.usual(), "x/retrain.json": b'{"epochs": 0}'})
    told: list[Progress] = []
    with pytest.raises(BadOptions, match=r"retrain\.json: epochs must be .* 1 to 200; it is 0"):
        take(tmp_path, path, report=told.append)
    assert told == []
    damaged = zips.patch_directory(
        zips.pack(tmp_path / "b.zip", {**zips.usual(), "retrain.json": b"{}"}), "retrain.json", size=1
    )
    with pytest.raises(BadOptions, match="cannot be read"):
        read_options(damaged)


def test_progress_ends_at_100_and_never_falls(tmp_path: Path) -> None:
    told: list[Progress] = []
    take(tmp_path, zips.usual(60), report=told.append)
    percents = [progress.percent for progress in told if progress.percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] == 100.0
    assert {progress.step for progress in told} == {"ingest"}
    assert len(told) < 20


def test_a_cancel_stops_it_and_leaves_no_spool(tmp_path: Path) -> None:
    def stop(_: Progress) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        take(tmp_path, zips.usual(30), report=stop)
    assert list((tmp_path / "work").iterdir()) == []


def test_long_lists_are_cut_and_still_counted(tmp_path: Path) -> None:
    files = {**zips.usual(), **{f"Parasitized/t{i:04}.png": b"x%d" % i for i in range(700)}}
    report = take(tmp_path, files).report
    assert len(report.quarantined) == 500
    assert report.counts["quarantined"] == 700
    assert any("first 500" in warning for warning in report.warnings)


def test_the_report_goes_to_json_and_back(tmp_path: Path) -> None:
    files = {**zips.usual(), "Parasitized/x.png": b"no", "Parasitized/y.png": zips.png(0)}
    report = take(tmp_path, files).report
    told = json.loads(json.dumps(codec.to_json(report)))
    assert told["quarantined"][0]["code"] == "unreadable-image"
    assert codec.from_json(IngestReport, told) == report


def test_names_for_a_terminal_hold_no_control_characters(tmp_path: Path) -> None:
    report = take(tmp_path, {**zips.usual(), "Parasitized/\x1b[31mred.png": b"x"}).report
    assert report.quarantined[0].name == "Parasitized/\N{REPLACEMENT CHARACTER}[31mred.png"


def test_a_stored_shard_reads_back_what_was_taken_in(tmp_path: Path) -> None:
    taken = take(tmp_path, nih(3))
    shards = Shards(objects.local(tmp_path / "store"))
    shards.save(taken.shard, taken.cells_zip)
    assert shards.load(taken.shard.sha256) == taken.shard
    for cell, data in shards.read(taken.shard.sha256):
        assert fingerprint(data) == cell.fingerprint


@pytest.mark.slow
def test_real_cells_are_taken_in_whole(tmp_path: Path, real_cells: Path, models_dir: Path) -> None:
    known = roles.load(models_dir / "roles.json")
    path = real_cells / "nih-cells-part1.zip"
    taken = take(tmp_path, path, kind="base", held=Held(patients=known))
    assert taken.report.accepted == {"Parasitized": 2573, "Uninfected": 2734}
    assert (taken.report.patients, taken.report.unknown_patients) == (40, 0)
    assert {cell.role for cell in taken.shard.cells} <= {Role.TRAIN, Role.VALIDATION}
