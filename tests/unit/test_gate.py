"""The gate against simulated laboratories, whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from malaria.criteria import (
    learning_rule,
)
from malaria.domain import Verdict
from malaria.errors import Damaged
from malaria.gate import GateSet, GateSettings, judge
from malaria.refitting import Stays
from tests.unit.gate_sets import BASE, rule, same, simulate


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
    (piece,) = receipt.advised
    assert (piece.code, piece.text) == ("more-groups", receipt.advice)
    assert f"about {piece.numbers['groups']:,} more" in piece.text


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
