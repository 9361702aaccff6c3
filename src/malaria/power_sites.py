"""The power study at a site: what a laboratory's own gate cells can say of a challenger of known truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from malaria.criteria import GateSettings, size_rule
from malaria.domain import Progress, Verdict
from malaria.head import sigmoid
from malaria.ports import Report
from malaria.power import EVEN, RELATED, Case, Population, Truth, challenger, gate_set, some_cells
from malaria.ruling import site_rules, verdict_of


@dataclass(frozen=True)
class Site:
    """A laboratory's gate cells: of so many patients, at most so many of each class of each. truth: of the
    challenger there."""

    patients: int
    cells: int
    truth: Truth


@dataclass(frozen=True)
class TriedSite:
    """Verdicts by what a site alone can say, of m draws. cells: how many there were in the mean."""

    site: Site
    cells: float
    verdicts: Sequence[Verdict]


SITES = tuple(
    Site(patients, cells, truth)
    for patients, cells in ((2, 5), (5, 5), (5, 10), (10, 10), (20, 10), (20, 20), (2, 60), (3, 40))
    for truth in (Truth(-0.05, 0.0), Truth(0.0, 0.0), Truth(0.05, 0.0), Truth(0.05, -0.05))
)
"""Gate cells of laboratories, and how a challenger does there. The last have many cells of few patients.
Each has draws by its place: new ones come last, so that the figures of the others stay."""


MISSED = 0.1
"""Share of the parasitized cells that the champion misses at a laboratory."""


def simulate(
    of: Population, count: int, settings: GateSettings, seed: int, report: Report
) -> list[TriedSite]:
    """Put a challenger before each of SITES, so many times."""
    found = []
    for number, site in enumerate(SITES):
        told = f"{site.patients} patients of a laboratory"
        report(Progress("sites", percent=100.0 * number / len(SITES), message=told))
        found.append(at_site(of, site, MISSED, count, settings, seed + number))
    return found


def at_site(
    of: Population, site: Site, missed: float, count: int, settings: GateSettings, seed: int
) -> TriedSite:
    """Put a challenger before the rules of the site, so many times. On base nothing changes.

    The laboratory's cells are those of the population, under a stain that moves the operating point: the
    champion misses the share `missed` of the parasitized ones. The challenger is of the way RELATED.
    """
    sick = np.sort(of.champion[of.labels == 1])
    faint = replace(of, champion=of.champion - float(sick[round(missed * len(sick))]))
    answers = challenger(faint, Case(RELATED, site.truth), seed)
    rng, infected = np.random.default_rng(seed), faint.members[0]
    unchanged = gate_set(of, [*of.members[0], *of.members[1]], *[sigmoid(of.champion)] * 2)
    verdicts, cells = list[Verdict](), 0
    for _ in range(count):
        taken = [
            some_cells(faint, infected[i], site.cells, rng)
            for i in rng.integers(len(infected), size=site.patients)
        ]
        drawn = gate_set(faint, taken, sigmoid(faint.champion), sigmoid(answers))
        size = size_rule(drawn, settings)
        asked = site_rules(unchanged, drawn, EVEN, settings) if size.passed else []
        verdicts.append(verdict_of([rule.passed for rule in (size, *asked)]))
        cells += len(drawn)
    return TriedSite(site, cells / count, verdicts)
