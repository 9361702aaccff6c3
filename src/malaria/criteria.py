"""The rules of the gate, one function each: what was seen, whether it passes, and a sentence for a person."""

from dataclasses import dataclass

from malaria.comparison import Bootstrap, GateSet, Seen, Thresholds, champion_auc, changed, difference, gain
from malaria.refitting import Stays

LABELS, SIZE, SITE, GAIN = "labels", "site size", "site balanced accuracy", "gain"
LEARNING = "learning"
BASE = {1: "base sensitivity", 0: "base specificity"}
BOTH = (0, 1)


@dataclass(frozen=True, slots=True)
class GateSettings(Bootstrap):
    """base_margin: most that base sensitivity or specificity may fall. site_margin: the fall of site balanced
    accuracy that must be ruled out. min_site_*: with less, the site is too small to decide on; groups are
    patients, else fields. min_base_groups: patients with cells of each class."""

    base_margin: float = 0.01
    site_margin: float = 0.05
    min_site_cells: int = 20
    min_site_per_class: int = 5
    min_site_groups: int = 2
    min_base_groups: int = 5


DEFAULTS = GateSettings()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule. value: what was seen, a figure or a difference; low, high: its one-sided bounds; bound: what
    it is held against. passed: None where it cannot be decided. text: a sentence for a person."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    bound: float
    passed: bool | None
    text: str


def labels_rule(site: GateSet, settings: GateSettings) -> Criterion:
    """Do the site's labels agree with the served model's ranking? Asked where both classes are there."""
    auc = champion_auc(site, settings)
    if auc.high < 0.5:
        text = (
            "The labels look swapped: the served model ranks the site's cells the wrong way round "
            f"(AUC {auc.value:.2f}, at most {auc.high:.2f}; chance is 0.50). Look at ten pictures of each "
            "folder: those under Parasitized/ must show parasites, purple rings or dots inside the cell."
        )
        return _criterion(LABELS, auc, 0.5, False, text)
    text = f"The labels do not contradict the served model (AUC on the site's cells {auc.value:.2f})."
    return _criterion(LABELS, auc, 0.5, True, text)


def base_rule(base: GateSet, label: int, at: Thresholds, settings: GateSettings) -> Criterion:
    """May the challenger's recall of one class on base patients count as no worse?"""
    name, margin = BASE[label], settings.base_margin
    title, most = name.capitalize(), f"{100 * margin:.1f}"
    groups = base.groups(label)
    if groups < settings.min_base_groups:
        text = (
            f"{title} cannot be compared: {groups} base gate patients have "
            f"{'parasitized' if label else 'uninfected'} cells and {settings.min_base_groups} are needed."
        )
        return Criterion(name, None, None, None, -margin, None, text)
    seen = difference(base, at, (label,), settings)
    told = f"{title} {points(seen.value)} points, at least {points(seen.low)}"
    if seen.low >= -margin:
        return _criterion(name, seen, -margin, True, f"{told} (it may fall by {most}).")
    if seen.value < -margin:
        text = f"{title} {points(seen.value)} points: it may fall by {most} on the base gate patients."
        return _criterion(name, seen, -margin, False, text)
    text = f"{told}: a fall of more than {most} cannot be ruled out on {seen.groups} base gate patients."
    return _criterion(name, seen, -margin, None, text)


def learning_rule(stays: Stays, learnt: tuple[int, int], fewest: int) -> Criterion:
    """Why nothing was learnt, so that there is nothing to decide on. learnt: how many uninfected and
    parasitized cells there were to learn from; fewest: how many of each are needed."""
    texts = {
        Stays.FEW: f"Too few cells to learn from: {learnt[1]:,} parasitized and {learnt[0]:,} uninfected, of "
        f"at least {fewest} each.",
        Stays.BASE: "Nothing is learnt: however little the new cells counted, base patients or earlier "
        "laboratories would have lost too much.",
        Stays.SITE: "Nothing is learnt: heads that were fitted to a part of the new cells did not answer the "
        "others better than the served one does.",
    }
    seen = float(min(learnt)) if stays == Stays.FEW else None
    return Criterion(LEARNING, seen, None, None, float(fewest), None, texts[stays])


def size_rule(site: GateSet, settings: GateSettings) -> Criterion:
    """Are there enough gate cells of the site to compare on?"""
    have = len(site)
    short = [
        f"{count} {what} of at least {least}"
        for what, (count, least) in site_sizes(site, settings).items()
        if count < least
    ]
    if short:
        text = f"Too few of the site's cells are kept apart to compare on: {', '.join(short)}."
        return Criterion(SIZE, have, None, None, settings.min_site_cells, None, text)
    text = f"{have:,} of the site's cells are kept apart to compare on."
    return Criterion(SIZE, have, None, None, settings.min_site_cells, True, text)


def site_sizes(site: GateSet, settings: GateSettings) -> dict[str, tuple[int, int]]:
    """What a site must bring to its gate: how much is there, and the least."""
    return {
        "cells": (len(site), settings.min_site_cells),
        "parasitized": (site.cells(1), settings.min_site_per_class),
        "uninfected": (site.cells(0), settings.min_site_per_class),
        "patients or fields": (site.groups(), settings.min_site_groups),
    }


def site_rule(site: GateSet, at: Thresholds, settings: GateSettings) -> Criterion:
    """Is balanced accuracy at the site better or no worse? Asked where the site is large enough."""
    seen, margin = difference(site, at, BOTH, settings), settings.site_margin
    told = f"Balanced accuracy at the site {points(seen.value)} points, at least {points(seen.low)}"
    basis = f"({len(site):,} cells of {seen.groups:,} patients or fields)"
    if seen.high < 0:
        worst = f"{points(seen.value)} points, at most {points(seen.high)}"
        text = f"Worse at the site: balanced accuracy {worst} {basis}."
        return _criterion(SITE, seen, -margin, False, text)
    if seen.value < 0:
        text = f"{told}, at most {points(seen.high)} {basis}: whether it is worse there cannot be told."
        return _criterion(SITE, seen, -margin, None, text)
    if seen.low < -margin:
        text = f"{told} {basis}: a fall of more than {100 * margin:.1f} cannot be ruled out."
        return _criterion(SITE, seen, -margin, None, text)
    return _criterion(SITE, seen, -margin, True, f"{told} {basis}.")


def gain_rule(base: GateSet, site: GateSet, at: Thresholds) -> Criterion:
    """Does the challenger gain anything at all? Asked where the site is no worse."""
    best = max(gain(s, at, BOTH) for s in (site, base) if min(s.cells(0), s.cells(1)))
    if best > 0:
        return Criterion(GAIN, best, None, None, 0.0, True, "The challenger gains something.")
    moved = [changed(s, at) for s in (site, base)]
    if any(m["gained"] or m["lost"] for m in moved):
        text = "The challenger is no better, neither at the site nor on the base gate patients."
    else:
        text = f"Nothing changes: both models answer all {sum(m['cells'] for m in moved):,} gate cells alike."
    return Criterion(GAIN, best, None, None, 0.0, None, f"{text} The served model stays.")


def _criterion(name: str, seen: Seen, bound: float, passed: bool | None, text: str) -> Criterion:
    return Criterion(name, seen.value, seen.low, seen.high, bound, passed, text)


def points(difference: float) -> str:
    """A difference of rates in percentage points: +6.4, -0.3, 0.0."""
    rounded = round(100 * difference, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"
