import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from malaria.paired import drops
from tests.unit.test_metrics import cells

LABELS, BEFORE, PATIENTS = cells(1500, 20)


def test_a_drop_is_the_difference_in_points() -> None:
    after = np.clip(BEFORE + 0.2, 0, 1)
    found = drops(LABELS, PATIENTS, BEFORE, after, 0.5, draws=200, seed=1)
    right_before, right_after = (BEFORE >= 0.5) == LABELS, (after >= 0.5) == LABELS
    for name, among in (
        ("accuracy", LABELS >= 0),
        ("sensitivity", LABELS == 1),
        ("specificity", LABELS == 0),
    ):
        drop = found[name]
        assert drop is not None
        expected = 100 * (right_before[among].mean() - right_after[among].mean())
        assert drop.points == pytest.approx(expected)
        assert drop.interval[0] <= drop.points <= drop.interval[1]
    assert found["sensitivity"] is not None
    assert found["sensitivity"].points < 0, "a gain"
    assert found["auc"] is not None
    lost = roc_auc_score(LABELS, BEFORE) - roc_auc_score(LABELS, after)
    assert found["auc"].points == pytest.approx(100 * lost)


def test_nothing_changed_is_a_drop_of_nothing() -> None:
    for drop in drops(LABELS, PATIENTS, BEFORE, BEFORE.copy(), 0.5, draws=50, seed=1).values():
        assert drop is not None
        assert (drop.points, drop.interval) == (0.0, (0.0, 0.0))


def test_pairs_are_surer_than_two_figures_apart() -> None:
    """Patients differ widely; what a disturbance adds is alike in all of them."""
    drop = drops(LABELS, PATIENTS, BEFORE, BEFORE * 0.95, 0.5, draws=500, seed=1)["accuracy"]
    rng = np.random.default_rng(0)
    right = {p: ((BEFORE >= 0.5) == LABELS)[p == PATIENTS] for p in np.unique(PATIENTS)}
    alone = [
        np.concatenate([right[p] for p in rng.choice(list(right), len(right))]).mean() for _ in range(500)
    ]
    assert drop is not None
    assert drop.interval[1] - drop.interval[0] < 0.5 * 100 * np.subtract(*np.quantile(alone, (0.975, 0.025)))


def test_one_class_says_nothing_of_the_other() -> None:
    found = drops(np.zeros_like(LABELS), PATIENTS, BEFORE, BEFORE, 0.5, draws=50, seed=1)
    assert found["sensitivity"] is None
    assert found["auc"] is None
    assert found["specificity"] is not None
