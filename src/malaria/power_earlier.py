"""The power study of earlier uploads: how often the rules that ask each of them stop an equal challenger, and
how often one that is worse on one of them.

The champion has learnt from them and the challenger is to be no worse, so both answer there as on base
patients: an earlier upload is some patients of the population, with some of their cells. Where the challenger
is worse, it is so on the first of them alone.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from malaria.comparison import GateSet
from malaria.criteria import GateSettings
from malaria.domain import Progress, Verdict
from malaria.head import Floats, sigmoid
from malaria.ports import Report
from malaria.power import (
    DISTANT,
    EVEN,
    RELATED,
    Case,
    Population,
    Rows,
    Truth,
    challenger,
    some_cells,
    some_patients,
)
from malaria.power_tables import rate
from malaria.report import Table
from malaria.ruling import base_rules, earlier_rules, verdict_of

EQUAL = Truth(0.0, 0.0)
WORSE = (Truth(-0.05, 0.0), Truth(-0.15, 0.0), Truth(0.0, -0.05), Truth(0.0, -0.15))


class Earlier(NamedTuple):
    """Earlier uploads. uploads: how many. patients: of the gate cells of each. cells: of each class of each
    of these, at most."""

    uploads: int
    patients: int
    cells: int


SIZES = ((2, 5), (2, 10), (4, 10), (10, 20))
"""Patients and cells of each class: some 20, 40 and 80 gate cells, as of uploads of 100 to 400 cells; and of
ten patients enough of a class that a fall there must be ruled out."""
EARLIER = tuple(Earlier(uploads, *size) for size in SIZES for uploads in (1, 3, 10))


@dataclass(frozen=True)
class TriedEarlier:
    """Verdicts of m draws: by the rules of earlier uploads, and by those of base patients, among whom their
    cells count. truth: of the challenger on the first upload; elsewhere it is equal. cells: how many an
    upload had in the mean."""

    earlier: Earlier
    way: str
    truth: Truth
    cells: float
    verdicts: Sequence[Verdict]
    base: Sequence[Verdict]


def simulate(
    of: Population, count: int, settings: GateSettings, seed: int, report: Report
) -> list[TriedEarlier]:
    """Put equal challengers of two ways, and worse ones, before the rules, so many times each."""
    kinds = [(RELATED, EQUAL), (DISTANT, EQUAL), *((RELATED, truth) for truth in WORSE)]
    asked, found = list(itertools.product(EARLIER, kinds)), []
    for number, (earlier, (way, truth)) in enumerate(asked):
        told = f"{earlier.uploads} earlier uploads, {way}"
        report(Progress("earlier", percent=100.0 * number / len(asked), message=told))
        found.append(tried(of, earlier, way, truth, count, settings, seed + 10_000 * number))
    return found


def tried(
    of: Population, earlier: Earlier, way: str, truth: Truth, count: int, settings: GateSettings, seed: int
) -> TriedEarlier:
    """Put a challenger before the rules, so many times, each with patients and uploads drawn anew; one of the
    way DISTANT is dealt anew each time too, for at few patients some deals are far luckier than others."""
    rng, verdicts, base, cells = np.random.default_rng(seed + 1), list[Verdict](), list[Verdict](), 0
    answers = _answers(of, way, truth, seed)
    for number in range(count):
        if way == DISTANT:
            answers = _answers(of, way, truth, seed + number)
        drawn = draw(of, earlier, answers, rng)
        asked = earlier_rules(drawn, EVEN, settings), base_rules(drawn, EVEN, settings)
        for kept, rules in zip((verdicts, base), asked, strict=True):
            kept.append(verdict_of([rule.passed for rule in rules]))
        cells += sum(len(one) for one in drawn.by_upload().values())
    return TriedEarlier(earlier, way, truth, cells / count / earlier.uploads, verdicts, base)


def _answers(of: Population, way: str, truth: Truth, seed: int) -> tuple[Floats, Floats]:
    return challenger(of, Case(way, EQUAL), seed), challenger(of, Case(way, truth), seed)


def draw(
    of: Population, earlier: Earlier, answers: tuple[Floats, Floats], rng: np.random.Generator
) -> GateSet:
    """Base gate patients, and with them gate cells of earlier uploads, under their tags. answers: logits of
    the challenger, (n,), and those on the first upload."""
    base, infected = some_patients(of, rng), of.members[0]
    taken, uploads = [*base], [""] * len(base)
    for number in range(earlier.uploads):
        who = rng.integers(len(infected), size=earlier.patients)
        taken += [some_cells(of, infected[i], earlier.cells, rng) for i in who]
        uploads += [f"upload {number}"] * earlier.patients
    return _tagged(of, taken, uploads, answers)


def _tagged(
    of: Population, taken: Sequence[Rows], uploads: Sequence[str], answers: tuple[Floats, Floats]
) -> GateSet:
    rows, sizes = np.concatenate(taken), [len(one) for one in taken]
    tags = np.repeat(np.array(uploads), sizes)
    logits = np.where(tags == "upload 0", answers[1][rows], answers[0][rows])
    patients = np.repeat(np.array([f"P{number}" for number in range(len(taken))]), sizes)
    scores = sigmoid(of.champion[rows]), sigmoid(logits)
    return GateSet(of.labels[rows], patients, *scores, uploads=tags)


def told(found: Sequence[TriedEarlier]) -> list[dict[str, Any]]:
    """For report.json."""
    return [
        {
            **one.earlier._asdict(),
            "way": one.way,
            "truth": one.truth._asdict(),
            "mean_cells": one.cells,
            "simulations": len(one.verdicts),
            **{
                name: {v.value: given.count(v) / len(given) for v in Verdict}
                for name, given in (("earlier", one.verdicts), ("base", one.base))
            },
        }
        for one in found
    ]


def table(found: Sequence[TriedEarlier], settings: GateSettings) -> Table:
    """What the rules of earlier uploads do."""
    rows = [
        (
            one.earlier.uploads,
            one.earlier.patients,
            f"{one.cells:.0f}",
            one.way,
            *(f"{100 * by:+.1f}" for by in one.truth),
            *(rate(one.verdicts.count(verdict), len(one.verdicts)) for verdict in Verdict),
            rate(one.base.count(Verdict.ACCEPTED), len(one.base)),
        )
        for one in found
    ]
    columns = (
        "earlier uploads",
        "patients of each",
        "cells of each, mean",
        "way",
        "sensitivity on one",
        "specificity on one",
        *(f"earlier: {name}" for name in ("no worse", "rejected", "undecidable")),
        "base: no worse",
    )
    return Table(
        "Where the champion has learnt from earlier uploads",
        columns,
        rows,
        "A challenger that is equal but on one of the uploads, where its true differences, in points, are "
        f"those told. Earlier: what the rules that ask each of them come to; of {settings.site_class_cells} "
        f"cells of a class a fall of {100 * settings.site_margin:.1f} points must be ruled out, of fewer, "
        f"and {settings.min_site_per_class} or more, such a fall must not be seen. Base: the base rules, "
        "asked of base patients and these cells together.",
    )
