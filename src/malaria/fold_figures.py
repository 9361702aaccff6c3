"""Figures of a cross-validation, all of them computed from its out-of-fold answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from malaria import codec, evaluation_tables, report, suspects
from malaria.metrics import Metrics, metrics
from malaria.out_of_fold import OutOfFold
from malaria.report import Table

THRESHOLD = 0.5
"""Answers are calibrated on patients of the fold, so no other operating point is chosen."""
SETS = {"all": "all cells", **evaluation_tables.SETS}
BY_FOLD = ("accuracy", "sensitivity", "specificity", "mcc", "auc", "sensitivity_at_specificity_98", "ece")

Sets = Mapping[str, Metrics | None]
"""Figures by "all", "not_listed" and "listed"; None where there is no such cell, or no list."""


@dataclass(frozen=True)
class FoldFigures:
    """kept_apart: of all held-out cells together. by_fold: of each fold, without intervals. mixed: of the
    split that mixes patients: it flatters, and is there to show by how much; None where it was not trained.
    """

    kept_apart: Sets
    by_fold: Sequence[Metrics]
    mixed: Sets | None


def figures(
    kept_apart: OutOfFold, mixed: OutOfFold | None, listed: frozenset[suspects.Key] | None, seed: int
) -> FoldFigures:
    """All figures. listed: cells whose label is doubted, or None. seed: of the intervals."""
    folds = [kept_apart.of(kept_apart.folds == number) for number in np.unique(kept_apart.folds)]
    return FoldFigures(
        _sets(kept_apart, listed, seed),
        [_of(fold, seed, bootstrap=0) for fold in folds],
        _sets(mixed, listed, seed) if mixed is not None else None,
    )


def _sets(told: OutOfFold, listed: frozenset[suspects.Key] | None, seed: int) -> Sets:
    every = {"all": _of(told, seed)}
    if listed is None:
        return every
    doubted = suspects.listed(told.labels, told.cells.tolist(), listed)
    parts = {"not_listed": told.of(~doubted), "listed": told.of(doubted)}
    return {**every, **{name: _of(part, seed) if len(part) else None for name, part in parts.items()}}


def _of(told: OutOfFold, seed: int, bootstrap: int = 1000) -> Metrics:
    return metrics(told.labels, told.probabilities, told.patients, THRESHOLD, bootstrap=bootstrap, seed=seed)


def told(found: FoldFigures) -> dict[str, Any]:
    """The figures for report.json."""
    return {
        "kept_apart": _json(found.kept_apart),
        "by_fold": [codec.to_json(of) for of in found.by_fold],
        "mixed_cells": None if found.mixed is None else {"leaky": True, **_json(found.mixed)},
    }


def _json(sets: Sets) -> dict[str, Any]:
    return {name: None if of is None else codec.to_json(of) for name, of in sets.items()}


def tables(found: FoldFigures) -> list[Table]:
    """Kept apart first; the leaky split beside it, and named so."""
    made = [
        report.figures_table(
            "Patients kept apart",
            _named(found.kept_apart),
            "Every cell was answered once, by the network of the fold that held its patient out.",
        )
    ]
    if found.mixed is not None:
        made.append(_beside(found.kept_apart["all"], found.mixed["all"]))
        if len(found.mixed) > 1:
            made.append(report.figures_table("LEAKY: patients mixed", _named(found.mixed)))
    made.append(_folds(found.by_fold, found.mixed["all"] if found.mixed is not None else None))
    return made


def _named(sets: Sets) -> dict[str, Metrics | None]:
    return {SETS[name]: of for name, of in sets.items()}


def _beside(apart: Metrics | None, mixed: Metrics | None) -> Table:
    return report.figures_table(
        "What mixing patients hides",
        {"patients kept apart": apart, "LEAKY: patients mixed": mixed},
        "The leaky column is one split by cells, with the same network, recipe and sizes: patients stand on "
        "both sides of it. Its figures do not hold for new patients. On the left the answers of several "
        "networks are ranked together, on the right those of one: ROC AUC and figures at another threshold "
        "are to be compared by fold.",
    )


def _folds(by_fold: Sequence[Metrics], mixed: Metrics | None) -> Table:
    """Each network by itself, their mean, and beside them the network of the leaky split."""
    rows = [_row(number, of) for number, of in enumerate(by_fold, 1)]
    means = (_mean([getattr(of, name) for of in by_fold]) for name in BY_FOLD)
    rows.append(["mean", None, None, *means])
    if mixed is not None:
        rows.append(_row("LEAKY: patients mixed", mixed))
    columns = ("fold", "cells", "patients", *(report.FIGURES[name] for name in BY_FOLD))
    return Table("By fold", columns, rows)


def _row(name: object, of: Metrics) -> list[object]:
    return [name, f"{of.cells:,}", of.patients, *(getattr(of, figure) for figure in BY_FOLD)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def curves(told: OutOfFold) -> report.Answers:
    """What the pictures are drawn of."""
    return report.Answers(told.labels, told.probabilities, told.patients, THRESHOLD)
