"""The gate against simulated laboratories, whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from malaria.comparison import First, Resampled
from malaria.criteria import (
    CALIBRATION,
    FILE_SIZE,
    PARITY,
    SITE_CLASSES,
    Exported,
    labels_rule,
    learning_rule,
)
from malaria.domain import Verdict
from malaria.errors import Damaged
from malaria.gate import Criterion, GateSet, GateSettings, Receipt, judge
from malaria.refitting import Stays


def simulate(
    champion: float,
    challenger: float,
    *,
    patients: int = 20,
    per_patient: int = 100,
    spread: float = 0.2,
    seed: int = 0,
    flipped: bool = False,
    biases: tuple[float, float] = (0.0, 0.0),
) -> GateSet:
    """Cells scored by two models, each with its separation in logits; noise of cell and patient is shared."""
    rng = np.random.default_rng(seed)
    n = patients * per_patient
    labels = np.tile([0, 1], n // 2).astype(np.uint8)
    who = np.repeat(np.arange(patients), per_patient)
    noise = rng.normal(0, spread, patients)[who] + rng.logistic(0, 1, n)
    side = 2.0 * labels - 1

    def score(separation: float, bias: float) -> np.ndarray:  # type: ignore[type-arg]
        logits = separation * side + bias + noise + rng.logistic(0, 0.05, n)
        return 1 / (1 + np.exp(-logits))  # type: ignore[no-any-return]

    groups = np.array([f"P{k}" for k in who])
    shown = (1 - labels if flipped else labels).astype(np.uint8)
    return GateSet(shown, groups, score(champion, biases[0]), score(challenger, biases[1]))


def same(cells: GateSet) -> GateSet:
    return replace(cells, challenger=cells.champion)


def rule(receipt: Receipt, name: str) -> Criterion:
    return next(c for c in receipt.criteria if c.name == name)


BASE = same(simulate(3.5, 3.5, per_patient=150))


def test_better_at_the_site_and_no_worse_on_base_is_accepted() -> None:
    receipt = judge(BASE, simulate(1.5, 3.0, patients=6, per_patient=40), 0.5, 0.5)
    assert receipt.verdict == Verdict.ACCEPTED
    seen = rule(receipt, "site balanced accuracy")
    assert seen.value is not None and seen.low is not None and seen.low > 0
    assert f"{100 * seen.value:+.1f} points, at least {100 * seen.low:+.1f}" in receipt.reason
    assert (receipt.advice, receipt.too_small) == ("", False)
    assert receipt.site is not None and receipt.base is not None
    better, before = receipt.site["challenger"], receipt.site["champion"]
    assert better.accuracy is not None and before.accuracy is not None
    gained = receipt.changed["site"]["gained"] - receipt.changed["site"]["lost"]
    assert gained == round((better.accuracy - before.accuracy) * 240)
    assert receipt.changed["base"] == {"cells": 3000, "gained": 0, "lost": 0}


@pytest.mark.parametrize("label", [1, 0])
def test_a_clear_fall_on_base_is_rejected(label: int) -> None:
    bias = -1.5 if label else 1.5
    receipt = judge(
        simulate(3.5, 3.5, per_patient=150, biases=(0, bias)),
        simulate(1.5, 3.0, patients=6, per_patient=40),
        0.5,
        0.5,
    )
    assert receipt.verdict == Verdict.REJECTED
    broken = rule(receipt, "base sensitivity" if label else "base specificity")
    assert broken.passed is False and broken.text in receipt.reason
    assert rule(receipt, "base specificity" if label else "base sensitivity").passed is True
    assert rule(receipt, "site balanced accuracy").passed is True, "base alone must be the reason"
    assert receipt.advice


def test_a_fall_that_cannot_be_ruled_out_is_undecidable() -> None:
    base = same(simulate(3.5, 3.5, patients=6, per_patient=60))
    scores = base.challenger.copy()
    lost = np.flatnonzero((base.labels == 1) & (base.champion >= 0.5) & (base.patients == "P0"))[:1]
    scores[lost] = 0.1  # one cell of 180: -0.6 points, as good as certain to be more for some draws
    receipt = judge(
        replace(base, challenger=scores), simulate(1.5, 3.0, patients=6, per_patient=40), 0.5, 0.5
    )
    seen = rule(receipt, "base sensitivity")
    assert seen.value is not None and seen.low is not None
    assert seen.low < -0.01 < seen.value
    assert receipt.verdict == Verdict.UNDECIDABLE
    assert receipt.too_small is False
    assert "more base gate patients" in receipt.advice


def test_the_cells_that_changed_hands_are_named_those_that_moved_most_first() -> None:
    site = same(simulate(3.0, 3.0, patients=6, per_patient=40))
    names, scores = np.array([f"cell {i}" for i in range(len(site))]), site.champion.copy()
    sick = np.flatnonzero((site.labels == 1) & (site.champion >= 0.5))
    wrong = np.flatnonzero((site.labels == 0) & (site.champion >= 0.5))
    scores[sick[0]], scores[sick[1]], scores[wrong[0]] = 0.3, 0.01, 0.2
    receipt = judge(BASE, replace(site, challenger=scores, names=names), 0.5, 0.5)
    told = receipt.moved["site"]
    assert receipt.moved["base"] == ()
    assert [(c.name, c.gained) for c in told] == [
        (f"cell {sick[1]}", False),
        (f"cell {sick[0]}", False),
        (f"cell {wrong[0]}", True),
    ]
    assert told[0].label == "Parasitized" and told[2].label == "Uninfected"
    assert (told[0].challenger, told[0].patient) == (0.01, site.patients[sick[1]])
    assert receipt.changed["site"] == {"cells": 240, "gained": 1, "lost": 2}


def test_swapped_labels_are_rejected_although_the_challenger_shines_on_them() -> None:
    """A site whose folders are swapped, and a challenger that has learnt the swap there and nowhere else."""
    site = simulate(2.5, -2.5, patients=6, per_patient=40, flipped=True)
    receipt = judge(BASE, site, 0.5, 0.5)
    seen = rule(receipt, "site balanced accuracy")
    assert seen.value is not None and seen.value > 0.5, (
        "the challenger must look better, or this shows nothing"
    )
    assert rule(receipt, "base sensitivity").passed is True
    assert receipt.verdict == Verdict.REJECTED
    assert "swapped" in receipt.reason and "Parasitized/" in receipt.reason
    assert "Balanced accuracy" not in receipt.reason, "praise for a wrong lesson would confuse"


def test_swapped_labels_of_a_small_site_are_rejected_too() -> None:
    site = simulate(3.0, -3.0, patients=2, per_patient=10, flipped=True)
    assert len(site) == 20 and site.groups() == 2
    receipt = judge(BASE, site, 0.5, 0.5)
    assert receipt.verdict == Verdict.REJECTED
    assert receipt.too_small is False, "cells with swapped labels must not be carried on to the next upload"


def test_a_site_that_is_all_chance_is_seldom_taken_for_swapped_labels() -> None:
    seen = [
        labels_rule(simulate(0.0, 0.0, patients=6, per_patient=40, seed=seed), GateSettings())
        for seed in range(40)
    ]
    assert sum(c.value is not None and c.value < 0.5 for c in seen) > 10
    assert sum(c.passed is False for c in seen) <= 3


def test_worse_at_the_site_is_rejected() -> None:
    receipt = judge(BASE, simulate(3.0, 1.0, patients=6, per_patient=40), 0.5, 0.5)
    assert receipt.verdict == Verdict.REJECTED
    assert "Worse at the site" in receipt.reason


def test_a_little_worse_within_noise_is_undecidable() -> None:
    site = same(simulate(2.0, 2.0, patients=6, per_patient=20))
    scores = site.champion.copy()
    right = np.flatnonzero((site.champion >= 0.5) & (site.labels == 1))
    wrong = np.flatnonzero((site.champion < 0.5) & (site.labels == 1))
    scores[right[:3]], scores[wrong[:2]] = 0.1, 0.9
    receipt = judge(BASE, replace(site, challenger=scores), 0.5, 0.5)
    assert receipt.verdict == Verdict.UNDECIDABLE
    assert receipt.changed["site"] == {"cells": 120, "gained": 2, "lost": 3}
    assert "more patients or fields" in receipt.advice


@pytest.mark.parametrize(
    ("patients", "per_patient", "said"),
    [(5, 2, "10 cells of at least 20"), (1, 100, "1 patients or fields of at least 2")],
)
def test_too_small_a_site_is_undecidable_and_says_what_to_bring(
    patients: int, per_patient: int, said: str
) -> None:
    receipt = judge(BASE, simulate(2.5, 3.0, patients=patients, per_patient=per_patient), 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small) == (Verdict.UNDECIDABLE, True)
    assert said in receipt.reason
    assert ("50 more cells" if patients == 5 else "5 more patients or fields") in receipt.advice


def test_one_class_alone_is_too_small() -> None:
    site = simulate(1.0, 3.0, patients=6, per_patient=40)
    clean = site.labels == 0
    only = GateSet(site.labels[clean], site.patients[clean], site.champion[clean], site.challenger[clean])
    receipt = judge(BASE, only, 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small) == (Verdict.UNDECIDABLE, True)
    assert "0 parasitized of at least 5" in receipt.reason and "25 more parasitized" in receipt.advice


@pytest.mark.parametrize("site", [None, GateSet(*(np.empty(0) for _ in range(4)))])  # type: ignore[arg-type]
def test_no_gate_cells_of_the_site_are_undecidable(site: GateSet | None) -> None:
    receipt = judge(simulate(2.0, 3.5), site, 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small) == (Verdict.UNDECIDABLE, True)
    assert receipt.site is None and "site" not in receipt.changed


def test_without_base_patients_nothing_is_promoted() -> None:
    receipt = judge(None, simulate(1.0, 3.0, patients=6, per_patient=40), 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small, receipt.base) == (Verdict.UNDECIDABLE, False, None)
    assert "Base sensitivity cannot be compared: 0 base gate patients" in receipt.reason


def test_a_fall_on_base_is_rejected_however_small_the_site() -> None:
    receipt = judge(simulate(3.5, 2.0), simulate(1.0, 3.0, patients=2, per_patient=4), 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small) == (Verdict.REJECTED, False)


def test_a_challenger_that_changes_nothing_is_no_reason_to_change() -> None:
    receipt = judge(BASE, same(simulate(3.0, 3.0, patients=6, per_patient=40)), 0.5, 0.5)
    assert (receipt.verdict, receipt.too_small) == (Verdict.UNDECIDABLE, False)
    assert "Nothing changes: both models answer all 3,240 gate cells alike" in receipt.reason


@pytest.mark.parametrize(
    ("stays", "said", "advised", "waits"),
    [
        (Stays.FEW, "3 parasitized and 40 uninfected, of at least 5 each", "2 more cells", True),
        (Stays.BASE, "would have lost too much", "--method full", False),
        (Stays.SITE, "did not answer the others better", "nothing to mend", False),
    ],
)
def test_why_nothing_was_learnt_is_told(stays: Stays, said: str, advised: str, waits: bool) -> None:
    site = same(simulate(3.0, 3.0, patients=6, per_patient=40))
    receipt = judge(BASE, site, 0.5, 0.5, unlearnt=learning_rule(stays, (40, 3), 5))
    assert (receipt.verdict, receipt.too_small) == (Verdict.UNDECIDABLE, waits)
    assert said in receipt.reason
    assert "Nothing changes" not in receipt.reason
    assert advised in receipt.advice


def test_swapped_labels_are_told_though_nothing_was_learnt() -> None:
    site = same(simulate(3.0, 3.0, patients=6, per_patient=40, flipped=True))
    receipt = judge(BASE, site, 0.5, 0.5, unlearnt=learning_rule(Stays.SITE, (40, 40), 5))
    assert receipt.verdict == Verdict.REJECTED
    assert "labels look swapped" in receipt.reason


def test_no_worse_at_the_site_and_better_on_base_is_accepted() -> None:
    receipt = judge(simulate(2.0, 3.5), same(simulate(3.0, 3.0, patients=6, per_patient=40)), 0.5, 0.5)
    assert receipt.verdict == Verdict.ACCEPTED


def test_each_model_is_read_at_its_own_threshold() -> None:
    site = simulate(3.0, 3.0, patients=6, per_patient=40, biases=(0.0, -1.4))
    assert judge(BASE, site, 0.5, 0.5).verdict == Verdict.REJECTED
    assert rule(judge(BASE, site, 0.5, 0.2), "site balanced accuracy").passed is not False


def test_what_one_patient_gains_says_little_of_the_others() -> None:
    """Four patients, 50 cells of a class each: the challenger loses 6 in three of them, gains 40 in one."""
    labels, who = np.tile([0, 1], 200), np.repeat(["P1", "P2", "P3", "P4"], 100)
    champion, challenger = labels.astype(float), labels.astype(float)
    for patient, (before, after) in zip(np.unique(who), [(0, 6), (0, 6), (0, 6), (40, 0)], strict=True):
        infected = np.flatnonzero((who == patient) & (labels == 1))
        champion[infected[:before]], challenger[infected[:after]] = 0.0, 0.0
    site = GateSet(labels.astype(np.uint8), who, champion, challenger)
    by_patient = rule(judge(BASE, site, 0.5, 0.5), "site balanced accuracy")
    by_cell = rule(
        judge(BASE, replace(site, patients=np.arange(400).astype(str)), 0.5, 0.5), "site balanced accuracy"
    )
    assert by_patient.value == by_cell.value == pytest.approx((40 - 18) / 400)
    assert by_cell.passed is True
    assert by_cell.low is not None and by_cell.low > 0
    assert by_patient.passed is None
    assert by_patient.low is not None and by_patient.low < -0.05


@given_settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10_000),
    st.floats(0.5, 4),
    st.floats(-1, 4),
    st.integers(1, 8),
    st.integers(1, 20),
    st.booleans(),
)
def test_the_verdict_follows_from_the_rules(
    seed: int, champion: float, challenger: float, patients: int, pairs: int, flipped: bool
) -> None:
    site = simulate(
        champion, challenger, patients=patients, per_patient=2 * pairs, seed=seed, flipped=flipped
    )
    receipt = judge(
        simulate(3, 3, patients=8, per_patient=40, seed=seed), site, 0.5, 0.5, GateSettings(draws=200)
    )
    passed = [c.passed for c in receipt.criteria]
    expected = (
        Verdict.REJECTED if False in passed else Verdict.UNDECIDABLE if None in passed else Verdict.ACCEPTED
    )
    assert receipt.verdict == expected
    assert receipt.reason.startswith(expected.value.capitalize())
    assert bool(receipt.advice) == (expected != Verdict.ACCEPTED)
    for c in receipt.criteria:
        assert c.low is None or c.value is None or c.low <= c.value + 1e-9
        assert c.text.endswith(".") and c.text[0].isalnum()
    if flipped:
        assert receipt.verdict != Verdict.ACCEPTED or champion < 1.5


def test_the_same_cells_get_the_same_verdict() -> None:
    site = simulate(1.5, 3.0, patients=6, per_patient=40)
    assert judge(BASE, site, 0.5, 0.5) == judge(BASE, site, 0.5, 0.5)


@pytest.mark.parametrize("bad", [np.nan, 1.5, -0.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    scores = BASE.challenger.copy()
    scores[3] = bad
    with pytest.raises(Damaged, match="challenger"):
        replace(BASE, challenger=scores)


SITE_CELLS = simulate(1.5, 3.0, patients=6, per_patient=40)
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


def traded(lost: int, won: int, *, of: int) -> GateSet:
    """A site of ten patients: of so many parasitized cells some are lost, of as many others some are won."""
    labels, who = np.tile([1, 0], of).astype(np.uint8), np.repeat([f"P{k}" for k in range(10)], of // 5)
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


def test_labels_that_the_champion_doubts_are_counted_and_named_the_surest_first() -> None:
    site = simulate(3.0, 3.0, patients=6, per_patient=40)
    named = replace(site, names=np.array([f"cell {i}" for i in range(len(site))]))
    scores, sick = named.champion.copy(), np.flatnonzero(site.labels == 1)
    scores[:] = np.clip(scores, 0.06, 0.94)
    scores[sick[3]], scores[sick[5]] = 0.04, 0.01
    receipt = judge(BASE, replace(named, champion=scores), 0.5, 0.5)
    assert [cell.name for cell in receipt.doubted] == [f"cell {sick[5]}", f"cell {sick[3]}"]
    assert receipt.doubted[0].label == "Parasitized" and receipt.doubted[0].champion == 0.01
    told = rule(receipt, "doubted labels")
    assert "sure that 2 of the site's 240 labels are wrong (1%)." in told.text and told.passed is True


@pytest.mark.parametrize(("count", "passed"), [(24, True), (25, None)])
def test_many_labels_that_the_champion_is_sure_are_wrong_cannot_be_decided_on(
    count: int, passed: bool | None
) -> None:
    """Its ranking is still far better than chance: a tenth of 240 labels is borne, no more."""
    site = simulate(3.0, 3.2, patients=6, per_patient=40)
    scores = np.clip(site.champion, 0.06, 0.94)
    clean = np.flatnonzero(site.labels == 0)[:count]
    scores[clean] = 0.97
    receipt = judge(BASE, replace(site, champion=scores), 0.5, 0.5)
    assert rule(receipt, "labels").passed is True
    assert rule(receipt, "doubted labels").passed is passed
    assert (receipt.verdict == Verdict.ACCEPTED) == (passed is True)
    assert ("without seeing the folders" in receipt.advice) == (passed is None)


def test_an_upload_whose_labels_are_in_doubt_does_not_wait_to_spoil_the_next() -> None:
    small = simulate(3.0, 3.0, patients=1, per_patient=30)
    assert judge(BASE, small, 0.5, 0.5).too_small
    doubtful = replace(small, labels=np.where(np.arange(30) < 12, 1 - small.labels, small.labels))
    receipt = judge(BASE, doubtful, 0.5, 0.5)
    assert receipt.verdict == Verdict.UNDECIDABLE and not receipt.too_small


def test_labels_that_are_half_wrong_cannot_be_decided_on() -> None:
    site = simulate(3.0, 3.0, patients=6, per_patient=40)
    flipped = np.random.default_rng(0).random(len(site)) < 0.4
    mixed = replace(site, labels=np.where(flipped, 1 - site.labels, site.labels).astype(np.uint8))
    receipt = judge(BASE, mixed, 0.5, 0.5)
    assert rule(receipt, "labels").passed is None and receipt.verdict != Verdict.ACCEPTED
    assert "without seeing the folders" in receipt.advice or receipt.verdict == Verdict.REJECTED
    kinder = judge(BASE, mixed, 0.5, 0.5, GateSettings(min_site_auc=0.5))
    assert rule(kinder, "labels").passed is True
