import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from malaria import ranking
from malaria.bootstrap import drawn_auc, drawn_rankings, drawn_sums
from malaria.metrics import Spread, agreement, metrics


def cells(n: int, patients: int, seed: int = 0):  # type: ignore[no-untyped-def]
    """Labels, probabilities and patients whose cells share an offset, as real patients' cells do."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, patients, n)
    labels = rng.integers(0, 2, n).astype(np.uint8)
    logits = 2.0 * (2.0 * labels - 1) + rng.normal(0, 1.5, patients)[who] + rng.normal(0, 1, n)
    return labels, 1 / (1 + np.exp(-logits)), np.array([f"P{i}" for i in who])


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 300), st.floats(0.05, 0.95))
def test_figures_are_those_of_scikit_learn(seed: int, n: int, threshold: float) -> None:
    labels, p, patients = cells(n, 7, seed)
    labels[:2] = (0, 1)
    p = np.round(p, 2)  # ties
    said = p >= threshold
    found = metrics(labels, p, patients, threshold, bootstrap=0)
    assert found.accuracy == pytest.approx(accuracy_score(labels, said))
    assert found.sensitivity == pytest.approx(recall_score(labels, said))
    assert found.specificity == pytest.approx(recall_score(labels, said, pos_label=0))
    assert found.auc == pytest.approx(roc_auc_score(labels, p))
    assert found.pr_auc == pytest.approx(average_precision_score(labels, p))
    false_alarms, found_ones, _ = roc_curve(labels, p, drop_intermediate=False)
    assert found.sensitivity_at_specificity_98 == pytest.approx(found_ones[false_alarms <= 0.02 + 1e-9].max())
    assert found.specificity_at_sensitivity_90 == pytest.approx(
        1 - false_alarms[found_ones >= 0.9 - 1e-9].min()
    )
    assert found.brier == pytest.approx(brier_score_loss(labels, p))
    assert found.f1 == pytest.approx(f1_score(labels, said, zero_division=0.0))
    if said.any():
        assert found.precision == pytest.approx(precision_score(labels, said))
    if said.any() and not said.all():
        assert found.mcc == pytest.approx(matthews_corrcoef(labels, said))
    assert sum(found.confusion.values()) == n


def test_what_one_class_cannot_say_is_none() -> None:
    clean = metrics(np.zeros(4, np.uint8), np.full(4, 0.1), np.array(["a", "a", "b", "c"]), 0.5)
    assert (clean.sensitivity, clean.auc, clean.mcc, clean.precision) == (None, None, None, None)
    assert (clean.specificity, clean.accuracy, clean.patients) == (1.0, 1.0, 3)
    assert (clean.pr_auc, clean.sensitivity_at_specificity_98, clean.spread) == (None, None, {})
    assert set(clean.intervals) == {"accuracy", "specificity", "brier", "ece"}
    nothing = metrics(np.zeros(0, np.uint8), np.zeros(0), np.zeros(0, np.str_), 0.5)
    assert (nothing.cells, nothing.accuracy, nothing.brier, nothing.ece) == (0, None, None, None)


def test_a_cell_on_the_threshold_is_parasitized_as_in_serving() -> None:
    found = metrics(np.array([1, 0], np.uint8), np.array([0.5, 0.5]), np.array(["a", "b"]), 0.5, bootstrap=0)
    assert found.confusion == {"tp": 1, "fp": 1, "tn": 0, "fn": 0}


def test_calibration_error() -> None:
    labels = np.array([1] * 8 + [0] * 2, np.uint8)
    who = np.array(["a"] * 10)
    assert metrics(labels, np.full(10, 0.8), who, 0.5, bootstrap=0).ece == pytest.approx(0.0)
    assert metrics(labels, np.full(10, 1.0), who, 0.5, bootstrap=0).ece == pytest.approx(0.2)


def test_intervals_are_those_of_resampled_patients() -> None:
    labels, p, patients = cells(3000, 12)
    found = metrics(labels, p, patients, 0.5, bootstrap=4000)
    rng = np.random.default_rng(9)
    names = np.unique(patients)
    right = (p >= 0.5) == labels
    by_name = {name: right[patients == name] for name in names}
    slow = [np.concatenate([by_name[k] for k in rng.choice(names, len(names))]).mean() for _ in range(4000)]
    assert found.intervals["accuracy"] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.01)
    alone = metrics(labels, p, np.arange(3000).astype(str), 0.5).intervals["accuracy"]
    wide = found.intervals["accuracy"]
    assert wide[1] - wide[0] > 2 * (alone[1] - alone[0]), "cells of one patient are no independent witnesses"


def test_no_error_seen_is_not_no_error_possible() -> None:
    labels = np.array([1, 0] * 10, np.uint8)
    who = np.repeat([f"P{i}" for i in range(10)], 2)
    found = metrics(labels, labels.astype(float), who, 0.5)
    assert found.sensitivity == 1.0
    assert found.intervals["sensitivity"] == pytest.approx((0.025**0.1, 1.0))


def test_no_interval_is_without_width() -> None:
    labels = np.array([1, 0] * 10, np.uint8)
    who = np.repeat([f"P{i}" for i in range(10)], 2)
    perfect = metrics(labels, labels.astype(float), who, 0.5)
    room = pytest.approx((0.025**0.1, 1.0))
    shares = ("accuracy", "sensitivity", "specificity", "precision")
    ranked = ("sensitivity_at_specificity_98", "specificity_at_sensitivity_90")
    assert {name: perfect.intervals[name] for name in (*shares, *ranked)} == dict.fromkeys(
        (*shares, *ranked), room
    )
    assert (perfect.auc, perfect.pr_auc, perfect.f1, perfect.mcc, perfect.brier) == (1.0, 1.0, 1.0, 1.0, 0.0)
    assert set(perfect.intervals) == {*shares, *ranked}, "nothing else can be off by as little as nothing"
    cautious = np.where(labels == 1, 0.9, 0.1)
    cautious[0], cautious[1] = 0.4, 0.3
    found = metrics(labels, cautious, who, 0.5)
    assert found.intervals["precision"] == pytest.approx((0.025 ** (1 / 9), 1.0)), "of those called infected"
    assert found.intervals["sensitivity"][0] < 0.9
    wrong = metrics(labels, 1.0 - labels, who, 0.5)
    assert wrong.intervals["precision"] == pytest.approx((0.0, 1 - 0.025**0.1))


def test_few_cells_of_a_class_say_nothing_of_a_ranking() -> None:
    labels = np.array([1] * 4 + [0] * 30, np.uint8)
    p = np.r_[0.9, 0.8, 0.7, 0.2, np.linspace(0.05, 0.75, 30)]
    few = metrics(labels, p, np.arange(34).astype(str), 0.5)
    assert few.auc is not None
    assert not set(ranking.FIGURES) & set(few.intervals)
    assert {"accuracy", "precision"} <= set(few.intervals)
    more = metrics(np.r_[labels, 1].astype(np.uint8), np.r_[p, 0.6], np.arange(35).astype(str), 0.5)
    low, high = more.intervals["auc"]
    assert low < (more.auc or 0) <= high


def test_one_patient_says_nothing_of_others() -> None:
    labels, p, _ = cells(200, 3)
    found = metrics(labels, p, np.full(200, "P1"), 0.5)
    assert 0 < (found.accuracy or 0) < 1
    assert found.intervals == {}
    right = metrics(labels, labels.astype(float), np.full(200, "P1"), 0.5)
    assert right.intervals["accuracy"] == pytest.approx((0.025, 1.0))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_weighted_rankings_are_those_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    labels, ranks, weights = (np.array(column) for column in zip(*rows, strict=True))
    if not (weights[labels == 1].sum() and weights[labels == 0].sum()):
        return
    steps = ranking.order(labels, ranks.astype(float)).steps(weights.astype(float))
    assert ranking.area(steps) == pytest.approx(roc_auc_score(labels, ranks, sample_weight=weights))
    expected = average_precision_score(labels, ranks, sample_weight=weights)
    assert ranking.average_precision(steps) == pytest.approx(expected)


def test_one_rate_at_the_other() -> None:
    labels = np.array([0] * 10 + [1] * 10, np.uint8)
    scores = np.r_[np.linspace(0, 0.45, 10), np.linspace(0.4, 0.85, 10)]  # 0.40 and 0.45 stand in both
    steps = ranking.order(labels, scores).steps(np.ones(20))
    assert ranking.sensitivity_at_specificity(steps, 1.0) == pytest.approx(0.8)
    assert ranking.sensitivity_at_specificity(steps, 0.9) == pytest.approx(0.9)
    assert ranking.specificity_at_sensitivity(steps, 0.8) == pytest.approx(1.0)
    assert ranking.specificity_at_sensitivity(steps, 1.0) == pytest.approx(0.8)


def test_spread_is_over_patients_with_cells_enough() -> None:
    def patient(name: str, right: int, wrong: int, label: int) -> list[tuple[str, int, float]]:
        far, near = (0.9, 0.1) if label else (0.1, 0.9)
        return [(name, label, far)] * right + [(name, label, near)] * wrong

    rows = [
        *patient("a", 19, 1, 0),
        *patient("b", 15, 5, 0),
        *patient("c", 20, 0, 0),
        *patient("few", 0, 9, 0),
        *patient("a", 8, 2, 1),
    ]
    who, labels, p = (np.array(column) for column in zip(*rows, strict=True))
    found = metrics(labels.astype(np.uint8), p, who, 0.5, bootstrap=0).spread
    assert found == {"false_positive_rate": Spread(3, 0.05, 0.25), "sensitivity": Spread(1, 0.8, 0.8)}


def test_every_figure_has_an_interval_around_it() -> None:
    labels, p, patients = cells(2000, 25)
    found = metrics(labels, p, patients, 0.5, bootstrap=300)
    figures = (
        "accuracy",
        "sensitivity",
        "specificity",
        "precision",
        "f1",
        "mcc",
        "brier",
        "ece",
        *ranking.FIGURES,
    )
    assert set(found.intervals) == set(figures)
    for name in set(figures) - {"ece"}:  # resampled bins err more, so calibration error is biased upwards
        low, high = found.intervals[name]
        assert low <= getattr(found, name) <= high, name
        assert high > low


def test_the_same_groups_are_drawn_whatever_the_scores() -> None:
    labels, p, patients = cells(300, 8)

    def area(steps: ranking.Steps) -> list[float]:
        return [ranking.area(steps)]

    first = drawn_rankings(labels, patients, p, area, 20, 3)
    assert (first == drawn_rankings(labels, patients, p**3, area, 20, 3)).all()
    assert (first[:, 0] == drawn_auc(labels, patients, p, 20, 3)).all()


def test_every_draw_holds_every_class_and_as_many_groups() -> None:
    labels = np.array([1, 0, 0, 0, 1], np.uint8)
    groups = np.array(["sick", "sick", "well", "other", "only"])
    sums = drawn_sums(labels, groups, np.stack([labels == 1, labels == 0], axis=1).astype(float), 500, 1)
    assert (sums > 0).all()
    assert drawn_auc(labels, groups, np.array([0.9, 0.1, 0.2, 0.3, 0.8]), 50, 1) == pytest.approx(np.ones(50))


def test_a_thousand_draws_over_all_base_cells_are_quick() -> None:
    labels, p, patients = cells(22_000, 160)
    began = time.process_time()
    metrics(labels, p, patients, 0.5)
    assert time.process_time() - began < 2.0


def test_agreement_is_metrics_without_the_ranking() -> None:
    labels, p, patients = cells(200, 12, 5)
    whole = metrics(labels, p, patients, 0.4)
    found = agreement(labels, p, p >= 0.4, patients)
    assert set(found.values) & set(ranking.FIGURES) == set()
    assert found.values == {name: getattr(whole, name) for name in found.values}
    assert found.intervals == {name: whole.intervals[name] for name in found.intervals}
    assert {"sensitivity", "specificity", "accuracy", "brier", "ece"} <= set(found.intervals)


def test_agreement_counts_what_was_called_whatever_the_probability() -> None:
    labels, p, patients = cells(200, 12, 6)
    found = agreement(labels, p, labels == 1, patients, bootstrap=0)
    assert (found.values["sensitivity"], found.values["specificity"]) == (1.0, 1.0)
    assert found.values["brier"] == metrics(labels, p, patients, 0.5, bootstrap=0).brier
    assert found.intervals == {}
