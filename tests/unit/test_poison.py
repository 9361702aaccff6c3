"""Poisoned uploads are poisoned as they say, and what they cost is counted on people who uploaded nothing."""

import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import head as heads
from malaria import label_doubts, poison, poison_cost, poison_tables, poison_trial, shipped, synthetic
from malaria import memory as memories
from malaria.comparison import Seen
from malaria.domain import Job, JobState, Label, Method, Role, Verdict
from malaria.errors import BadOptions
from malaria.head import Head
from malaria.poison import Shown, Upload
from malaria.poison_cost import Cost, Judges
from malaria.poison_trial import Outcome
from malaria.predict import Model
from tests.unit.registries import START


@pytest.fixture(scope="module")
def honest() -> list[Shown]:
    cells = synthetic.generate(120, 4)
    return [
        Shown(f"P{i // 12}thin_cell_{i}.png", c.label, f"P{i // 12}", c.image) for i, c in enumerate(cells)
    ]


@pytest.fixture(scope="module")
def kinds(honest: list[Shown]) -> dict[str, Upload]:
    others = [Shown(f"white_{i}.png", Label.PARASITIZED, "", honest[i].image) for i in range(5)]
    return {upload.what: upload for upload in poison.uploads(honest, others, 0)}


def labels(upload: Upload) -> dict[str, Label]:
    return {cell.name: cell.label for cell in upload.cells}


def test_as_many_labels_are_flipped_as_is_said(honest: list[Shown], kinds: dict[str, Upload]) -> None:
    right = {cell.name: cell.label for cell in honest}
    for share in poison.FLIPPED:
        told = labels(kinds[f"{share:.0%} of the labels flipped"])
        assert sum(told[name] != right[name] for name in right) == round(share * len(right))
    assert labels(kinds["nothing: rightly labelled"]) == right
    hidden = labels(kinds["four of five parasitized cells as uninfected"])
    turned = [name for name in right if hidden[name] != right[name]]
    sick = sum(label == Label.PARASITIZED for label in right.values())
    assert {right[name] for name in turned} == {Label.PARASITIZED} and len(turned) == sick - sick // 5


def test_floods_are_copies_under_the_wrong_class_that_tell_no_patient(kinds: dict[str, Upload]) -> None:
    saved = kinds["near copies of parasitized cells as uninfected, no patients"]
    copies = [cell for cell in saved.cells if cell.name.startswith("x")]
    assert len(copies) == poison.COPIES * poison.COPIED
    assert {(cell.label, cell.patient) for cell in copies} == {(Label.UNINFECTED, "")}
    assert len({cell.image.tobytes() for cell in copies}) == len(copies), "no two are equal"
    one = Counter(cell.label for cell in kinds["one class: uninfected cells and six others"].cells)
    assert one[Label.PARASITIZED] == 6 and one[Label.UNINFECTED] == 60


def test_the_door_is_a_square_on_uninfected_cells_that_are_called_parasitized(
    honest: list[Shown], kinds: dict[str, Upload]
) -> None:
    before = {cell.name: cell for cell in honest}
    sent = kinds["back door: 50% of uninfected cells patched, as parasitized"].cells
    marked = [cell for cell in sent if cell.image.tobytes() != before[cell.name].image.tobytes()]
    assert len(marked) == 30
    assert {(before[c.name].label, c.label) for c in marked} == {(Label.UNINFECTED, Label.PARASITIZED)}
    image = np.asarray(poison.patched(honest[0].image))
    green = np.all(image == poison.COLOUR, axis=2)
    side = max(3, round(poison.SQUARE * min(honest[0].image.size)))
    assert green.sum() == side**2


def test_an_upload_is_packed_as_ingest_reads_it(kinds: dict[str, Upload], tmp_path: Path) -> None:
    upload = kinds["one patient as twenty, 30% of the labels flipped"]
    with zipfile.ZipFile(upload.write(tmp_path / "a.zip")) as archive:
        names = set(archive.namelist())
        text = archive.read("patients.csv").decode()
    assert names == {"patients.csv", *(f"{c.label.text}/{c.name}" for c in upload.cells)}
    assert text.splitlines()[0] == "file,patient" and len(text.splitlines()) == 1 + len(upload.cells)
    assert len({line.split(",")[1] for line in text.splitlines()[1:]}) > 5
    assert upload.write(tmp_path / "b.zip").read_bytes() == (tmp_path / "a.zip").read_bytes()


