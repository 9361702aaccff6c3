"""Further rules of the gate: calibration, file, equal challengers, classes at the site, first release."""

from dataclasses import replace

import numpy as np
import pytest

from malaria.comparison import First, Resampled
from malaria.criteria import (
    CALIBRATION,
    EARLIER,
    FILE_SIZE,
    PARITY,
    SITE_CLASSES,
    Exported,
)
from malaria.domain import Verdict
from malaria.gate import GateSet, GateSettings, judge
from tests.unit.gate_sets import BASE, SITE_CELLS, rule, same, simulate

WHOLE = Exported(parity=1e-6, size_bytes=9_800_000)


def sharpened(cells: GateSet, by: float) -> GateSet:
    """The champion with every logit multiplied: the same calls, surer (above 1) or less sure."""
    p = np.clip(cells.champion, 1e-9, 1 - 1e-9)
    return replace(cells, challenger=1 / (1 + ((1 - p) / p) ** by))


@pytest.mark.parametrize("by", [4.0, 0.4])
def test_worse_calibration_is_rejected_though_every_call_is_the_same(by: float) -> None:
    receipt = judge(sharpened(simulate(2.0, 2.0), by), SITE_CELLS, 0.5, 0.5, file=WHOLE)
    assert receipt.changed["base"]["lost"] == 0
    broken = rule(receipt, CALIBRATION)
    assert (broken.passed, receipt.verdict) == (False, Verdict.REJECTED)
    assert "calibration error" in receipt.reason and receipt.advice
    assert receipt.base is not None
    before, after = receipt.base["champion"].ece, receipt.base["challenger"].ece
    assert before is not None and after is not None and broken.value == pytest.approx(before - after)


def test_whose_calibration_cannot_be_told_from_worse_is_undecidable() -> None:
    base = simulate(2.0, 2.0, patients=12, per_patient=20)
    surer = sharpened(base, 1.6)
    drawn = Resampled(surer, (0.5, 0.5), GateSettings()).calibration()
    margin = -(drawn.value + drawn.low) / 2
    assert drawn.low < -margin < drawn.value, "or there is nothing to show"
    told = judge(surer, SITE_CELLS, 0.5, 0.5, GateSettings(ece_margin=margin))
    assert rule(told, CALIBRATION).passed is None
    assert told.verdict == Verdict.UNDECIDABLE and CALIBRATION in told.advice


def test_patients_that_differ_widen_the_bound_of_the_calibration() -> None:
    """In half of the patients 19 cells of 20 are ill, in the others 11; both models say the same of all."""
    ill = np.concatenate([np.arange(100) < (95 if who < 4 else 55) for who in range(8)]).astype(np.uint8)
    patients = np.repeat([f"P{who}" for who in range(8)], 100)
    cells = GateSet(ill, patients, np.full(800, 0.55), np.full(800, 0.75))
    alone = replace(cells, patients=np.arange(800).astype(str))
    clustered, scattered = (Resampled(c, (0.5, 0.5), GateSettings()).calibration() for c in (cells, alone))
    assert clustered.value == scattered.value == pytest.approx(0.2)
    assert clustered.high - clustered.low > 2 * (scattered.high - scattered.low)


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        (replace(WHOLE, parity=2e-4), PARITY, "within 2.0e-04 of what was computed (at most 1.0e-04"),
        (replace(WHOLE, size_bytes=17_000_000), FILE_SIZE, "has 17.0 MB (at most 16.8)"),
    ],
)
def test_a_file_that_answers_otherwise_or_is_too_large_is_rejected(
    file: Exported, name: str, said: str
) -> None:
    assert judge(BASE, SITE_CELLS, 0.5, 0.5, file=WHOLE).verdict == Verdict.ACCEPTED
    receipt = judge(BASE, SITE_CELLS, 0.5, 0.5, file=file)
    assert receipt.verdict == Verdict.REJECTED
    assert [c.name for c in receipt.criteria if not c.passed] == [name]
    assert said in receipt.reason and "file is at fault" in receipt.advice


