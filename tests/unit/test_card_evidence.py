"""What a card is made of: memories, evaluations, manifests, the chain of a retrained version."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from malaria import (
    card_evidence,
    evaluation_tables,
    looks,
    memory,
    operating,
    retrain,
    subject,
    synthetic,
)
from malaria.at_hand import AtHand
from malaria.card import as_json, card, markdown
from malaria.card_evidence import Evidence
from malaria.domain import Method, ModelVersion, RetrainOptions, Review, Role, Screen
from malaria.errors import BadInput, Damaged, UnknownVersion
from malaria.evaluation import Reviewed
from malaria.lineage import Step
from malaria.looks import Look
from malaria.memory import Memory
from malaria.metrics import metrics
from malaria.services import Services
from tests.unit.cards import BARE, NETWORKS, NOW, RESULTS, SHIPS, section
from tests.unit.test_retrain_again import archive


def cells(n: int = 60) -> Memory:
    """A memory of n cells of six people, of an upload and of the base."""
    who = np.array([f"Ms Secret {i % 6}" for i in range(n)])
    return memory.remember(
        np.ones((n, 2)),
        (np.arange(n) % 2).astype(np.uint8),
        who,
        np.where(np.arange(n) % 3, "train", "gate"),
        np.where(np.arange(n) < 40, "base", "ab" * 32),
        np.arange(n).astype(np.uint64),
    )


def test_cells_are_counted_by_origin_and_role(tmp_path: Path) -> None:
    cells().save(tmp_path / "memory.npz")
    counted = memory.count(tmp_path / "memory.npz")
    assert [(c.origin[:4], c.role, c.cells, c.parasitized, c.groups) for c in counted] == [
        ("base", "train", 26, 13, 4),
        ("base", "gate", 14, 7, 2),
        ("abab", "train", 14, 7, 4),
        ("abab", "gate", 6, 3, 2),
    ]
    text = markdown(card(Evidence(BARE, counted)))
    assert "upload abababababab" in text
    assert "Secret" not in text
    (tmp_path / "memory.npz").write_bytes(b"none")
    with pytest.raises(Damaged, match="cannot be read"):
        memory.count(tmp_path / "memory.npz")


def report_on(info: ModelVersion, role: str, data: str = "c" * 64) -> dict[str, Any]:
    """A report as `malaria evaluate` writes it, on cells of one role."""
    rng = np.random.default_rng(3)
    truth = (np.arange(40) % 2).astype(np.uint8)
    found = metrics(truth, np.clip(truth * 0.8 + rng.uniform(0, 0.2, 40), 0, 1), truth.astype(np.str_), 0.5)
    from malaria.evaluation import Evaluation

    seen = Evaluation(
        info.version, info.digest, "x.zip", found, 2, 0, by_role={role: {"cells": 40, "patients": 2}}
    )
    made = {"command": "malaria evaluate", "date": "2026-01-02T00:00:00+00:00", "data": {"x.zip": data}}
    return {"title": "t", "made": made, **evaluation_tables.told(seen)}


@pytest.mark.parametrize("network", NETWORKS)
def test_an_evaluation_is_read_as_it_was_told(network: str) -> None:
    for path in sorted(RESULTS.glob(f"{network}/*/report.json")):
        values = json.loads(path.read_text())
        again = json.loads(json.dumps(evaluation_tables.told(evaluation_tables.read(values))))
        later = {name: again.pop(name) for name in again.keys() - values.keys()}
        if values.get("reviewed"):
            nested = again["reviewed"].keys() - values["reviewed"].keys()
            later |= {name: again["reviewed"].pop(name) for name in nested}
        assert not any(later.values()), "older reports do not tell what was measured later"
        assert again == {name: values[name] for name in again}


def test_test_patients_are_told_only_with_a_recorded_look(tmp_path: Path) -> None:
    info, record = SHIPS.version("compact_cnn"), tmp_path / looks.FILE
    given = {"test": report_on(info, "test")}
    hidden = section(card(card_evidence.gather(SHIPS, info.version, given, [record])), "figures")
    assert "test, all cells" not in hidden
    assert "not told here, since no look at them is recorded" in hidden

    def look(sha256: str, digest: str = info.digest) -> None:
        looks.add(record, Look(NOW, info.version, digest, "x.zip", sha256, "malaria evaluate", 40, 2))

    look("c" * 64, "another model")
    look("d" * 64)
    again = section(card(card_evidence.gather(SHIPS, info.version, given, [record])), "figures")
    assert "test, all cells" not in again, "of other data, or with another model"
    assert "2026-01-02, 40 cells of patients kept for the test" in again
    look("c" * 64)
    shown = section(card(card_evidence.gather(SHIPS, info.version, given, [record])), "figures")
    assert "test, all cells" in shown
    assert "not measured" not in shown


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ({}, "it is the report of no evaluation"),
        ({"title": "a study", "made": {}}, "it is the report of no evaluation"),
        (report_on(BARE, "gate"), f"is of version {BARE.version}"),
    ],
)
def test_a_report_that_does_not_fit_is_refused(report: Mapping[str, Any], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        card_evidence.gather(SHIPS, "compact_cnn", {"x": report}, [])


def test_reports_are_named_by_their_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text("{}")
    assert list(card_evidence.reports([tmp_path / "one", tmp_path / "two" / "report.json"])) == ["one", "two"]
    with pytest.raises(BadInput, match="Two reports are called one"):
        card_evidence.reports([tmp_path / "one", tmp_path / "one"])
    with pytest.raises(BadInput, match="cannot be read"):
        card_evidence.reports([tmp_path])


def test_what_a_manifest_tells_beside_the_usual_is_shown_with_the_operating_point() -> None:
    @dataclass(frozen=True)
    class Newer(ModelVersion):
        further: Mapping[str, Any] = field(default_factory=dict)

    told = {name: getattr(BARE, name) for name in BARE.__dataclass_fields__}
    info = Newer(**told, further={"low": 0.2, "rule": "r"})
    text = section(card(Evidence(info)), "operating_point")
    assert "**further**" in text
    assert "| low | 0.2 |" in text
    assert "No rule is recorded" in section(card(Evidence(BARE)), "operating_point")


def test_the_card_tells_what_is_sent_to_a_person_and_by_which_rule() -> None:
    info = replace(BARE, review=Review(low=0.0726, high=0.9274, sent=0.0765, wrong=0.0124))
    text = section(card(Evidence(info)), "operating_point")
    assert "between 0.073 and 0.927" in text
    assert "7.6% of the cells of validation patients, which leaves 1.2% wrong" in text
    assert operating.RULE in text and operating.INCLUDED not in text
    counted = replace(info, review=Review(0.0726, 0.9274, 0.0765, 0.0124, screened=0.0))
    assert operating.INCLUDED in section(card(Evidence(counted)), "operating_point")


def test_the_card_tells_what_is_taken_for_no_cell_and_by_which_rule() -> None:
    info = replace(BARE, screen=Screen(0.0123, 0.456, "f" * 64, refused=0.01, reviewed=0.04, hundredth=0.02))
    text = section(card(Evidence(info)), "operating_point")
    assert "below 0.0123 gets no answer, one below 0.456 asks" in text
    assert "at most 1.0% and 4.0% of the validation cells of any laboratory" in text
    assert subject.RULE in text
    assert "It cannot tell what is no cell" in section(card(Evidence(BARE)), "operating_point")


def _older(of: Reviewed | None) -> Reviewed | None:
    return of and replace(of, refused=None)


def test_the_card_tells_what_is_left_to_a_person_of_each_set() -> None:
    report = json.loads((RESULTS / "mobilenet_v2" / "bbbc041" / "report.json").read_text())
    found = card_evidence.gather(SHIPS, "mobilenet_v2", {}, [])
    text = section(card(found), "operating_point")
    low, high = report["reviewed"]["wrong"]["interval"]
    assert "| BBBC041 | 996 |" in text
    assert f"{report['reviewed']['wrong']['value']:.4f} ({low:.4f} to {high:.4f})" in text
    assert "| BCCD, validation | 645 |" in text
    older = [
        replace(one, found=replace(one.found, reviewed=_older(one.found.reviewed))) for one in found.measured
    ]
    told = section(card(replace(found, measured=tuple(older))), "operating_point")
    assert "elsewhere was not measured" in told, "these do not count what may be no cell"
    assert "elsewhere was not measured" in section(card(replace(found, measured=())), "operating_point")


def test_the_card_says_that_what_is_no_red_cell_may_be_refused() -> None:
    found = card_evidence.gather(SHIPS, "mobilenet_v2", {}, [])
    assert "no red cell may get an answer" in section(card(found), "limits")
    bare = replace(found, info=replace(found.info, screen=None))
    assert "no red cell gets an answer too" in section(card(bare), "limits")


def test_a_retrained_version_tells_its_chain_and_its_gate(services: Services, tmp_path: Path) -> None:
    upload = tmp_path / "upload.zip"
    upload.write_bytes(archive(synthetic.generate(120, 9), patients=True, washed=True))
    options = RetrainOptions(method=Method.ADAPT, note="cells of Ms Secret")
    job = services.trigger.submit(upload, name="u.zip", identity=None, options=options, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    ended = services.jobs.get(job.id)
    assert ended.version is not None
    told = card(card_evidence.gather(services.at_hand, ended.version, {}, services.looks))
    made, gate = section(told, "training"), section(told, "gate")
    assert ended.version in made
    assert job.id in made
    assert f"It began from version {ended.champion}" in made
    champion = services.at_hand.version(str(ended.champion))
    assert str(champion.lineage["command"]) in made, "the training behind it"
    assert str(ended.receipt["reason"]) in gate
    assert "| site balanced accuracy |" in gate
    assert "| gate cells of uploads |" in section(told, "figures")
    assert f"What was measured of {ended.champion}, its parent" in section(told, "limits")
    assert "malaria retrain" in section(told, "repeat")
    assert f"upload {str(ended.dataset)[:12]}" in section(told, "data")
    assert "Secret" not in json.dumps(as_json(told)), "what a person noted stays in the job"


def test_a_parent_that_is_gone_is_said_to_be() -> None:
    info = replace(
        BARE, lineage={"method": "adapt", "parent": "20200101-gone", "job": "j", "datasets": ["ab" * 32]}
    )
    told = card(Evidence(info))
    assert "Version 20200101-gone, from which this began, is not at hand here." in section(told, "training")
    assert "No receipt of the gate is kept" in section(told, "gate")


def test_an_unknown_version_is_told() -> None:
    with pytest.raises(UnknownVersion, match="No nothing ships"):
        card_evidence.gather(SHIPS, "nothing", {}, [])


def test_damaged_evaluations_are_the_houses_fault(two_networks: tuple[Path, ModelVersion]) -> None:
    models, other = two_networks
    kept = models / other.version / card_evidence.EVALUATIONS
    kept.unlink()
    for text, why in (("[", "cannot be read"), ('{"a": {}}', "is damaged"), ("[]", "cannot be read")):
        kept.write_text(text)
        with pytest.raises(Damaged, match=why):
            card_evidence.gather(AtHand(None, models, models), other.version, {}, [])


def test_the_order_of_reading_is_recorded_or_read_off_the_command() -> None:
    files = {"data": {"a.zip": "1", "b.zip": "2", "c.zip": "3"}, "laboratories": {"bccd": "4", "chula": "5"}}
    laboratories = "--laboratory chula=c.zip --laboratory bccd=b"
    command = f"malaria train --held-out=x/a.zip {laboratories} --data b.zip --data c.zip"
    want = ["data b.zip", "data c.zip", "held-out a.zip", "laboratory chula", "laboratory bccd"]
    for story in ({"command": command}, {"inputs": [one.split(" ") for one in want], "command": "x"}):
        assert [f"{f.option} {f.name}" for f in Step("v", "d", {**files, **story}).files()] == want
    bare = Step("v", "d", {**files, "command": "it's no command"}).files()
    assert [f.option for f in bare] == ["data"] * 3 + ["laboratory"] * 2
    assert Role.TEST not in {f.option for f in bare}