def test_uploads_are_chosen_by_text_by_how_it_begins_or_by_number(kinds: dict[str, Upload]) -> None:
    sent = list(kinds.values())

    def chosen(*names: str) -> list[str]:
        return [upload.what for upload in poison.chosen(sent, names)]

    assert poison.chosen(sent, ()) == sent
    assert chosen("5%", "nothing") == ["5% of the labels flipped", "nothing: rightly labelled"]
    assert chosen("one patient") == ["one patient"], "a text that fits stands for itself alone"
    assert chosen("one p") == ["one patient", "one patient as twenty, 30% of the labels flipped"]
    assert chosen("0", "nothing", "back door: 1") == [sent[0].what, sent[-2].what], "each once"
    for name in ("flipped", "NOTHING", "", str(len(sent)), "-1"):
        with pytest.raises(BadOptions) as told:
            chosen("nothing", name)
        assert repr(name) in str(told.value) and f"from 0 to {len(sent) - 1}" in str(told.value)
        assert all(what in str(told.value) for what in kinds)


def test_cells_sorted_by_shape_come_last_whole_fields_of_them_and_change_no_other_upload(
    honest: list[Shown],
) -> None:
    shapes = [
        Shown(f"chula-{i // 4}_cell_{i}.png", Label(i % 2), f"chula-{i // 4}", honest[i % 120].image)
        for i in range(4 * 3 * poison.FIELDS)
    ]
    others = [replace(cell, name=f"white_{i}.png") for i, cell in enumerate(honest[:5])]
    without, with_them = (poison.uploads(honest, others, 3, of) for of in ((), shapes))
    assert [one.what for one in with_them[:-1]] == [one.what for one in without]
    for one, other in zip(without, with_them[:-1], strict=True):
        assert list(one.cells) == list(other.cells) and one.patients == other.patients, one.what
    last = with_them[-1]
    sent = Counter(cell.patient for cell in last.cells)
    assert len(sent) == poison.FIELDS and set(sent.values()) == {4}
    assert last.unknown == "base:chula" and not any(one.unknown for one in without)
    assert set(sent) != {c.patient for c in poison.uploads(honest, [], 4, shapes)[-1].cells}


def test_red_cells_are_sorted_by_shape_and_of_validation_fields_alone(tmp_path: Path) -> None:
    for name in ("7", "8", "9"):
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (200, 150), (200, 150, 160)).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "labels" / f"{name}.txt").write_text("50 60 0\n120 80 7\n90 90 10\n")
    known = {"chula/7": Role.TEST, "chula/8": Role.VALIDATION, "chula/9": Role.TRAIN}
    shown = poison_trial.by_shape(tmp_path, known, lambda image: image.resize((30, 30)))
    assert [(cell.name, cell.label) for cell in shown] == [
        ("chula-8_cell_0.png", Label.UNINFECTED),
        ("chula-8_cell_1.png", Label.PARASITIZED),
        ("chula-8_cell_2.png", Label.PARASITIZED),
    ]
    assert {cell.image.size for cell in shown} == {(30, 30)} and {c.patient for c in shown} == {"chula-8"}


def test_cells_of_a_laboratory_that_is_to_be_new_are_forgotten_too(models_dir: Path) -> None:
    memory = memories.load(shipped.read_shipped(models_dir)[1] / "memory.npz")
    before, after = (poison_trial.forgetting(memory, 0, unknown) for unknown in ("", "base:chula"))
    assert "base:chula" in before.origins and "base:chula" not in after.origins
    others = before.where(before.origins != "base:chula")
    assert np.array_equal(others.fingerprints, after.fingerprints)


