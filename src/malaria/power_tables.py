"""What the power study found, as tables and pictures: how often the gate is right, and what would help."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from malaria import codec, pictures
from malaria.criteria import GateSettings, within
from malaria.domain import Verdict
from malaria.gate_looks import looks_borne
from malaria.power import DISTANT, RELATED, SAME, WAYS, Case, Tried, Truth
from malaria.power_sites import TriedSite
from malaria.report import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGINS = tuple(round(0.005 + 0.001 * step, 4) for step in range(16))
WORSE, MOST = 0.015, 0.05
"""A challenger so much worse in one figure is to be accepted at most so often."""
EQUAL = Truth(0.0, 0.0)
HARMFUL = (Truth(-WORSE, 0.0), Truth(0.0, -WORSE))
ANY = 1.0
"""A margin that every calibration meets: what the rules of sensitivity and specificity do alone."""
RED = "#a33b3b"


def tables(found: Sequence[Tried], sites: Sequence[TriedSite], settings: GateSettings) -> list[Table]:
    """The tables of the report, for the bounds in use."""
    return [
        by_margin(found, settings),
        by_truth(found, settings),
        by_patients(found, settings),
        by_looks(found, settings),
        by_calibration(found, settings),
        by_site(sites, settings),
    ]


def told(found: Sequence[Tried], sites: Sequence[TriedSite], settings: GateSettings) -> dict[str, Any]:
    """Every case with its rates by margin, for report.json."""
    return {
        "settings": codec.to_json(settings),
        "cases": [
            {
                **codec.to_json(of.case),
                "truth": of.case.truth._asdict(),
                "ece": of.ece,
                "simulations": len(of.calibration),
                **{v.value: {str(m): _share(of, v, _at(settings, m)) for m in MARGINS} for v in Verdict},
            }
            for of in found
        ],
        "sites": [
            {
                **codec.to_json(of.site),
                "truth": of.site.truth._asdict(),
                "mean_cells": of.cells,
                "simulations": len(of.verdicts),
                **{v.value: of.verdicts.count(v) / len(of.verdicts) for v in Verdict},
            }
            for of in sites
        ],
    }


def _at(settings: GateSettings, margin: float, *, calibration: bool = True) -> GateSettings:
    return replace(settings, base_margin=margin, ece_margin=settings.ece_margin if calibration else ANY)


def _share(of: Tried, verdict: Verdict, settings: GateSettings) -> float:
    count, draws = of.rate(verdict, settings)
    return count / draws


def rate(count: int, of: int) -> str:
    """`4.1% (3.0 to 5.5)`."""
    low, high = interval(count, of)
    return f"{100 * count / of:.1f}% ({100 * low:.1f} to {100 * high:.1f})"


def interval(count: int, of: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson, JASA 1927)."""
    from scipy.stats import binomtest

    found = binomtest(count, of).proportion_ci(0.95, "wilson")
    return float(found.low), float(found.high)


def _of(found: Sequence[Tried], truth: Truth, way: str, patients: int = 1) -> Tried:
    """The case of this truth, made in this way, with so many times the patients."""
    return next(one for one in found if one.case == Case(way, truth, patients))


def worst(found: Sequence[Tried], settings: GateSettings, patients: int = 1) -> tuple[int, int]:
    """Of the harmful cases the one that passes most often: how often, of how many draws."""
    those = [_of(found, truth, way, patients) for truth in HARMFUL for way in WAYS]
    rates = [one.rate(Verdict.ACCEPTED, settings) for one in those]
    return max(rates, key=lambda pair: pair[0] / pair[1])


def largest(found: Sequence[Tried], settings: GateSettings) -> float | None:
    """The margin by the rule: the largest that harmful challengers meet in at most the share MOST, as this
    is kindest to equal ones; None where none is."""
    at = {margin: worst(found, _at(settings, margin, calibration=False)) for margin in MARGINS}
    return max((margin for margin, (count, draws) in at.items() if count / draws <= MOST), default=None)


