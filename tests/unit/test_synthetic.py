import csv
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from malaria import cells, patients, preprocess, synthetic
from malaria.domain import Label, ModelVersion
from malaria.errors import BadOptions
from malaria.predict import Model
from malaria.synthetic_parasites import STAINS


def digest(n: int, seed: int) -> list[str]:
    return [hashlib.sha256(np.asarray(c.image).tobytes()).hexdigest() for c in synthetic.generate(n, seed)]


def test_a_seed_decides_every_pixel_and_a_longer_set_begins_alike() -> None:
    short = digest(6, 11)
    assert digest(12, 11)[:6] == short
    assert len(set(short)) == 6
    assert not set(short) & set(digest(6, 12))


def test_classes_alternate_and_patients_have_one_stain_each() -> None:
    made = list(synthetic.generate(100, 3))
    assert [c.label for c in made[:2]] == [Label.PARASITIZED, Label.UNINFECTED]
    assert sum(c.label for c in made) == 50
    by_patient = {p: {c.stain for c in made if c.patient == p} for p in {c.patient for c in made}}
    assert len(by_patient) == 5
    assert all(len(stains) == 1 for stains in by_patient.values())
    assert len(set.union(*by_patient.values())) == 5, "a small set shows several stains"


def test_names_are_no_nih_patients_but_carry_a_field() -> None:
    cell = next(synthetic.generate(1, 1))
    assert patients.patient_of(cell.name) is None
    assert patients.field_of(cell.name) == "synthetic_0000"


def test_pictures_look_like_crops_of_one_cell() -> None:
    for cell in synthetic.generate(40, 5):
        pixels = np.asarray(cell.image)
        black = pixels.max(axis=-1) == 0
        assert cell.image.mode == "RGB"
        assert 70 <= max(cell.image.size) <= 230
        assert 0.1 < black.mean() < 0.5, "the cell fills most of its crop, the surround is black"
        assert black[0, 0] or black[-1, -1] or black[0, -1] or black[-1, 0]
        assert 110 < np.median(pixels[~black]) < 220


def test_parasites_are_marked_where_they_are_darker_than_the_cell() -> None:
    for cell in synthetic.generate(40, 6):
        pixels = np.asarray(cell.image).astype(float)
        assert cell.parasites.shape == pixels.shape[:2]
        if cell.label == Label.UNINFECTED:
            assert cell.box is None
            assert not cell.kind
            continue
        assert cell.box is not None
        left, top, right, bottom = cell.box
        assert cell.parasites[top:bottom, left:right].sum() == cell.parasites.sum() > 20
        inside = pixels[..., 1][cell.parasites]
        body = pixels[..., 1][~cell.parasites & (pixels.max(axis=-1) > 0)]
        assert np.percentile(inside, 5) < np.median(body) - 40, (
            f"{cell.name} ({cell.kind}) shows no chromatin"
        )


def test_uninfected_cells_show_nothing_as_dark_as_chromatin() -> None:
    for cell in synthetic.generate(60, 7):
        if cell.label == Label.UNINFECTED:
            green = np.asarray(cell.image).astype(float)[..., 1]
            green = green[green > 0]
            assert np.percentile(green, 0.5) > np.median(green) - 40


@pytest.mark.parametrize("stain", sorted(STAINS))
def test_a_stain_can_be_chosen(stain: str) -> None:
    assert {c.stain for c in synthetic.generate(42, 1, stain=stain)} == {stain}


@pytest.mark.parametrize("wrong", [{"n": -1}, {"stain": "violet"}, {"size": (20, 90)}, {"size": (120, 90)}])
def test_wrong_wishes_are_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(BadOptions):
        synthetic.generate(**{"n": 2, "seed": 1, **wrong})  # type: ignore[arg-type]


def test_folder_and_zip_hold_the_same_upload(tmp_path: Path) -> None:
    folder = synthetic.write(tmp_path / "folder", 24, 9)
    archive = synthetic.write(tmp_path / "deep" / "upload.zip", 24, 9)
    assert list(cells.read(folder)) == list(cells.read(archive))
    with zipfile.ZipFile(archive) as opened:
        listed = list(csv.DictReader(io.TextIOWrapper(opened.open("patients.csv"), "utf-8")))
        names = {Path(n).name for n in opened.namelist()} - {"patients.csv"}
    assert {row["file"] for row in listed} == names
    assert len({row["patient"] for row in listed}) == 2
    again = synthetic.write(tmp_path / "again.zip", 24, 9)
    assert again.read_bytes() == archive.read_bytes()


def test_the_shipped_model_answers_them_rightly(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = Model(shipped_tflite, shipped_info)
    made = list(synthetic.generate(400, 2026))
    scored = model.score_many(preprocess.pixels(c.png(), shipped_info.input_size) for c in made)
    called = [s.probability >= shipped_info.threshold for s in scored]
    right = [answer == bool(cell.label) for answer, cell in zip(called, made, strict=True)]
    assert sum(right) / len(right) >= 0.98