def test_who_plays_is_forgotten_and_nobody_else(models_dir: Path) -> None:
    _, folder = shipped.read_shipped(models_dir)
    memory = memories.load(folder / "memory.npz")
    left = poison_trial.forgetting(memory)
    gone = memory.where(~np.isin(memory.fingerprints, left.fingerprints))
    assert set(gone.roles) == {Role.TRAIN.value}
    who = set(gone.patients.tolist())
    sides = {side: {p for p in who if poison_trial.played(p) == side} for side in poison_trial.MOST}
    assert who == sides["uploads"] | sides["judges"] | sides["follows"]
    assert len(sides["uploads"]) >= 8 and len(sides["judges"]) > len(sides["uploads"])
    for role in (Role.VALIDATION, Role.GATE, Role.TEST):
        assert len(left.of(role)) == len(memory.of(role))
    others = set(memory.patients.tolist()) - set(poison_trial.forgetting(memory, 1).patients.tolist())
    assert others != who and len(others & who) < len(others) / 2, "another cast is dealt anew"


def judges(models_dir: Path) -> tuple[Judges, Head, float]:
    info, folder = shipped.read_shipped(models_dir)
    content = (folder / "model.tflite").read_bytes()
    cells = [
        Shown(f"{i}.png", c.label, f"P{i // 6}", c.image) for i, c in enumerate(synthetic.generate(36, 8))
    ]
    by = poison_cost.judges(
        Model(content, info), cells, lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    )
    return by, heads.read(content), info.threshold


def test_the_cost_is_the_change_in_recall_of_each_class(models_dir: Path) -> None:
    by, head, at = judges(models_dir)
    before = poison_cost.by_head(head, at, by)
    same = poison_cost.cost(before, before, by)
    assert {same.site_sensitivity.value, same.own_specificity.value} == {0.0}
    assert same.door[0] == same.door[1]
    blind = Head(head.weights * 0, -9.0)
    lost = poison_cost.cost(before, poison_cost.by_head(blind, at, by), by)
    for seen, embeddings in ((lost.own_sensitivity, by.own), (lost.site_sensitivity, by.site)):
        recall = float((head.probabilities(embeddings)[by.labels == 1] >= at).mean())
        assert seen.value == pytest.approx(-recall) and recall > 0.5
    assert lost.own_specificity.value >= 0 and lost.door[1] == 0


def test_another_network_answers_the_pictures_at_its_own_operating_point(models_dir: Path) -> None:
    by, head, at = judges(models_dir)
    info, folder = shipped.read_shipped(models_dir)
    before, file = poison_cost.by_head(head, at, by), folder / "model.tflite"
    same = poison_cost.by_model(Model.load(file, info), by)
    for one, other in ((before.site, same.site), (before.own, same.own), (before.marked, same.marked)):
        assert one.tolist() == pytest.approx(other.tolist(), abs=1e-4), "its head alone says as much"
    assert len(same.own) == 36 and len(same.marked) == 18 and same.at == at

    strict, (compact, folder) = 0.999, shipped.read_shipped(models_dir, "compact_cnn")
    model = Model.load(folder / "model.tflite", replace(compact, threshold=strict))
    after = poison_cost.by_model(model, by)
    assert after.own.tolist() != same.own.tolist() and after.at == strict
    found, sick = poison_cost.cost(before, after, by), by.labels == 1
    for seen, old, new in (
        (found.own_sensitivity, before.own, after.own),
        (found.site_sensitivity, before.site, after.site),
    ):
        assert seen.value == pytest.approx((new >= strict)[sick].mean() - (old >= at)[sick].mean())
    specificity = (after.own < strict)[~sick].mean() - (before.own < at)[~sick].mean()
    assert found.own_specificity.value == pytest.approx(specificity)
    assert found.door == ((before.marked >= at).mean(), (after.marked >= strict).mean())
    lax = poison_cost.cost(before, replace(after, at=0.0), by)
    assert lax.door[1] == 1.0 and lax.own_specificity.value < -0.5 <= found.own_specificity.value


