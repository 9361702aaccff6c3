"""The power study: challengers are as different as is said, and the rules asked are the gate's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import head as heads
from malaria import memory as memories
from malaria import power, power_drift, power_tables, shipped
from malaria.comparison import Seen
from malaria.criteria import GateSettings
from malaria.domain import Progress, Role, Verdict
from malaria.gate import base_rules, judge, verdict_of
from malaria.memory import Memory
from malaria.power import DISTANT, RELATED, SAME, SCATTERED, WAYS, Case, Population, Truth
from malaria.power_sites import Site, at_site

SETTINGS = GateSettings(draws=400)


def quiet(_: Progress) -> None:
    return None


def remembered(models: Path, network: str) -> tuple[Memory, heads.Head, float]:
    info, folder = shipped.read_shipped(models, network)
    head = heads.read((folder / "model.tflite").read_bytes())
    return memories.load(folder / "memory.npz"), head, info.threshold


@pytest.fixture(scope="module")
def of(models_dir: Path) -> Population:
    memory, head, threshold = remembered(models_dir, "mobilenet_v2")
    return power.population(memory, head, threshold, remembered(models_dir, "compact_cnn"))


def test_it_draws_from_validation_and_gate_patients_and_never_from_the_test(models_dir: Path) -> None:
    memory, head, threshold = remembered(models_dir, "mobilenet_v2")
    other = remembered(models_dir, "compact_cnn")
    before = power.population(memory, head, threshold, other)
    kept = [memory.where(memory.roles != Role.TEST.value), other[0].where(other[0].roles != Role.TEST.value)]
    after = power.population(kept[0], head, threshold, (kept[1], *other[1:]))
    assert np.array_equal(before.champion, after.champion)
    assert before.gate == (15, 5)
    held = memory.where((memory.origins == "base") & np.isin(memory.roles, ["validation", "gate"]))
    assert len(before.labels) == len(held)
    assert len(np.unique(before.patients)) == len(np.unique(held.patients))
    sick, well = before.members
    assert len(sick) + len(well) == len(np.unique(before.patients))
    with pytest.raises(ValueError, match="different"):
        power.population(memory.where(memory.roles != "gate"), head, threshold, other)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "truth", [Truth(-0.015, 0.0), Truth(0.0, -0.03), Truth(0.0, 0.0), Truth(0.01, -0.015)]
)
def test_a_challenger_is_as_different_as_it_is_said_to_be(of: Population, way: str, truth: Truth) -> None:
    logits = power.challenger(of, Case(way, truth), seed=3)
    right = (logits >= 0) == (of.labels == 1)
    for label, by in ((1, truth.sensitivity), (0, truth.specificity)):
        rows = of.labels == label
        assert right[rows].mean() - of.right[rows].mean() == pytest.approx(by, abs=1 / rows.sum())
    assert (right != of.right).any(), "one that answers every cell alike shows nothing"


def test_no_challenger_gains_more_than_there_is_to_gain(of: Population) -> None:
    with pytest.raises(ValueError, match="no challenger is better"):
        power.challenger(of, Case(RELATED, Truth(0.2, 0.0)), seed=0)


def test_the_ways_differ_in_how_many_cells_change_hands(of: Population) -> None:
    changed = {
        way: np.mean(
            ((power.challenger(of, Case(way, Truth(0.0, 0.0)), 0) >= 0) == (of.labels == 1)) != of.right
        )
        for way in (*WAYS, SAME)
    }
    assert changed[SAME] == 0
    assert changed[SCATTERED] == pytest.approx(power.CHANGED, abs=0.001)
    assert changed[DISTANT] > 2 * changed[RELATED] > 0.01


def test_a_draw_holds_whole_patients_each_as_another_one(of: Population) -> None:
    logits = power.challenger(of, Case(RELATED, Truth(0.0, 0.0)), 0)
    one, two = list(power.draws(of, logits, 2, 2, seed=5))
    assert one.groups() == two.groups() == 40
    assert one.groups(1) == 30 and not np.array_equal(one.champion, two.champion)
    sizes = {len(rows) for rows in (*of.members[0], *of.members[1])}
    assert {int(n) for n in np.unique(one.patients, return_counts=True)[1]} <= sizes
    assert np.array_equal(next(power.draws(of, logits, 2, 1, seed=5)).champion, one.champion)


def test_what_it_counts_are_the_verdicts_of_the_gate_itself(of: Population) -> None:
    case = Case(DISTANT, Truth(0.0, 0.0))
    tried = power.simulate(of, [case], 12, SETTINGS, 7, quiet)[0]
    drawn = list(power.draws(of, power.challenger(of, case, 7), 1, 12, seed=8))
    for margin in (0.004, 0.02):
        at = replace(SETTINGS, base_margin=margin)
        assert tried.verdicts(at) == [
            verdict_of([c.passed for c in base_rules(cells, power.EVEN, at)]) for cells in drawn
        ]
    receipt = judge(drawn[0], None, *power.EVEN, SETTINGS)
    seen = {c.name: c.low for c in receipt.criteria}
    assert (tried.sensitivity[0].low, tried.specificity[0].low) == (
        seen["base sensitivity"],
        seen["base specificity"],
    )


def test_a_worse_one_seldom_passes_and_an_equal_one_mostly_does(of: Population) -> None:
    cases = [
        Case(RELATED, Truth(-0.03, 0.0)),
        Case(RELATED, Truth(0.0, 0.0)),
        Case(RELATED, Truth(0.0, 0.0), 4),
    ]
    worse, equal, more = power.simulate(of, cases, 40, SETTINGS, 1, quiet)
    accepted = [one.rate(Verdict.ACCEPTED, SETTINGS)[0] for one in (worse, equal, more)]
    assert accepted[0] <= 2 and worse.rate(Verdict.REJECTED, SETTINGS)[0] > 20
    assert 25 < accepted[1] <= accepted[2]


def test_over_sure_answers_raise_the_calibration_error_that_is_told(of: Population) -> None:
    sure, unsure = power.simulate(
        of, [Case(SAME, Truth(0.0, 0.0), sharper=by) for by in (4.0, 0.5)], 10, SETTINGS, 1, quiet
    )
    assert -0.03 < sure.ece < -0.01 and unsure.ece < -0.05
    assert all(seen.value == 0 for seen in (*sure.sensitivity, *unsure.specificity))
    assert unsure.rate(Verdict.REJECTED, SETTINGS) == (10, 10)


@pytest.mark.parametrize(("by", "verdict"), [(-0.3, Verdict.REJECTED), (0.09, Verdict.ACCEPTED)])
def test_a_site_is_judged_by_its_own_rules(of: Population, by: float, verdict: Verdict) -> None:
    tried = at_site(of, Site(15, 20, Truth(by, 0.0)), 0.1, 20, SETTINGS, seed=2)
    assert 300 < tried.cells < 600
    assert tried.verdicts.count(verdict) > 10


def test_a_site_of_one_patient_is_too_small(of: Population) -> None:
    tried = at_site(of, Site(1, 5, Truth(0.05, 0.0)), 0.1, 3, SETTINGS, seed=2)
    assert tried.verdicts == [Verdict.UNDECIDABLE] * 3


def test_the_report_holds_every_case_and_marks_the_margin_in_use(of: Population, tmp_path: Path) -> None:
    found = power.simulate(of, power.cases(), 2, replace(SETTINGS, draws=200), 0, quiet)
    sites = [at_site(of, Site(3, 5, Truth(0.0, 0.0)), 0.1, 2, SETTINGS, 0)]
    settings = replace(SETTINGS, base_margin=0.012)
    tables = power_tables.tables(found, sites, settings)
    assert [len(table.rows) for table in tables] == [16, 26, 3, 9, 8, 1]
    assert [row[0] for row in tables[0].rows if "in use" in str(row[0])] == ["1.2 (in use)"]
    json.dumps(power_tables.told(found, sites, settings))
    assert power_tables.rate(41, 1000) == "4.1% (3.0 to 5.5)"
    for path in power_tables.draw(tmp_path, found, settings):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_many_small_steps_lead_down_unless_the_first_release_is_asked(of: Population) -> None:
    step = Truth(-0.005, 0.0)
    alone, held = (power_drift.chain(of, step, SETTINGS, 4, with_first=asks) for asks in (False, True))
    assert alone.accepted > held.accepted >= 1
    assert alone.sensitivity == pytest.approx(-0.005 * alone.accepted, abs=0.002)
    assert held.sensitivity == pytest.approx(-0.005 * held.accepted, abs=0.002) and held.specificity == 0
    assert alone.sensitivity < -0.03 < held.sensitivity


def test_the_chains_are_told_in_points_of_the_figure_that_changes() -> None:
    ended = [power_drift.Ended(2, 0.01, -0.02), power_drift.Ended(4, 0.0, -0.04)]
    found = [power_drift.Chains(Truth(0.0, -0.01), ended, ended[:1])]
    row = power_drift.table(found).rows[0]
    assert row == ("+0.0", "-1.0", "3.0", "-3.0 (-3.9)", "2.0", "-2.0 (-2.0)")
    assert json.loads(json.dumps(power_drift.told(found)))[0]["alone"][1]["accepted"] == 4


def test_the_margin_of_the_rule_is_the_largest_that_harmful_ones_seldom_meet(of: Population) -> None:
    draws = power.simulate(of, [c for c in power.cases() if c.way in WAYS], 2, SETTINGS, 0, quiet)
    low = {True: -0.02, False: -0.0085}  # of harmful challengers and of the others

    def saw(one: power.Tried) -> power.Tried:
        seen = [Seen(0.0, low[one.case.truth in power_tables.HARMFUL], 0.0, 20)] * 2
        return replace(one, sensitivity=seen, specificity=seen)

    assert power_tables.largest([saw(one) for one in draws], SETTINGS) == 0.019
    low[True] = 0.0
    assert power_tables.largest([saw(one) for one in draws], SETTINGS) is None
