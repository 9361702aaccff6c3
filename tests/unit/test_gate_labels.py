"""What the gate makes of the labels of an upload."""

from dataclasses import replace

import numpy as np
import pytest

from malaria.criteria import (
    labels_rule,
    learning_rule,
)
from malaria.domain import Verdict
from malaria.gate import GateSet, GateSettings, judge
from malaria.refitting import Stays
from tests.unit.gate_sets import BASE, rule, same, simulate


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


def test_swapped_labels_are_told_though_nothing_was_learnt() -> None:
    site = same(simulate(3.0, 3.0, patients=6, per_patient=40, flipped=True))
    receipt = judge(BASE, site, 0.5, 0.5, unlearnt=learning_rule(Stays.SITE, (40, 40), 5))
    assert receipt.verdict == Verdict.REJECTED
    assert "labels look swapped" in receipt.reason


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


def test_a_bad_upload_does_not_hide_among_others() -> None:
    """Of both together the labels look right, of each apart they do not."""
    good = simulate(3.0, 3.0, patients=10, per_patient=40)
    swapped = simulate(3.0, 3.0, patients=2, per_patient=20, seed=1, flipped=True)
    alone = judge(BASE, good, 0.5, 0.5, labelled=[good])
    assert rule(alone, "labels").passed is rule(alone, "doubted labels").passed is True
    beside = judge(BASE, good, 0.5, 0.5, labelled=[joined(good, swapped), good, swapped])
    assert rule(beside, "labels").passed is False and beside.verdict == Verdict.REJECTED
    assert rule(beside, "doubted labels").passed is None
    assert len(beside.doubted) > len(alone.doubted)
    together = judge(BASE, good, 0.5, 0.5, labelled=[joined(good, swapped)])
    assert rule(together, "labels").passed is True, "or it would not have to be asked of each"


def joined(one: GateSet, other: GateSet) -> GateSet:
    names = ("labels", "patients", "champion", "challenger")
    return GateSet(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in names))


def test_what_holds_for_each_of_several_uploads() -> None:
    """A figure that fell at the site may be one upload's doing, though more cells could settle it."""
    fell = judge(BASE, simulate(3.5, 2.4, patients=3, per_patient=20), 0.5, 0.5)
    assert fell.verdict == Verdict.UNDECIDABLE and fell.too_small and not fell.stands
    few = judge(BASE, simulate(3.0, 3.0, patients=1, per_patient=10), 0.5, 0.5)
    assert few.too_small and few.stands
    assert judge(BASE, simulate(1.5, 3.0, patients=6, per_patient=40), 0.5, 0.5).stands
