"""The rules of the gate, one function each: what was seen, whether it passes, and a sentence for a person."""

from collections.abc import Mapping
from dataclasses import dataclass

from malaria.comparison import (
    Bootstrap,
    GateSet,
    Resampled,
    Seen,
    Thresholds,
    champion_auc,
    changed,
    doubted,
    gain,
)
from malaria.refitting import Stays

LABELS, DOUBTED, SIZE, SITE, GAIN = "labels", "doubted labels", "site size", "site balanced accuracy", "gain"
LEARNING, CALIBRATION, PARITY, FILE_SIZE = "learning", "base calibration", "parity", "file size"
BASE = {1: "base sensitivity", 0: "base specificity"}
FIRST = {label: f"{name} since the first release" for label, name in BASE.items()}
SITE_CLASSES = {1: "site sensitivity", 0: "site specificity"}
EARLIER = {1: "earlier sensitivity", 0: "earlier specificity"}
CLASSES = {1: "parasitized", 0: "uninfected"}
GROUPS = "patients or fields"
BOTH = (0, 1)


@dataclass(frozen=True, slots=True)
class GateSettings(Bootstrap):
    """Bounds of the gate; docs/change-control.md says where each comes from.

    base_margin: most that base sensitivity or specificity may fall. ece_margin: most that the calibration
    error of base cells may rise. site_margin: the fall of balanced accuracy, and of sensitivity and
    specificity where there are `site_class_cells` of the class, that must be ruled out at the site; and the
    fall of sensitivity and specificity that is borne where uploads came from before.
    min_site_auc: of the champion on the upload, below which its labels are in doubt. max_doubted_labels:
    share of them that it may be sure are wrong. min_site_cells, min_site_per_class, min_site_groups: with
    less, the site is too small to decide on; groups are patients, else fields. min_base_groups: patients with
    cells of each class. max_parity: largest difference in probability between the challenger's file and what
    was computed. max_model_bytes: of that file. accept_equal: who is no worse need not be better.
    """

    base_margin: float = 0.012
    ece_margin: float = 0.015
    site_margin: float = 0.05
    site_class_cells: int = 100
    min_site_auc: float = 0.75
    max_doubted_labels: float = 0.1
    min_site_cells: int = 20
    min_site_per_class: int = 5
    min_site_groups: int = 2
    min_base_groups: int = 5
    max_parity: float = 1e-4
    max_model_bytes: int = 16 * 2**20
    accept_equal: bool = False


DEFAULTS = GateSettings()


@dataclass(frozen=True, slots=True)
class Exported:
    """A challenger's file. parity: largest difference between a probability that it answers and the one that
    its head, or for `full` its network, was computed to answer. size_bytes: of the file."""

    parity: float
    size_bytes: int


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
    least = settings.min_site_auc
    if auc.value < least:
        text = (
            f"The served model ranks the site's cells hardly better than chance (AUC {auc.value:.2f}, of at "
            f"least {least:.2f}): either many labels are wrong or these are no cells such as it knows. Gate "
            "cells with such labels cannot tell which model is better."
        )
        return _criterion(LABELS, auc, least, None, text)
    text = f"The labels agree with the served model's ranking (AUC on the site's cells {auc.value:.2f})."
    return _criterion(LABELS, auc, least, True, text)


def doubted_rule(site: GateSet, settings: GateSettings) -> Criterion:
    """Is the served model sure that many of the site's labels are wrong? A stain that it does not know makes
    it err, but seldom makes it sure."""
    count, most = len(doubted(site)), settings.max_doubted_labels
    share = count / len(site)
    text = (
        f"The served model is sure that {count:,} of the site's {len(site):,} labels are wrong ({share:.0%})"
    )
    if share > most:
        text += f", of at most {most:.0%}: either they are, or it does not know such cells."
        return Criterion(DOUBTED, share, None, None, most, None, text)
    return Criterion(DOUBTED, share, None, None, most, True, f"{text}.")


def within(seen: Seen, margin: float) -> bool | None:
    """Non-inferiority: whether a fall of more than `margin` is ruled out (True), is what was seen (False), or
    neither (None). The bound is one-sided, as for any claim of no worse (Piaggio et al., JAMA 2012)."""
    if seen.low >= -margin:
        return True
    return False if seen.value < -margin else None


def base_rule(
    base: GateSet, label: int, drawn: Resampled, settings: GateSettings, names: Mapping[int, str] = BASE
) -> Criterion:
    """May the challenger's recall of one class on base patients count as no worse? names: of the rules."""
    name, margin = names[label], settings.base_margin
    groups = base.groups(label)
    if groups < settings.min_base_groups:
        text = (
            f"{name.capitalize()} cannot be compared: {groups} base gate patients have "
            f"{CLASSES[label]} cells and {settings.min_base_groups} are needed."
        )
        return Criterion(name, None, None, None, -margin, None, text)
    return _no_worse(name, drawn.difference((label,)), margin, "base gate patients")


def _no_worse(name: str, seen: Seen, margin: float, who: str) -> Criterion:
    """Recall of one class, held against the fall that is borne."""
    title, most, passed = name.capitalize(), f"{100 * margin:.1f}", within(seen, margin)
    told = f"{title} {points(seen.value)} points, at least {points(seen.low)}"
    if passed:
        text = f"{told} (it may fall by {most})."
    elif passed is None:
        text = f"{told}: a fall of more than {most} cannot be ruled out on {seen.groups} {who}."
    else:
        text = f"{title} {points(seen.value)} points: it may fall by {most} on the {who}."
    return _criterion(name, seen, -margin, passed, text)


