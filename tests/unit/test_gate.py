"""The gate against simulated laboratories, whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from malaria.criteria import labels_rule, learning_rule
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
    receipt = judge(BASE, simulate(1.0, 3.0, patients=patients, per_patient=per_patient), 0.5, 0.5)
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
