"""Figures of a cross-validation come from its answers, suspects apart, the leaky split named so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from malaria import fold_figures, suspects
from malaria.out_of_fold import OutOfFold
from malaria.report import Table


def answered(seed: int, sure: float) -> OutOfFold:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 600).astype(np.uint8)
    patients = rng.integers(0, 30, 600)
    return OutOfFold(
        np.array([f"cell_{i}" for i in range(600)]),
        np.array([f"C{p}" for p in patients]),
        labels,
        (patients % 3 + 1).astype(np.uint8),
        1 / (1 + np.exp(-rng.normal(np.where(labels == 1, sure, -sure), 1.5))),
    )


APART, MIXED = answered(1, 2.0), answered(2, 4.0)
LISTED = frozenset(suspects.key(int(APART.labels[i]), f"cell_{i}") for i in range(50))


def text(tables: list[Table]) -> str:
    return json.dumps([[t.title, list(t.columns), [list(row) for row in t.rows], t.note] for t in tables])


def test_every_figure_is_told_three_times_and_by_fold() -> None:
    found = fold_figures.figures(APART, None, LISTED, 7)
    every, rest, listed = (found.kept_apart[name] for name in ("all", "not_listed", "listed"))
    assert every is not None
    assert rest is not None
    assert listed is not None
    assert (every.cells, rest.cells, listed.cells) == (600, 550, 50)
    right = (APART.probabilities >= 0.5) == (APART.labels == 1)
    assert every.accuracy == pytest.approx(right.mean())
    assert listed.accuracy == pytest.approx(right[:50].mean())
    assert {"accuracy", "auc", "pr_auc", "brier", "ece", "mcc"} <= set(every.intervals)
    assert [of.cells for of in found.by_fold] == [int((APART.folds == n).sum()) for n in (1, 2, 3)]
    assert fold_figures.told(found)["mixed_cells"] is None
    assert "LEAKY" not in text(fold_figures.tables(found))


def test_the_leaky_split_stands_beside_and_is_named_so() -> None:
    found = fold_figures.figures(APART, MIXED, None, 7)
    told = fold_figures.told(found)
    assert set(told["kept_apart"]) == {"all"}, "without a list there is nothing to leave out"
    assert told["mixed_cells"]["leaky"] is True
    assert told["mixed_cells"]["all"]["accuracy"] > told["kept_apart"]["all"]["accuracy"]
    json.dumps(told)
    beside = fold_figures.tables(found)[1]
    assert beside.columns == ["figure", "patients kept apart", "LEAKY: patients mixed"]


def test_one_network_is_compared_with_one_network() -> None:
    """Answers of networks that are not equally sure rank worse together than each by itself."""
    sure = 1 / (
        1
        + np.exp(-np.where(APART.folds == 1, 3, 0) - np.log(APART.probabilities / (1 - APART.probabilities)))
    )
    found = fold_figures.figures(replace(APART, probabilities=sure), MIXED, None, 7)
    table = fold_figures.tables(found)[-1]
    *folds, mean, leaky = [list(row) for row in table.rows]
    assert (len(folds), mean[0], leaky[0]) == (3, "mean", "LEAKY: patients mixed")
    auc = list(table.columns).index("ROC AUC")
    by_fold = float(np.mean([of.auc for of in found.by_fold if of.auc is not None]))
    assert mean[auc] == pytest.approx(by_fold)
    pooled = found.kept_apart["all"]
    assert pooled is not None
    assert pooled.auc is not None
    assert by_fold > pooled.auc + 0.005
    assert list(table.columns)[-2] == "sensitivity at specificity 0.98"


def test_a_list_that_names_none_of_the_cells_leaves_a_column_out() -> None:
    found = fold_figures.figures(APART, None, frozenset(), 7)
    assert found.kept_apart["listed"] is None
    assert "not listed as suspect" in text(fold_figures.tables(found))