def by_margin(found: Sequence[Tried], settings: GateSettings) -> Table:
    """What a margin lets pass, by the rules of sensitivity and specificity alone."""
    rows = []
    for margin in MARGINS:
        at = _at(settings, margin, calibration=False)
        equal = [_of(found, EQUAL, way).rate(Verdict.ACCEPTED, at) for way in WAYS]
        name = f"{100 * margin:.1f}" + (" (in use)" if margin == settings.base_margin else "")
        rows.append((name, rate(*worst(found, at)), *(rate(*pair) for pair in equal)))
    worse, by_rule = f"{100 * WORSE:.1f}", largest(found, settings)
    return Table(
        "What a margin lets pass",
        ("margin, points", f"worse by {worse}, worst case", *(f"equal, {way}" for way in WAYS)),
        rows,
        "How often sensitivity and specificity count as no worse on base patients; the calibration is not "
        f"asked. The worst case: of challengers that are {worse} points worse in one of the two, each made "
        f"in three ways, the one that passes most often. It is to pass in at most {MOST:.0%}: the largest "
        f"margin that does so is {'none' if by_rule is None else f'{100 * by_rule:.1f}'}.",
    )


def by_truth(found: Sequence[Tried], settings: GateSettings) -> Table:
    """What becomes of each challenger by the bounds in use."""
    asked = [one for one in found if one.case.patients == 1 and one.case.way != SAME]
    return Table(
        "What becomes of a challenger whose truth is known",
        ("sensitivity", "specificity", "way", "no worse", "rejected", "undecidable", "no worse, and gains"),
        [(*_named(one.case.truth), one.case.way, *_counted(one, settings)) for one in asked],
        "True differences in points. No worse: every base rule is met, that of the calibration too; such a "
        "one is accepted where the site's rules are met as well. Gains: its balanced accuracy on base "
        "patients is seen to be better, as is asked where the site gains nothing and `accept_equal` is off.",
    )


def _named(truth: Truth) -> tuple[str, str]:
    return f"{100 * truth.sensitivity:+.1f}", f"{100 * truth.specificity:+.1f}"


def _counted(of: Tried, settings: GateSettings) -> tuple[str, ...]:
    """The share of each verdict, and of those that are accepted and seen to gain."""
    verdicts = of.verdicts(settings)
    seen = zip(of.sensitivity, of.specificity, verdicts, strict=True)
    gain = sum(a.value + b.value > 0 and verdict == Verdict.ACCEPTED for a, b, verdict in seen)
    return (*(rate(verdicts.count(v), len(verdicts)) for v in Verdict), rate(gain, len(verdicts)))


def by_patients(found: Sequence[Tried], settings: GateSettings) -> Table:
    """What more gate patients would buy."""

    def passing(truth: Truth, times: int, way: str, verdict: Verdict = Verdict.ACCEPTED) -> str:
        return rate(*_of(found, truth, way, times).rate(verdict, settings))

    rows = [
        (
            f"{times}x",
            rate(*worst(found, settings, times)),
            *(passing(EQUAL, times, way) for way in WAYS),
            *(passing(truth, times, RELATED, Verdict.UNDECIDABLE) for truth in HARMFUL),
            _narrowest(found, settings, times),
        )
        for times in sorted({one.case.patients for one in found})
    ]
    columns = (
        "gate patients",
        f"worse by {100 * WORSE:.1f}, worst case: no worse",
        *(f"equal, {way}: no worse" for way in WAYS),
        "sensitivity worse, related: undecidable",
        "specificity worse, related: undecidable",
        f"margin that 90% of equal, {DISTANT} ones meet",
    )
    note = "By the bounds in use, the calibration too; the margin in points, without it."
    return Table("What more gate patients would buy", columns, rows, note)


def by_looks(found: Sequence[Tried], settings: GateSettings) -> Table:
    """How often the same patients can be looked at."""
    rows = []
    for one in found:
        if one.case.truth == EQUAL and one.case.way != SAME:
            spread = max(float(np.std([s.value for s in of])) for of in (one.sensitivity, one.specificity))
            count = f"{looks_borne(spread, settings.base_margin):,}"
            rows.append((f"{one.case.patients}x", one.case.way, f"{100 * spread:.2f}", count))
    return Table(
        "How often the same gate patients can be looked at",
        ("gate patients", "equal challengers", "spread, points", "looks"),
        rows,
        "Spread: the standard deviation of what is seen of an equal challenger, in sensitivity or "
        "specificity, whichever is more. Looks: so many equal challengers until the best of them is expected "
        "to look better by the margin in use, at the least.",
    )


def _narrowest(found: Sequence[Tried], settings: GateSettings, times: int) -> str | None:
    """The smallest margin, in points, that nine of ten equal challengers meet that agree least."""
    equal = _of(found, EQUAL, DISTANT, times)
    each = {m: _share(equal, Verdict.ACCEPTED, _at(settings, m, calibration=False)) for m in MARGINS}
    enough = [margin for margin, share in each.items() if share >= 0.9]
    return f"{100 * enough[0]:.1f}" if enough else None