def calibration_rule(drawn: Resampled, settings: GateSettings) -> Criterion:
    """May the challenger's probabilities on base patients count as no worse calibrated?"""
    seen, margin = drawn.calibration(), settings.ece_margin
    passed = within(seen, margin)
    way = "falls" if seen.value > 0 else "rises"
    told = f"The calibration error (ECE) of base cells {way} by {abs(seen.value):.4f}"
    if passed is None:
        who = f"{seen.groups} base gate patients"
        text = f"{told}: a rise of more than {margin:.4f} cannot be ruled out on {who}."
    else:
        text = f"{told}; at most {max(-seen.low, 0.0):.4f} up (it may rise by {margin:.4f})."
    return _criterion(CALIBRATION, seen, -margin, passed, text)


def parity_rule(file: Exported, settings: GateSettings) -> Criterion:
    """Does the file that would be served answer as was computed?"""
    bound, passed = settings.max_parity, file.parity <= settings.max_parity
    told = f"The challenger's file answers within {file.parity:.1e} of what was computed"
    text = f"{told} (at most {bound:.1e} is borne)."
    return Criterion(PARITY, file.parity, None, None, bound, passed, text)


def file_size_rule(file: Exported, settings: GateSettings) -> Criterion:
    """Is the file small enough to be served?"""
    bound, size = settings.max_model_bytes, file.size_bytes
    text = f"The challenger's file has {size / 1e6:.1f} MB (at most {bound / 1e6:.1f})."
    return Criterion(FILE_SIZE, size, None, None, bound, size <= bound, text)


def learning_rule(stays: Stays, learnt: tuple[int, int], fewest: int) -> Criterion:
    """Why nothing was learnt, so that there is nothing to decide on. learnt: how many uninfected and
    parasitized cells there were to learn from; fewest: how many of each are needed."""
    texts = {
        Stays.FEW: f"Too few cells to learn from: {learnt[1]:,} parasitized and {learnt[0]:,} uninfected, of "
        f"at least {fewest} each.",
        Stays.BASE: "Nothing is learnt: however little the new cells counted, base patients or earlier "
        "laboratories would have lost too much, in this step or since the first release.",
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
        GROUPS: (site.groups(), settings.min_site_groups),
    }


def site_rule(site: GateSet, drawn: Resampled, settings: GateSettings) -> Criterion:
    """Is balanced accuracy at the site better or no worse? Asked where the site is large enough."""
    seen, margin = drawn.difference(BOTH), settings.site_margin
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


def site_class_rule(
    site: GateSet,
    label: int,
    drawn: Resampled,
    settings: GateSettings,
    names: Mapping[int, str] = SITE_CLASSES,
    who: str = "the site",
) -> Criterion:
    """May the challenger's recall of one class count as no worse at the site, so that one class is not paid
    for with the other? With few cells of the class, only as far as can be seen. names: of the rules. who: the
    site, or an earlier one."""
    name, margin, cells = names[label], settings.site_margin, site.cells(label)
    seen = drawn.difference((label,))
    if cells >= settings.site_class_cells:
        return _no_worse(name, seen, margin, f"patients or fields of {who}")
    lost = round(-seen.value * cells)
    told = f"{name.capitalize()} {points(seen.value)} points on {cells} {CLASSES[label]} cells"
    if seen.value < -margin and lost > 1:
        text = (
            f"{told}: {lost} more are answered wrongly, more than {100 * margin:.1f} points, and these are "
            "too few to say that it is chance."
        )
        return _criterion(name, seen, -margin, None, text)
    text = f"{told}, which are too few to rule out a fall of {100 * margin:.1f}."
    return _criterion(name, seen, -margin, True, text)


def gain_rule(base: GateSet, site: GateSet, at: Thresholds, settings: GateSettings) -> Criterion:
    """Does the challenger gain in balanced accuracy, at the site or on base? Asked where nothing is worse at
    the site. Not in one class alone: another threshold would gain that much."""
    best = max(gain(s, at, BOTH) for s in (site, base) if min(s.cells(0), s.cells(1)))
    if best > 0:
        return Criterion(GAIN, best, None, None, 0.0, True, "The challenger gains something.")
    moved = [changed(s, at) for s in (site, base)]
    if any(m["gained"] or m["lost"] for m in moved):
        text = "The challenger is no better, neither at the site nor on the base gate patients."
    else:
        text = f"Nothing changes: both models answer all {sum(m['cells'] for m in moved):,} gate cells alike."
    if settings.accept_equal:
        return Criterion(GAIN, best, None, None, 0.0, True, f"{text} An equal one is asked for.")
    return Criterion(GAIN, best, None, None, 0.0, None, f"{text} The served model stays.")


def _criterion(name: str, seen: Seen, bound: float, passed: bool | None, text: str) -> Criterion:
    return Criterion(name, seen.value, seen.low, seen.high, bound, passed, text)


def points(difference: float) -> str:
    """A difference of rates in percentage points: +6.4, -0.3, 0.0."""
    rounded = round(100 * difference, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"
