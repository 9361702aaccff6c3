"""On which side each cell of an upload stands: patients, fields, and cells that models are judged on."""

from pathlib import Path

import pytest

from malaria import roles
from malaria.domain import Role
from malaria.errors import BadArchive
from malaria.ingest import Held
from tests.unit import zips
from tests.unit.test_ingest import fingerprint, nih, take


def test_patients_are_read_off_names_and_stand_on_one_side(tmp_path: Path) -> None:
    taken = take(tmp_path, nih(20))
    assert (taken.report.patients, taken.report.groups, taken.report.unknown_patients) == (20, 20, 0)
    sides: dict[str, set[Role]] = {}
    for cell in taken.shard.cells:
        assert cell.group == cell.patient
        sides.setdefault(cell.group, set()).add(cell.role)
    assert all(len(side) == 1 for side in sides.values())
    gate = {group for group, side in sides.items() if side == {Role.GATE}}
    assert gate == {group for group in sides if roles.site_role(group) == Role.GATE} != set()
    assert taken.report.gate_cells == 4 * len(gate)
    assert taken.report.warnings == ()


def test_known_roles_come_first(tmp_path: Path) -> None:
    known = {"C900P0": Role.GATE, "C901P1": Role.TRAIN}
    cells = take(tmp_path, nih(2), known_roles=known).shard.cells
    assert {cell.group: cell.role for cell in cells} == known


def test_two_patients_stand_on_two_sides(tmp_path: Path) -> None:
    cells = take(tmp_path, nih(2)).shard.cells
    assert {cell.role for cell in cells} == {Role.GATE, Role.TRAIN}


def test_a_lone_patient_is_for_training_and_the_report_says_so(tmp_path: Path) -> None:
    taken = take(tmp_path, nih(1))
    assert {cell.role for cell in taken.shard.cells} == {Role.TRAIN}
    assert sum("fell to the site's gate set" in warning for warning in taken.report.warnings) == 2


def test_unknown_patients_keep_fields_together_and_warn(tmp_path: Path) -> None:
    files = {}
    for field in range(8):
        for i in range(3):
            files[f"Parasitized/slide_{field}_cell_{i}.png"] = zips.png(field * 10 + i)
            files[f"Uninfected/slide_{field}_cell_{i}.png"] = zips.png(2000 + field * 10 + i)
    files |= {"Parasitized/lonely.png": zips.png(901), "Uninfected/alone.png": zips.png(902)}
    taken = take(tmp_path, files)
    assert (taken.report.patients, taken.report.groups, taken.report.unknown_patients) == (0, 10, 50)
    sides: dict[str, set[Role]] = {}
    for cell in taken.shard.cells:
        sides.setdefault(cell.group, set()).add(cell.role)
    assert {f"field:slide_{field}" for field in range(8)} < set(sides)
    assert sum(group.startswith("cell:") for group in sides) == 2
    assert all(len(side) == 1 for side in sides.values())
    assert any("may flatter" in warning for warning in taken.report.warnings)


def test_a_field_is_not_taken_for_a_patient_of_that_name(tmp_path: Path) -> None:
    table = b"file,patient\nParasitized/a.png,slide\nUninfected/b.png,slide\n"
    files = {"Parasitized/a.png": zips.png(1), "Uninfected/b.png": zips.png(2)}
    files |= {"Parasitized/slide_cell_1.png": zips.png(3), "Uninfected/slide_cell_2.png": zips.png(4)}
    groups = {cell.group for cell in take(tmp_path, {**files, "patients.csv": table}).shard.cells}
    assert groups == {"slide", "field:slide"}


@pytest.mark.parametrize("where", ["patients.csv", "upload/Patients.CSV"])
def test_patients_csv_counts_more_than_names(tmp_path: Path, where: str) -> None:
    files = nih(2)
    rows = [f"{name};Anna" for name in files if "C900" in name]
    table = "\ufefffile;patient\n" + "\n".join(rows)
    taken = take(tmp_path, {**files, where: table.encode()})
    assert {cell.group for cell in taken.shard.cells} == {"Anna", "C901P1"}
    assert {c.patient for c in taken.shard.cells if "C900" in c.original} == {"Anna"}


def test_a_patient_is_one_however_the_id_is_written(tmp_path: Path) -> None:
    """Else one half of a patient's cells could be learnt, and models compared on the other."""
    written = ["K-0217", "k-0217", "Jos\u00e9  B", "JOSE\u0301 b", "other", "third"]
    files, rows = {}, ["file,patient"]
    for i, patient in enumerate(written):
        for label, at in (("Parasitized", 0), ("Uninfected", 500)):
            files[f"{label}/p{i}.png"] = zips.png(10 * i + at)
            rows.append(f"{label}/p{i}.png,{patient}")
    taken = take(tmp_path, {**files, "patients.csv": "\n".join(rows).encode()})
    assert {cell.patient for cell in taken.shard.cells} == {"K-0217", "Jos\u00e9  B", "other", "third"}
    sides = {
        cell.group: {c.role for c in taken.shard.cells if c.group == cell.group} for cell in taken.shard.cells
    }
    assert all(len(side) == 1 for side in sides.values())
    assert any(
        "2 patients are written in more than one way, such as k-0217 and K-0217" in w
        for w in taken.report.warnings
    )


