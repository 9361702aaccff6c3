"""The power study of many small steps: retraining after retraining, each truly a little worse than the last.

Challengers are of the way SCATTERED, made from whatever is served by then; one that is not accepted is
followed by another. The gate patients are the same all along, as they are in use, and the rules are those of
base patients: at the site each is taken to gain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from malaria.comparison import First
from malaria.criteria import GateSettings
from malaria.domain import Progress, Verdict
from malaria.head import sigmoid
from malaria.ports import Report
from malaria.power import EVEN, SCATTERED, Case, Population, Truth, challenger, gate_set, some_patients
from malaria.report import Table
from malaria.ruling import base_rules, first_rules, verdict_of

RETRAININGS = 20
STEPS = (Truth(0.0, 0.0), Truth(-0.003, 0.0), Truth(-0.005, 0.0), Truth(-0.01, 0.0), Truth(0.0, -0.005))
TAIL = 5
"""Percent of the chains that end worse than what is told as their worst."""


class Ended(NamedTuple):
    """Where a chain of retrainings came to. accepted: how many. sensitivity, specificity: how much what is
    served has truly gained since the first release, over the whole population."""

    accepted: int
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Chains:
    """m chains of one step, by a gate that asks against the champion alone, and by one that asks against the
    first release too."""

    step: Truth
    alone: Sequence[Ended]
    with_first: Sequence[Ended]


def simulate(of: Population, count: int, settings: GateSettings, seed: int, report: Report) -> list[Chains]:
    """So many chains of each step, by both gates on the same patients."""
    found = []
    for number, step in enumerate(STEPS):
        report(Progress("drift", percent=100.0 * number / len(STEPS), message=f"step {number + 1}"))
        seeds = [seed + 1000 * number + one for one in range(count)]
        alone, held = (
            [chain(of, step, settings, one, with_first=with_first) for one in seeds]
            for with_first in (False, True)
        )
        found.append(Chains(step, alone, held))
    return found


def chain(of: Population, step: Truth, settings: GateSettings, seed: int, *, with_first: bool) -> Ended:
    """RETRAININGS challengers in turn before one draw of gate patients."""
    rng = np.random.default_rng(seed)
    taken, accepted, served = some_patients(of, rng), 0, of.champion
    for _ in range(RETRAININGS):
        now = replace(of, champion=served)
        answers = challenger(now, Case(SCATTERED, step), int(rng.integers(2**31)))
        asked = base_rules(gate_set(now, taken, sigmoid(served), sigmoid(answers)), EVEN, settings)
        if with_first and accepted:
            cells = gate_set(of, taken, sigmoid(of.champion), sigmoid(answers))
            asked += first_rules(First("", cells, EVEN[0]), EVEN[1], settings)
        if verdict_of([rule.passed for rule in asked]) == Verdict.ACCEPTED:
            accepted, served = accepted + 1, answers
    gains = [
        float(of.is_right(served)[of.labels == label].mean() - of.right[of.labels == label].mean())
        for label in (1, 0)
    ]
    return Ended(accepted, gains[0], gains[1])


def told(found: Sequence[Chains]) -> list[dict[str, Any]]:
    """For report.json."""
    return [
        {
            "step": one.step._asdict(),
            "retrainings": RETRAININGS,
            "alone": [ended._asdict() for ended in one.alone],
            "with_first": [ended._asdict() for ended in one.with_first],
        }
        for one in found
    ]


def table(found: Sequence[Chains]) -> Table:
    """How far many small steps lead down."""
    rows = [
        (
            f"{100 * one.step.sensitivity:+.1f}",
            f"{100 * one.step.specificity:+.1f}",
            *(part for ended in (one.alone, one.with_first) for part in _ends(ended, one.step)),
        )
        for one in found
    ]
    asked = (
        f"{name}: {what}"
        for name in ("champion alone", "first release too")
        for what in ("accepted", f"in the end, mean (worst {TAIL}%)")
    )
    columns = ("sensitivity, each", "specificity, each", *asked)
    return Table(
        "Many small steps",
        columns,
        rows,
        f"{RETRAININGS} retrainings in a row, each challenger {SCATTERED} and truly so many points better "
        f"than what is served; {len(found[0].alone)} chains of each. Accepted: how many of them, "
        "in the mean. In the end: "
        "by how many points what is served has truly gained since the first release, in the figure that the "
        "steps change, else in sensitivity.",
    )


def _ends(ended: Sequence[Ended], step: Truth) -> tuple[str, str]:
    gains = [100 * (one.specificity if step.specificity else one.sensitivity) for one in ended]
    mean, worst = float(np.mean(gains)), float(np.percentile(gains, TAIL))
    return f"{np.mean([one.accepted for one in ended]):.1f}", f"{mean:+.1f} ({worst:+.1f})"