def swapped(cells: GateSet) -> GateSet:
    """The champion, but of the parasitized cells it answers one more rightly and one more wrongly."""
    scores, sick = cells.champion.copy(), cells.labels == 1
    right, wrong = (np.flatnonzero(sick & ((cells.champion >= 0.5) == is_so))[0] for is_so in (True, False))
    scores[right], scores[wrong] = 0.4, 0.6
    return replace(cells, challenger=scores)


@pytest.mark.parametrize("site", [same(SITE_CELLS), swapped(SITE_CELLS)])
def test_an_equal_one_is_accepted_where_it_is_asked_for(site: GateSet) -> None:
    assert judge(BASE, site, 0.5, 0.5).verdict == Verdict.UNDECIDABLE
    receipt = judge(BASE, site, 0.5, 0.5, GateSettings(accept_equal=True))
    assert receipt.verdict == Verdict.ACCEPTED
    assert "An equal one is asked for" in rule(receipt, "gain").text


def test_a_worse_one_is_not_accepted_where_an_equal_one_is_asked_for() -> None:
    worse = simulate(3.5, 2.0, per_patient=150)
    assert judge(worse, SITE_CELLS, 0.5, 0.5, GateSettings(accept_equal=True)).verdict == Verdict.REJECTED


def traded(lost: int, won: int, *, of: int, patients: int = 10) -> GateSet:
    """A site of some patients: of so many parasitized cells some are lost, of as many others some are won."""
    labels = np.tile([1, 0], of).astype(np.uint8)
    who = np.array([f"P{k * patients // (2 * of)}" for k in range(2 * of)])
    before = 0.1 + 0.8 * labels
    sick, clean = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    before[clean[:: of // won][:won]] = 0.9
    after = 0.1 + 0.8 * labels
    after[sick[:: of // lost][:lost]] = 0.1
    return GateSet(labels, who, before, after)


@pytest.mark.parametrize(
    ("site", "passed"),
    [
        (traded(30, 90, of=200), False),  # 15 points of 200 cells: beyond doubt
        (traded(8, 100, of=200), None),  # 4 points: more than 5 cannot be ruled out
        (traded(8, 100, of=200, patients=3), None),  # of few patients no more than of many
        (traded(1, 100, of=200), True),
        (traded(3, 20, of=40), None),  # 7.5 points of too few cells
        (traded(1, 7, of=15), True),  # one cell of few says nothing
    ],
)
def test_specificity_is_not_bought_with_sensitivity_unseen(site: GateSet, passed: bool | None) -> None:
    receipt = judge(BASE, site, 0.5, 0.5)
    assert rule(receipt, "site balanced accuracy").value > 0.1  # type: ignore[operator]
    assert rule(receipt, SITE_CLASSES[0]).passed is True
    paid = rule(receipt, SITE_CLASSES[1])
    assert paid.passed is passed
    expected = {True: Verdict.ACCEPTED, None: Verdict.UNDECIDABLE, False: Verdict.REJECTED}
    assert receipt.verdict == expected[passed]
    assert passed is not False or "malaria models promote" in receipt.advice


def together(base: GateSet, *earlier: GateSet) -> GateSet:
    """Base gate cells, and those of uploads that were learnt from before."""
    sets, names = (base, *earlier), ["", *(f"{i}d1f0c3a99" for i in range(len(earlier)))]
    return GateSet(
        np.concatenate([one.labels for one in sets]),
        np.concatenate([one.patients for one in sets]),
        np.concatenate([one.champion for one in sets]),
        np.concatenate([one.challenger for one in sets]),
        uploads=np.repeat(names, [len(one) for one in sets]),
    )


@pytest.mark.parametrize(
    ("earlier", "passed"),
    [
        (traded(9, 1, of=100), False),
        (traded(3, 1, of=40), None),
        (traded(1, 1, of=40), True),
        (traded(2, 1, of=4), True),  # too few of a class to ask
    ],
)
def test_an_upload_that_was_learnt_from_does_not_pay_for_the_next(
    earlier: GateSet, passed: bool | None
) -> None:
    """Among 3,000 base cells none of these falls would show."""
    base = together(BASE, replace(earlier, patients=np.char.add("E", earlier.patients)))
    receipt = judge(base, SITE_CELLS, 0.5, 0.5)
    assert rule(receipt, "base sensitivity").passed is True
    asked = [one for one in receipt.criteria if one.name in EARLIER.values()]
    if len(earlier) < 10:
        assert not asked
    else:
        paid = rule(receipt, EARLIER[1])
        assert paid.passed is passed and "the upload 0d1f0c3a" in paid.text
        assert rule(receipt, EARLIER[0]).passed is True
    expected = {True: Verdict.ACCEPTED, None: Verdict.UNDECIDABLE, False: Verdict.REJECTED}
    assert receipt.verdict == expected[passed]
    assert ("an earlier upload" in receipt.advice) is (passed is not True)


def test_of_several_earlier_uploads_the_worst_decides() -> None:
    good, bad = traded(1, 1, of=200), traded(30, 1, of=200)
    for earlier in ((good, bad), (bad, good)):
        asked = [
            one
            for one in judge(together(BASE, *earlier), SITE_CELLS, 0.5, 0.5).criteria
            if one.name in EARLIER.values()
        ]
        assert [one.passed for one in asked] == [False, True]


@pytest.mark.parametrize(("lost", "passed"), [(1, True), (30, False)])
def test_what_other_base_laboratories_lose_is_asked_by_itself(lost: int, passed: bool) -> None:
    """They are of one class, and far more than those of base gate patients: they decide no base rule."""
    there = traded(lost, 1, of=200)
    there = there.where(there.labels == 1)
    alone = judge(BASE, SITE_CELLS, 0.5, 0.5)
    beside = judge(BASE, SITE_CELLS, 0.5, 0.5, elsewhere={"laboratory chula": there})
    (asked,) = [one for one in beside.criteria if one.name in EARLIER.values()]
    assert asked.passed is passed and "laboratory chula" in asked.text
    assert [one for one in beside.criteria if one is not asked] == list(alone.criteria)
    assert (beside.base, beside.site, beside.changed) == (alone.base, alone.site, alone.changed)


def held(cells: GateSet, *, lost: int) -> First:
    """A first release that answers so many parasitized cells rightly which the challenger misses."""
    missed = np.flatnonzero((cells.labels == 1) & (cells.challenger < 0.5))[:lost]
    before = cells.challenger.copy()
    before[missed] = 0.9
    return First("v0", replace(cells, champion=before), 0.5)


@pytest.mark.parametrize(
    ("lost", "passed", "verdict"),
    [(0, True, Verdict.ACCEPTED), (17, None, Verdict.UNDECIDABLE), (36, False, Verdict.REJECTED)],
)
def test_what_was_lost_since_the_first_release_counts_though_nothing_is_lost_now(
    lost: int, passed: bool | None, verdict: Verdict
) -> None:
    """1,500 parasitized cells, of which so many were lost in steps before."""
    receipt = judge(BASE, SITE_CELLS, 0.5, 0.5, first=held(BASE, lost=lost))
    whole = rule(receipt, "base sensitivity since the first release")
    assert rule(receipt, "base sensitivity").value == 0 and receipt.first == "v0"
    assert whole.value == pytest.approx(-lost / 1500) and whole.passed is passed
    assert rule(receipt, "base specificity since the first release").passed is True
    assert receipt.verdict == verdict
    advised = {
        True: "",
        None: "malaria models rollback",
        False: "malaria models rollback",
    }
    assert advised[passed] in receipt.advice and (passed is True) == (receipt.advice == "")


def test_the_first_release_is_read_at_its_own_threshold() -> None:
    first = First("v0", replace(BASE, champion=BASE.champion / 2), 0.25)
    whole = rule(judge(BASE, SITE_CELLS, 0.5, 0.5, first=first), "base specificity since the first release")
    assert whole.value == 0