def by_calibration(found: Sequence[Tried], settings: GateSettings) -> Table:
    """What the rule of the calibration does, asked alone."""
    rows = []
    for one in found:
        if one.case.patients == 1 and one.case.truth == EQUAL:
            passed = [within(seen, settings.ece_margin) for seen in one.calibration]
            name = one.case.way if one.case.way != SAME else f"same, logits times {one.case.sharper:g}"
            counts = [rate(passed.count(of), len(passed)) for of in (True, False, None)]
            rows.append((name, f"{-one.ece:+.4f}", *counts))
    return Table(
        "The rule of the calibration",
        ("challenger", "true rise of ECE", "no worse", "rejected", "undecidable"),
        rows,
        f"A rise of {settings.ece_margin:.4f} is borne. Logits times so much: the champion's calls, "
        "over-sure above 1 and unsure below.",
    )


def by_site(found: Sequence[TriedSite], settings: GateSettings) -> Table:
    """What the gate cells of a site can say."""
    rows = [
        (
            one.site.patients,
            f"{one.cells:.0f}",
            *_named(one.site.truth),
            *(rate(one.verdicts.count(verdict), len(one.verdicts)) for verdict in Verdict),
        )
        for one in found
    ]
    return Table(
        "What a site's own gate cells can say",
        ("patients", "cells, mean", "sensitivity", "specificity", *(verdict.value for verdict in Verdict)),
        rows,
        "A laboratory whose stain moves the operating point, so that the champion misses a tenth of its "
        "parasitized cells; a challenger whose true differences there are those told, and that changes "
        f"nothing on base. A fall of {100 * settings.site_margin:.1f} points must be ruled out.",
    )


def draw(folder: Path, found: Sequence[Tried], settings: GateSettings) -> dict[Path, str]:
    """Write two pictures; their captions by file. Raises MissingPart where matplotlib is not installed."""
    return {
        pictures.save(folder / "margins.png", lambda axes: _margins(axes, found, settings)): (
            "How often a margin is met, by the rules of sensitivity and specificity alone"
        ),
        pictures.save(folder / "patients.png", lambda axes: _patients(axes, found, settings)): (
            "How often a related challenger counts as no worse, by its true difference in sensitivity"
        ),
    }


def _margins(axes: "Axes", found: Sequence[Tried], settings: GateSettings) -> None:
    at = [_at(settings, m, calibration=False) for m in MARGINS]
    points = [100 * m for m in MARGINS]
    for way, style in zip(WAYS, ("-", "--", "-."), strict=True):
        equal = _of(found, EQUAL, way)
        counts = [equal.rate(Verdict.ACCEPTED, one) for one in at]
        _line(axes, points, counts, f"equal, {way}", style, pictures.INK)
    name = f"{100 * WORSE:.1f} points worse, worst case"
    _line(axes, points, [worst(found, one) for one in at], name, "-", RED)
    axes.axhline(MOST, linestyle=":", color="grey", linewidth=1)
    axes.axvline(100 * settings.base_margin, linestyle=":", color="grey", linewidth=1)
    axes.set(xlabel="margin, points; in use: dotted", ylabel="share that meets it", ylim=(0, 1))
    axes.legend(fontsize=8)


def _patients(axes: "Axes", found: Sequence[Tried], settings: GateSettings) -> None:
    for times, style in zip(sorted({one.case.patients for one in found}), ("-", "--", "-."), strict=True):
        some = sorted(
            (one.case.truth.sensitivity, one.rate(Verdict.ACCEPTED, settings))
            for one in found
            if (one.case.way, one.case.patients, one.case.truth.specificity) == (RELATED, times, 0.0)
        )
        at, counts = [100 * by for by, _ in some], [count for _, count in some]
        _line(axes, at, counts, f"{times}x the patients", style, pictures.INK)
    axes.axhline(MOST, linestyle=":", color="grey", linewidth=1)
    axes.set(xlabel="true difference in sensitivity, points", ylabel="share that is no worse", ylim=(0, 1))
    axes.legend(fontsize=8)


def _line(
    axes: "Axes", at: Sequence[float], counts: Sequence[tuple[int, int]], name: str, style: str, colour: str
) -> None:
    ends = np.array([interval(*pair) for pair in counts])
    axes.fill_between(at, ends[:, 0], ends[:, 1], color=colour, alpha=0.15, linewidth=0)
    axes.plot(at, [c / n for c, n in counts], style, color=colour, label=name)