def test_an_earlier_uploads_spelling_counts(tmp_path: Path) -> None:
    known = {"k-0217": Role.GATE, "Other": Role.TRAIN}
    rows = "file,patient\np0.png,K-0217\nu0.png,K-0217\np1.png,OTHER\nu1.png,other\n"
    files = {
        f"{label}/{label[0].lower()}{i}.png": zips.png(20 * i + len(label))
        for i in (0, 1)
        for label in ("Parasitized", "Uninfected")
    }
    cells = take(tmp_path, {**files, "patients.csv": rows.encode()}, known_roles=known).shard.cells
    assert {cell.group: cell.role for cell in cells} == known


def test_a_bad_patients_csv_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match=r"patients\.csv, line 3: it names no patient"):
        take(tmp_path, {**zips.usual(), "patients.csv": b"file,patient\np0.png,A\np1.png,\n"})


def test_rows_that_name_nothing_are_counted(tmp_path: Path) -> None:
    taken = take(tmp_path, {**zips.usual(), "patients.csv": b"file,patient\np0.png,A\ngone.png,B\n"})
    assert any("1 rows of patients.csv" in warning for warning in taken.report.warnings)
    assert [one.sentence() for one in taken.report.warned] == list(taken.report.warnings)
    assert ("unmatched-rows", 1) in [(one.code, one.count) for one in taken.report.warned]


HELD = Held(
    patients={"C900P0": Role.GATE, "C901P1": Role.TEST, "C902P2": Role.TRAIN, "C903P3": Role.VALIDATION},
    fingerprints={fingerprint(zips.png(400)): Role.TEST, fingerprint(zips.png(401)): Role.TRAIN},
)


def test_cells_that_models_are_judged_on_are_kept_out(tmp_path: Path) -> None:
    taken = take(tmp_path, nih(6), held=HELD)
    out = {entry.name: entry.reason for entry in taken.report.overlap}
    assert {name.split("/")[1][:6] for name in out} == {"C900P0", "C901P1", "C904P4"}
    assert out["Parasitized/C904P4ThinF_IMG_7_cell_0.png"] == "Models are judged on this very picture."
    assert "patient C900P0" in out["Uninfected/C900P0ThinF_IMG_7_cell_1.png"]
    assert len(out) == taken.report.counts["overlap"] == 9
    assert {entry.code for entry in taken.report.overlap} == {"judged-picture", "judged-patient"}
    kept = {cell.original for cell in taken.shard.cells}
    assert not kept & set(out)
    assert {"C902P2", "C903P3", "C904P4", "C905P5"} == {cell.patient for cell in taken.shard.cells}
    assert any("1 cells are known already" in warning for warning in taken.report.warnings)


def test_patients_csv_can_neither_hide_nor_slip_in_a_held_patient(tmp_path: Path) -> None:
    files = {**zips.usual(), "Parasitized/C900P0ThinF_cell_1.png": zips.png(70)}
    table = b"file,patient\nParasitized/C900P0ThinF_cell_1.png,Anna\nu0.png,c901p1\n"
    overlap = take(tmp_path, {**files, "patients.csv": table}, held=HELD).report.overlap
    assert {entry.name for entry in overlap} == {"Parasitized/C900P0ThinF_cell_1.png", "Uninfected/u0.png"}


def test_an_upload_of_held_cells_alone_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match=r"kept out.*judged on patient C900P0"):
        take(tmp_path, nih(2), held=HELD)


def test_gate_cells_of_patients_the_base_has_learnt_from_are_told(tmp_path: Path) -> None:
    held = Held(patients={f"C{900 + i}P{i}": Role.TRAIN for i in range(20)})
    taken = take(tmp_path, nih(20), held=held)
    assert taken.report.counts["overlap"] == 0
    assert any("has learnt from" in warning for warning in taken.report.warnings)


def test_base_cells_take_the_roles_of_their_patients(tmp_path: Path) -> None:
    files = nih(40, each=1)
    taken = take(tmp_path, files, kind="base", held=HELD)
    role_of = {cell.group: cell.role for cell in taken.shard.cells}
    assert {group: role_of[group] for group in HELD.patients} == HELD.patients
    assert taken.report.overlap == ()
    drawn = {group: role for group, role in role_of.items() if group not in HELD.patients}
    assert drawn == {group: roles.base_role(group) for group in drawn}
    assert set(drawn.values()) == {Role.TRAIN, Role.VALIDATION}


def test_numbers_of_cells_taken_for_patients_are_pointed_out(tmp_path: Path) -> None:
    files = {f"Parasitized/C{i}.png": zips.png(i) for i in range(40)}
    files |= {f"Uninfected/C{i}.png": zips.png(i) for i in range(40, 80)}
    assert any("patient of its own" in warning for warning in take(tmp_path, files).report.warnings)