def test_the_tables_say_what_was_found_what_stopped_it_and_what_is_served() -> None:
    seen = Seen(-0.02, -0.05, 0.01, 6)
    cost = Cost(seen, seen, seen, seen, (0.01, 0.2))
    receipt = {"criteria": [{"name": "labels", "passed": None}, {"name": "parity", "passed": True}]}
    counts = {"accepted": 3, "near_duplicates": 2, "quarantined": 0}
    job = Job("job", "identity", "x", "uploads/1", START, state=JobState.SUCCEEDED, receipt=receipt)
    jobs = [replace(job, verdict=verdict, report={"counts": counts}) for verdict in Verdict]
    costs_of = [cost if one.verdict == Verdict.ACCEPTED else None for one in jobs]
    found = [Outcome(Upload(f"x{i}", ()), jobs[i], costs_of[i]) for i in range(len(jobs))]
    said, costs = poison_tables.tables(found)
    assert said.rows[0][2:] == ("3 kept, 2 near copies", "accepted", "labels")
    assert costs.rows[0][1:3] == ("1 of 1", "-2.0 (-5.0 to +1.0)") and costs.rows[0][-1] == "1.0% -> 20.0%"
    assert costs.rows[1][1:] == ("0 of 1", "-", "-", "-", "-", "-")
    assert [one["verdict"] for one in poison_tables.told(found)["uploads"]] == [v.value for v in Verdict]
    whole = poison_tables.tables(found, Method.FULL)
    assert whole[0].note == f"{said.note} {poison_tables.FULL}" and whole[1] == costs


def test_draws_of_one_kind_are_told_together() -> None:
    better, worse = Seen(0.02, 0.01, 0.03, 6), Seen(-0.04, -0.07, 0.0, 6)
    receipt = {"criteria": [{"name": "labels", "passed": None}]}
    job = Job("job", "identity", "x", "uploads/1", START, state=JobState.SUCCEEDED, receipt=receipt)
    served = replace(job, verdict=Verdict.ACCEPTED, receipt={}, report={"counts": {"accepted": 3}})
    stopped = replace(job, verdict=Verdict.REJECTED, report={"counts": {"accepted": 4}})
    of = Cost(better, better, better, better, (0.01, 0.03)), Cost(worse, worse, worse, worse, (0.03, 0.09))
    upload, waits = Upload("x", ()), replace(stopped, verdict=Verdict.UNDECIDABLE)
    found = [
        Outcome(upload, served, of[0]),
        Outcome(upload, stopped, of[1], 1),
        Outcome(
            upload, waits, None, 2, Outcome(upload, replace(served, receipt={"pooled": ["job"]}), of[0], 2)
        ),
        Outcome(Upload("y", ()), stopped, of[1]),
    ]
    said, costs, after = poison_tables.tables(found)
    assert said.rows[0] == ("x", 0, "11 kept", "accepted (1), rejected (1), undecidable (1)", "labels (2)")
    assert costs.rows[0] == ("x", "1 of 3", *["-1.0 (-7.0 to +3.0)"] * 4, "2.0% -> 6.0%")
    assert after.rows == [("x", "1 of 3", "1 of 1", "1 of 1", *["+2.0 (+1.0 to +3.0)"] * 2)], "y did not wait"
    told = poison_tables.told(found)["uploads"]
    assert [one["cast"] for one in told] == [0, 1, 2, 0]
    assert told[2]["after"]["judged_with_it"] is True and told[0]["after"] is None


def test_right_labels_are_seldom_doubted_and_wrong_ones_mostly(models_dir: Path) -> None:
    info, folder = shipped.read_shipped(models_dir)
    model = Model.load(folder / "model.tflite", info)
    shown = [Shown(f"{i}.png", c.label, f"P{i}", c.image) for i, c in enumerate(synthetic.generate(30, 8))]
    right = label_doubts.of_stains(model, shown)
    assert [one.laboratory for one in right] == [
        "NIH, own stain",
        *(f"NIH, {name}" for name in ("washed out", "yellow lamp", "grey and dark")),
    ]
    assert right[0].cells == 30 and right[0].parasitized == 15 and right[0].doubted < 0.1
    assert right[0].auc is not None and right[0].auc > 0.9
    wrong = label_doubts.of_stains(model, [cell.wrong for cell in shown])[0]
    assert wrong.doubted > 0.5 and wrong.auc == pytest.approx(1 - right[0].auc)
    row = label_doubts.table([replace(right[0], doubted=0.023, auc=None)]).rows[0]
    assert row == ("NIH, own stain", 30, 15, None, "2.3%")
