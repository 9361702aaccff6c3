"""The power study: challengers are as different as is said, and the rules asked are the gate's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator

from malaria import head as heads
from malaria import memory as memories
from malaria import power, power_drift, power_earlier, power_tables, shipped
from malaria.comparison import GateSet, Seen
from malaria.criteria import GateSettings
from malaria.domain import Progress, Role, Verdict
from malaria.gate import judge
from malaria.head import Floats
from malaria.memory import Memory
from malaria.power import DISTANT, RELATED, SAME, SCATTERED, WAYS, Case, Population, Truth
from malaria.power_earlier import EQUAL, Earlier, TriedEarlier
from malaria.power_sites import SITES, Site, at_site
from malaria.ruling import base_rules, verdict_of

SETTINGS = GateSettings(draws=400)


def quiet(_: Progress) -> None:
    return None


def remembered(models: Path, chosen: str) -> tuple[Memory, heads.Head, float]:
    info = shipped.find(models, chosen)
    folder = models / info.version
    head = heads.read((folder / "model.tflite").read_bytes())
    return memories.load(folder / "memory.npz"), head, info.threshold


@pytest.fixture(scope="module")
def of(models_dir: Path) -> Population:
    """A network and one that it taught, which are related."""
    before, *_ = shipped.listing(models_dir).before
    memory, head, threshold = remembered(models_dir, before)
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
    one, two = list(power.draws(of, [logits] * 2, 2, seed=5))
    assert one.groups() == two.groups() == 40
    assert one.groups(1) == 30 and not np.array_equal(one.champion, two.champion)
    sizes = {len(rows) for rows in (*of.members[0], *of.members[1])}
    assert {int(n) for n in np.unique(one.patients, return_counts=True)[1]} <= sizes
    assert np.array_equal(next(power.draws(of, [logits], 2, seed=5)).champion, one.champion)


def test_what_chance_deals_is_dealt_anew_at_each_draw(of: Population) -> None:
    for way in (*WAYS, SAME):
        one, two = power.challengers(of, Case(way, Truth(0.0, 0.0)), 2, 3)
        assert np.array_equal(one, two) == (way not in power.DEALT)


def test_what_it_counts_are_the_verdicts_of_the_gate_itself(of: Population) -> None:
    case = Case(DISTANT, Truth(0.0, 0.0))
    tried = power.simulate(of, [case], 12, SETTINGS, 7, quiet)[0]
    drawn = list(power.draws(of, power.challengers(of, case, 12, 7), 1, seed=8))
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


def test_new_sites_come_last_since_each_has_draws_by_its_place() -> None:
    asked = [(site.patients, site.cells) for site in SITES[::4]]
    assert asked == [(2, 5), (5, 5), (5, 10), (10, 10), (20, 10), (20, 20), (2, 60), (3, 40)]
    assert all((site.patients, site.cells) == asked[i // 4] for i, site in enumerate(SITES))


def test_earlier_uploads_are_tagged_and_the_challenger_is_worse_on_the_first_alone(of: Population) -> None:
    logits = [power.challenger(of, Case(RELATED, truth), 3) for truth in (Truth(0.0, 0.0), Truth(-0.15, 0.0))]
    sets = [
        power_earlier.draw(of, Earlier(3, 4, 10), (logits[0], there), np.random.default_rng(6))
        for there in logits
    ]
    equal, worse = (one.by_upload() for one in sets)
    assert [one.groups() for one in equal.values()] == [4, 4, 4]
    assert all(one.cells(label) <= 40 for one in equal.values() for label in (0, 1))
    assert sets[0].uploads is not None
    assert sets[0].where(sets[0].uploads == "").groups() == 20, "the base patients are those of the gate"
    differs = (sets[0].challenger >= 0.5) != (sets[1].challenger >= 0.5)
    assert set(sets[0].uploads[differs]) == {"upload 0"} and set(sets[0].labels[differs]) == {1}
    assert np.array_equal(sets[0].champion, sets[1].champion)
    assert list(equal) == list(worse) == ["upload 0", "upload 1", "upload 2"]


def test_the_rules_of_earlier_uploads_stop_the_worse_and_the_more_the_more_there_are(of: Population) -> None:
    def tried(earlier: Earlier, way: str, by: float) -> TriedEarlier:
        return power_earlier.tried(of, earlier, way, Truth(by, 0.0), 20, SETTINGS, seed=5)

    many = tried(Earlier(1, 10, 20), RELATED, -0.15)
    assert 250 < many.cells < 400 and many.verdicts.count(Verdict.REJECTED) > 15
    few = tried(Earlier(3, 4, 10), RELATED, -0.15)
    assert few.verdicts.count(Verdict.UNDECIDABLE) > 12, "of few cells none rejects"
    assert few.base.count(Verdict.ACCEPTED) > few.verdicts.count(Verdict.ACCEPTED), "base patients hide it"
    one, ten = (tried(Earlier(n, 10, 20), DISTANT, 0.0).verdicts.count(Verdict.ACCEPTED) for n in (1, 10))
    assert one > ten + 5


def test_a_distant_challenger_is_dealt_anew_in_each_draw(
    of: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deal passes nearly always and another nearly never: a single one would say little."""
    dealt = set[bytes]()
    draw = power_earlier.draw

    def drawn(of: Population, earlier: Earlier, answers: tuple[Floats, Floats], rng: Generator) -> GateSet:
        dealt.add(answers[0].tobytes())
        return draw(of, earlier, answers, rng)

    monkeypatch.setattr(power_earlier, "draw", drawn)
    power_earlier.tried(of, Earlier(1, 2, 5), DISTANT, EQUAL, 3, SETTINGS, seed=20)
    assert len(dealt) == 3
    power_earlier.tried(of, Earlier(1, 2, 5), RELATED, EQUAL, 3, SETTINGS, seed=20)
    assert len(dealt) == 4, "a related one is given by the other network"


def test_what_is_counted_of_earlier_uploads_is_what_the_gate_says(of: Population) -> None:
    earlier, truth = Earlier(3, 2, 10), Truth(-0.15, 0.0)
    found = power_earlier.tried(of, earlier, RELATED, truth, 6, SETTINGS, seed=8)
    rng, cases = np.random.default_rng(9), (Case(RELATED, EQUAL), Case(RELATED, truth))
    equal, there = (power.challenger(of, case, 8) for case in cases)
    for verdict in found.verdicts:
        receipt = judge(power_earlier.draw(of, earlier, (equal, there), rng), None, *power.EVEN, SETTINGS)
        asked = [rule.passed for rule in receipt.criteria if rule.name.startswith("earlier")]
        assert len(asked) == 2 and verdict == verdict_of(asked)


def test_earlier_uploads_are_told_with_the_rates_of_each_verdict() -> None:
    said = [Verdict.ACCEPTED, Verdict.UNDECIDABLE, Verdict.ACCEPTED, Verdict.ACCEPTED]
    of = TriedEarlier(Earlier(3, 2, 10), DISTANT, Truth(-0.05, 0.0), 37.4, said, [Verdict.ACCEPTED] * 4)
    row = power_earlier.table([of], SETTINGS).rows[0]
    assert row[:6] == (3, 2, "37", DISTANT, "-5.0", "+0.0")
    assert [str(cell).split("%")[0] for cell in row[6:]] == ["75.0", "0.0", "25.0", "100.0"]
    told = json.loads(json.dumps(power_earlier.told([of])))[0]
    assert told["earlier"]["undecidable"] == 0.25 and told["uploads"] == 3
