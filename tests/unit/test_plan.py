"""What a plan may be made of."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import codec, roles
from malaria.digests import sha256
from malaria.domain import Label, ModelVersion, Role
from malaria.errors import BadOptions, Conflict
from malaria.training.plan import (
    Plan,
    hold_to,
    left_out,
    made_of,
    members_of,
    of_patients,
    roles_of,
    without_patient,
)
from malaria.training.recipe import Recipe
from tests.unit.test_mixture import arrays


def joined(*members: Path) -> Plan:
    """A plan of an ensemble."""
    here = Path("out")
    return Plan([], [], here, here, here, Recipe(network="ensemble"), None, "a test", members=members)


def member(folder: Path, info: ModelVersion, size: int) -> Path:
    """A member of an input size, with its manifest."""
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(codec.to_json(replace(info, input_size=size))))
    (folder / "network.keras").write_bytes(folder.name.encode())
    return folder / "network.keras"


def test_an_ensemble_is_told_by_its_members_not_by_a_recipe(
    tmp_path: Path, shipped_info: ModelVersion
) -> None:
    one, two = member(tmp_path / "one", shipped_info, 160), member(tmp_path / "two", shipped_info, 160)
    assert [info.input_size for info in members_of(joined(one, two))] == [160, 160]
    told = made_of(joined(one, two))
    assert set(told) == {"data", "laboratories", "members"}
    assert [m["weights"] for m in told["members"]] == [sha256(one), sha256(two)]
    assert {m["version"] for m in told["members"]} == {shipped_info.version}
    assert {m["digest"] for m in told["members"]} == {shipped_info.digest}


def layout(folder: Path, *patients: str) -> Path:
    """A cell of each class of each patient, named as NIH cells are; "" tells none."""
    for label, patient in itertools.product(("Parasitized", "Uninfected"), patients):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{f'{patient}_' if patient else ''}cell_{patient}1.png").write_bytes(b"a picture")
    return folder


def test_patients_without_a_role_stop_the_training_and_cells_without_a_patient_are_counted(
    tmp_path: Path,
) -> None:
    data, held_out = layout(tmp_path / "a", "C1P1", "C2P2", ""), layout(tmp_path / "b", "C3P3")
    plan = replace(joined(), data=[data], held_out=[held_out], out=tmp_path)
    assert without_patient(plan, roles_of(plan)) == 2
    roles.save({"C1P1": Role.TRAIN, "C3P3": Role.GATE}, tmp_path / "roles.json")
    with pytest.raises(
        BadOptions, match=r"1 patients of the data have no role in .*roles\.json, such as C2P2"
    ):
        without_patient(plan, roles_of(plan))


def test_members_of_unequal_size_are_refused(tmp_path: Path, shipped_info: ModelVersion) -> None:
    one, two = member(tmp_path / "one", shipped_info, 96), member(tmp_path / "two", shipped_info, 128)
    with pytest.raises(BadOptions, match=r"one/network\.keras 96 pixels, .*two/network\.keras 128 pixels"):
        members_of(joined(one, two))


@pytest.mark.parametrize("manifest", [None, "{", "{}"])
def test_a_member_without_a_manifest_is_refused(
    tmp_path: Path, shipped_info: ModelVersion, manifest: str | None
) -> None:
    one, two = member(tmp_path / "one", shipped_info, 96), member(tmp_path / "two", shipped_info, 96)
    beside = two.with_name("manifest.json")
    beside.unlink() if manifest is None else beside.write_text(manifest)
    with pytest.raises(BadOptions, match=r"two/network\.keras has no manifest\.json"):
        members_of(joined(one, two))


def test_cells_that_lists_leave_out_are_counted_where_they_would_be_trained_on(tmp_path: Path) -> None:
    listed = tmp_path / "listed.csv"
    cells = arrays(8)
    roles = np.where(np.arange(len(cells)) % 2, "train", "validation")
    cells = replace(cells, roles=roles)
    told = "".join(
        f"{Label(int(label)).text},{name},\n"
        for label, name in zip(cells.labels[:6], cells.names, strict=False)
    )
    listed.write_text("original_label,cell,patient\n" + told)
    plan = replace(joined(), without=[listed])
    assert left_out(plan, cells) == 3
    by_label = [left_out(replace(plan, without_label=label), cells) for label in Label]
    assert by_label == [int(np.sum(cells.labels[1:6:2] == label)) for label in Label]
    assert left_out(joined(), cells) == 0


def test_a_share_of_the_patients_holds_ill_and_healthy_ones_and_all_of_other_laboratories() -> None:
    cells = arrays(60)
    patients = np.array([f"p{i % 20}" for i in range(60)] + list(cells.groups[60:]))
    labels = np.array([i % 20 < 12 and i < 20 for i in range(60)] + [0] * (len(cells) - 60), np.uint8)
    told = np.array(["validation" if patient == "p19" else "train" for patient in patients])
    cells = replace(cells, groups=patients, labels=labels, roles=told)
    of = {share: of_patients(cells, share, 7) for share in (0.01, 0.25, 0.5, 1.0)}
    assert of[1.0].all()
    assert all(kept[60:].all() and kept[patients == "p19"].all() for kept in of.values())
    chosen = {share: set(patients[:60][kept[:60]]) - {"p19"} for share, kept in of.items()}
    ill = {f"p{i}" for i in range(12)}
    counts = {share: (len(some & ill), len(some - ill)) for share, some in chosen.items()}
    assert counts == {0.01: (1, 1), 0.25: (3, 2), 0.5: (6, 4), 1.0: (12, 7)}
    assert chosen[0.01] < chosen[0.25] < chosen[0.5] < chosen[1.0]
    assert (of_patients(cells, 0.5, 8) != of[0.5]).any(), "another seed deals anew"


def test_a_run_folder_is_of_one_training(tmp_path: Path) -> None:
    written = tmp_path / "run" / "training.json"
    told = {"recipe": {"seed": 7}}
    hold_to(written, told, "another run")
    hold_to(written, told, "another run")
    assert json.loads(written.read_text()) == told
    with pytest.raises(Conflict, match=r"run holds another run\. Name another folder with --run"):
        hold_to(written, {"recipe": {"seed": 8}}, "another run")
    assert json.loads(written.read_text()) == told


def test_a_training_is_told_by_all_that_decides_its_weights() -> None:
    told = made_of(replace(joined(), recipe=Recipe(seed=5)))
    assert told["recipe"]["seed"] == 5
    assert {"data", "laboratories", "without", "without_label", "teacher", "backbone_weights"} <= set(told)
