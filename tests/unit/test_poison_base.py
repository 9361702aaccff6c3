"""The base images that a poisoned upload meets: none of who plays the laboratory, none of test patients."""

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from malaria import cells, poison_trial, shipped, synthetic, wiring
from malaria import memory as memories
from malaria.cli.data import take_in
from malaria.domain import ModelVersion, Role
from malaria.errors import BadInput
from malaria.memory import BASE, Memory
from malaria.settings import Settings

CAST, EACH = 1, 6


@pytest.fixture(scope="module")
def told(models_dir: Path) -> tuple[ModelVersion, Memory]:
    info, folder = shipped.read_shipped(models_dir)
    return info, memories.load(folder / "memory.npz")


@pytest.fixture(scope="module")
def patients(told: tuple[ModelVersion, Memory]) -> dict[str, str]:
    """Some patients of each kind, with what they are: a role, or the side that they play."""
    base = told[1].where(told[1].origins == BASE)
    found: dict[str, str] = {}
    for patient, role in sorted(set(zip(base.patients.tolist(), base.roles.tolist(), strict=True))):
        plays = poison_trial.played(patient, CAST) if role == Role.TRAIN.value else None
        if list(found.values()).count(plays or role) < 3:
            found[patient] = plays or role
    assert set(found.values()) == {"uploads", "judges", "follows", *(role.value for role in Role)}
    return found


def part(folder: Path, patients: dict[str, str], seed: int) -> Path:
    shown = synthetic.generate(EACH * len(patients), seed)
    for i, (cell, patient) in enumerate(zip(shown, [p for p in patients for _ in range(EACH)], strict=True)):
        (folder / cell.label.text).mkdir(parents=True, exist_ok=True)
        (folder / cell.label.text / f"{patient}thinF_IMG_1_cell_{i}.png").write_bytes(cell.png())
    return folder


def test_pictures_are_stored_of_nobody_who_plays_and_of_no_test_patient(
    told: tuple[ModelVersion, Memory], patients: dict[str, str], models_dir: Path, tmp_path: Path
) -> None:
    info, memory = told
    memory = poison_trial.forgetting(memory, CAST)
    one, two = (part(tmp_path / name, patients | {"C999": "stranger"}, i) for i, name in enumerate("ab"))
    packed = poison_trial.base_images([one, two, one], memory, tmp_path / "base.zip")
    ships = poison_trial.ship(models_dir, info, memory, tmp_path / "ships")
    home = tmp_path / "home"
    services = wiring.local(home, Settings(home=home, shipped=ships))
    taken = take_in(services, packed, tmp_path / "taken", lambda _: None)
    assert taken.cells_zip.is_file(), "from where other systems of the cast store it"

    (stored,) = services.shards.list()
    assert stored == taken.shard and stored.kind == BASE
    wanted = {p: role for p, role in patients.items() if role in ("train", "validation", "gate")}
    assert {str(cell.patient): cell.role.value for cell in stored.cells} == wanted
    assert Counter(cell.patient for cell in stored.cells) == dict.fromkeys(wanted, 2 * EACH), "each cell once"
    assert {cell.patient for cell, _ in cells.read(packed)} == set(wanted)


def test_a_cell_is_of_whom_its_own_list_says(
    told: tuple[ModelVersion, Memory], patients: dict[str, str], tmp_path: Path
) -> None:
    """Whatever its file is called: by the list it is of a test patient here, and one of training there."""
    of = {role: patient for patient, role in patients.items()}
    folder = part(tmp_path / "cells", {of["train"]: ""}, 3)
    first, second, *_ = names = sorted(f"{path.parent.name}/{path.name}" for path in folder.rglob("*.png"))
    (folder / first).rename(folder / Path(first).with_name("a.png"))
    rows = [f"{Path(first).with_name('a.png')},{of['train']}", f"{second},{of['test']}"]
    (folder / "patients.csv").write_text("\n".join(["file,patient", *rows]))
    packed = poison_trial.base_images([folder], told[1], tmp_path / "base.zip")
    with zipfile.ZipFile(packed) as archive:
        held = {name.partition("/")[2] for name in archive.namelist() if name.endswith(".png")}
    assert held == {*names, str(Path(first).with_name("a.png"))} - {first, second}
    assert {cell.patient for cell, _ in cells.read(packed)} == {of["train"]}


def test_without_anybody_else_it_is_said_what_to_name(
    told: tuple[ModelVersion, Memory], patients: dict[str, str], tmp_path: Path
) -> None:
    play = {patient: side for patient, side in patients.items() if side in (*poison_trial.MOST, "test")}
    memory, folder = poison_trial.forgetting(told[1], CAST), part(tmp_path / "cells", play, 4)
    with pytest.raises(BadInput, match="Name more parts"):
        poison_trial.base_images([folder], memory, tmp_path / "base.zip")
