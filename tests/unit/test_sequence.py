"""Laboratories that are played, what they send, and how a sequence of uploads is told."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import sequence, sequence_report, synthetic, uploads
from malaria.domain import Label, Role
from malaria.errors import BadInput
from malaria.ingest import read_options
from malaria.sequence import After, of_train
from malaria.stains import SIMULATED
from malaria.uploads import Picture


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six cells of each of 60 patients, in NIH-style names."""
    folder = tmp_path_factory.mktemp("cells")
    made = [cell.png() for cell in synthetic.generate(4, seed=3)]
    labels = [cell.label for cell in synthetic.generate(4, seed=3)]
    for patient in range(60):
        for i in range(6):
            place = folder / labels[i % 4].text
            place.mkdir(exist_ok=True)
            (place / f"C{patient + 1}P{patient + 1}thin_cell_{i}.png").write_bytes(made[i % 4])
    return folder


def test_patients_play_one_laboratory_each_and_are_sent_or_judged(cells: Path) -> None:
    known = {f"C{i}P{i}": Role.TRAIN if i < 55 else Role.GATE for i in range(1, 61)}
    labs = sequence.laboratories([cells], of_train(known), SIMULATED)
    assert list(labs) == list(SIMULATED)
    sides = [{*lab.sends} for lab in labs.values()] + [
        {c.patient for c in lab.judged} for lab in labs.values()
    ]
    everyone = [patient for side in sides for patient in side]
    assert len(everyone) == len(set(everyone)) == 54
    assert {known[patient] for patient in everyone} == {Role.TRAIN}
    for lab in labs.values():
        first, second, *_ = next(iter(lab.sends.values()))
        assert {first.label, second.label} == set(Label), "both classes in turn"


def test_an_upload_brings_new_cells_in_the_stain_of_the_laboratory(cells: Path) -> None:
    [lab] = sequence.laboratories([cells], lambda _: True, {"grey": SIMULATED["grey and dark"]}).values()
    rng, used = np.random.default_rng(0), set[str]()
    first = list(sequence._upload("grey", lab, rng, used))
    second = list(sequence._upload("grey", lab, rng, used))
    assert len({picture.patient for picture in first}) == sequence.PATIENTS
    assert not {picture.name for picture in first} & {picture.name for picture in second}
    with Image.open(io.BytesIO(first[0].png)) as picture:
        shown = np.asarray(picture.convert("RGB")).astype(float)
    inside = shown[shown.max(axis=-1) > 0]
    assert np.ptp(inside.mean(axis=0)) < 25, "greyer than any cell of the base"


def test_too_few_patients_are_told(cells: Path) -> None:
    with pytest.raises(BadInput, match="9 patients are too few for 3 laboratories"):
        sequence.laboratories([cells], lambda patient: int(patient.split("P")[1]) < 10, SIMULATED)


def test_an_upload_is_written_alike_each_time_and_names_patients(tmp_path: Path) -> None:
    [cell] = synthetic.generate(1, seed=1)
    picture = Picture(Label.UNINFECTED, "a, b.png", 'of "one"', cell.png())
    for name in ("one.zip", "two.zip"):
        uploads.write(tmp_path / name, [picture])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.read("patients.csv").decode().splitlines() == [
            "file,patient",
            '"Uninfected/a, b.png","of ""one"""',
        ]
    assert read_options(tmp_path / "one.zip") is None


def step(number: int, fallen: float) -> After:
    base = {"sensitivity": 0.97 - fallen, "specificity": 0.98}
    return After(
        number,
        "grey" if number else "",
        "accepted" if number else "",
        "",
        f"v{number}",
        {"grey": {"sensitivity": 0.8 + 0.01 * number, "specificity": 0.9}},
        {"validation": base, "gate": base},
    )


def test_the_largest_fall_against_the_first_release_is_told(tmp_path: Path) -> None:
    found = [step(0, 0.0), step(1, 0.012), step(2, 0.005)]
    assert sequence_report.falls(found)["gate"]["sensitivity"] == pytest.approx(1.2)
    assert sequence_report.falls(found)["gate"]["specificity"] == 0
    [table] = sequence_report.tables(found, 0.01)
    assert list(table.rows[1]) == [1, "grey", "accepted", "0.810, 0.900", "0.958, 0.980", "0.958, 0.980"]
    assert "gate sensitivity -1.2" in table.note
    assert sequence_report.told(found, 0.01)["steps"][2]["version"] == "v2"
    with Image.open(sequence_report.draw(tmp_path, found, 0.01)) as picture:
        assert picture.size == (1000, 400)
