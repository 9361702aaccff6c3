"""The gate: is a challenger at least as good as the champion? Accepted, rejected or undecidable.

Both models answer the same cells of patients that neither learnt from, so only cells that change hands
count, and bounds come from resampling patients. The rules:

labels  Where the champion ranks the site's cells the wrong way round beyond doubt, their labels look swapped:
        rejected. A challenger taught by swapped labels shines on swapped gate cells, so it cannot tell.
base    Sensitivity and specificity on the base gate patients may not fall by more than `base_margin`. A
        larger fall is rejected; one that cannot be ruled out is undecidable.
size    Too few gate cells of the site, or none, are undecidable, and `too_small` says so.
site    Balanced accuracy must be no worse, and a fall of `site_margin` ruled out. Worse beyond noise is
        rejected, anything between undecidable.
gain    A challenger that gains nothing, at the site or on base, is undecidable: there is no reason to change.
learning  Where the method learnt nothing, it says why; there is nothing to compare then.

One broken rule rejects; else one that cannot be decided makes the verdict undecidable. Neither is promoted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from malaria.comparison import GateSet, Thresholds, changed
from malaria.criteria import (
    BASE,
    DEFAULTS,
    GAIN,
    LABELS,
    LEARNING,
    SITE,
    SIZE,
    Criterion,
    GateSettings,
    base_rule,
    gain_rule,
    labels_rule,
    site_rule,
    site_sizes,
    size_rule,
)
from malaria.domain import Verdict
from malaria.metrics import Metrics, metrics
from malaria.roles import SITE_GATE_SHARE

__all__ = ["Criterion", "GateSet", "GateSettings", "Receipt", "judge"]

MOST_ASKED = 500
"""Patients. An advice to bring more than a laboratory ever could is none."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gate said and why.

    reason: the verdict and the sentences that decided. base, site: figures of "champion" and "challenger";
    None where there was nothing to compare on. changed: of "base" and "site", how many cells there are, how
    many were "gained" (only the challenger is right) and "lost". advice: what would help, or "". too_small:
    undecidable for want of gate cells of the site, so this upload should count together with the next.
    """

    verdict: Verdict
    reason: str
    criteria: tuple[Criterion, ...]
    base: Mapping[str, Metrics] | None
    site: Mapping[str, Metrics] | None
    changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    advice: str = ""
    too_small: bool = False


def judge(
    base: GateSet | None,
    site: GateSet | None,
    champion_threshold: float,
    challenger_threshold: float,
    settings: GateSettings = DEFAULTS,
    labelled: GateSet | None = None,
    unlearnt: Criterion | None = None,
) -> Receipt:
    """Hold a challenger against the champion on base and site gate cells; None or empty where there are none.

    Thresholds: the models' operating points, P(parasitized) from which each calls a cell parasitized.
    labelled: every cell of the upload, those learnt from too, to see whether its labels make sense; None:
    the site's gate cells. unlearnt: why the challenger is the champion, where it is.
    """
    at = (champion_threshold, challenger_threshold)
    base, site = base or _none(), site or _none()
    criteria = _criteria(base, site, labelled or site, at, settings, unlearnt)
    verdict = _verdict(criteria)
    by_name = {c.name: c for c in criteria}
    return Receipt(
        verdict=verdict,
        reason=_reason(verdict, criteria),
        criteria=tuple(criteria),
        base=_figures(base, at),
        site=_figures(site, at),
        changed={name: changed(s, at) for name, s in (("base", base), ("site", site)) if len(s)},
        advice=_advice(verdict, by_name, base, site, settings),
        too_small=verdict == Verdict.UNDECIDABLE and _wants_cells(by_name),
    )


def _wants_cells(rules: Mapping[str, Criterion]) -> bool:
    """Whether more of the site's cells could decide it."""
    few_to_learn = LEARNING in rules and rules[LEARNING].value is not None
    return few_to_learn or rules[SIZE].passed is None or (SITE in rules and rules[SITE].passed is None)


def _none() -> GateSet:
    nothing = np.empty(0)
    return GateSet(nothing.astype(np.uint8), nothing.astype(np.str_), nothing, nothing)


def _criteria(
    base: GateSet,
    site: GateSet,
    labelled: GateSet,
    at: Thresholds,
    settings: GateSettings,
    unlearnt: Criterion | None,
) -> list[Criterion]:
    found = []
    if min(labelled.cells(0), labelled.cells(1)) >= settings.min_site_per_class:
        found.append(labels_rule(labelled, settings))
    found += [base_rule(base, label, at, settings) for label in BASE]
    found.append(size_rule(site, settings))
    if unlearnt is not None:
        return [*found, unlearnt]
    if found[-1].passed:
        found.append(site_rule(site, at, settings))
        if found[-1].passed:
            found.append(gain_rule(base, site, at))
    return found


def _verdict(criteria: list[Criterion]) -> Verdict:
    if any(c.passed is False for c in criteria):
        return Verdict.REJECTED
    return Verdict.UNDECIDABLE if any(c.passed is None for c in criteria) else Verdict.ACCEPTED


def _reason(verdict: Verdict, criteria: list[Criterion]) -> str:
    if verdict == Verdict.ACCEPTED:
        deciding = sorted(
            (c for c in criteria if c.name in (SITE, *BASE.values())), key=lambda c: c.name != SITE
        )
    elif verdict == Verdict.UNDECIDABLE:
        deciding = [c for c in criteria if c.passed is None]
    else:
        deciding = [c for c in criteria if c.passed is False]
        deciding = [c for c in deciding if c.name == LABELS] or deciding  # the rest follows from the labels
    return " ".join([f"{verdict.value.capitalize()}.", *(c.text for c in deciding)])


def _figures(cells: GateSet, at: Thresholds) -> dict[str, Metrics] | None:
    if not len(cells):
        return None
    return {
        "champion": metrics(cells.labels, cells.champion, cells.patients, at[0]),
        "challenger": metrics(cells.labels, cells.challenger, cells.patients, at[1]),
    }


def _advice(
    verdict: Verdict, rules: Mapping[str, Criterion], base: GateSet, site: GateSet, settings: GateSettings
) -> str:
    """What to do or to bring, in numbers where they can be told."""
    if verdict == Verdict.ACCEPTED:
        return ""
    if verdict == Verdict.REJECTED:
        return _advice_rejected({name for name, rule in rules.items() if rule.passed is False})
    told = [_advice_learning(rules[LEARNING])] if LEARNING in rules else []
    if rules[SIZE].passed is None:
        told.append(_advice_size(site_sizes(site, settings)))
    if SITE in rules and rules[SITE].passed is None:
        upload = math.ceil(_more(rules[SITE], site.groups()) / SITE_GATE_SHARE)
        told.append(
            f"Bring cells of about {upload:,} more patients or fields; a fifth is kept to compare on. This "
            "upload counts together with the next."
            if upload <= MOST_ASKED
            else "The two models are so close at this site that more cells will hardly tell them apart."
        )
    told += [_advice_base(rules[name], base.groups(label)) for label, name in BASE.items()]
    if GAIN in rules and rules[GAIN].passed is None:
        told.append("Bring cells that the served model answers wrongly, if there are such cells.")
    return " ".join(part for part in told if part)


def _advice_rejected(broken: set[str]) -> str:
    if LABELS in broken:
        return "Put the pictures into the right folders and upload again."
    if SITE in broken:
        return "The served model answers this site better and stays. Check the labels if that surprises you."
    return (
        "Learning from this upload costs too much on other patients. Check its labels and stain. Cells of "
        "more patients steady what is learnt, and the method `full` can learn more than `adapt`."
    )


def _advice_learning(rule: Criterion) -> str:
    if rule.value is not None:
        return (
            f"Bring at least {rule.bound - rule.value:.0f} more cells of the class that is short; a fifth of "
            "an upload is not learnt from. This upload counts together with the next."
        )
    return (
        "Where the served model answers these cells well, there is nothing to mend. Else bring cells of more "
        "patients, or train the whole network: `--method full`."
    )


def _advice_size(sizes: Mapping[str, tuple[int, int]]) -> str:
    short = {what: math.ceil((least - count) / SITE_GATE_SHARE) for what, (count, least) in sizes.items()}
    each = ", ".join(f"{more} more {what}" for what, more in short.items() if more > 0)
    return (
        f"Bring about {each}: a fifth of an upload is kept apart to compare on. Patients are told apart by a "
        "patients.csv in the ZIP or by NIH-style file names. This upload counts together with the next."
    )


def _advice_base(rule: Criterion, groups: int) -> str:
    if rule.passed is not None:
        return ""
    if rule.value is None:
        return f"The served model remembers too few gate patients for {rule.name}: see `malaria doctor`."
    more = _more(rule, groups)
    if more > MOST_ASKED:
        return f"More cells to learn from may settle {rule.name}."
    return (
        f"About {more:,} more base gate patients would settle {rule.name}; more cells to learn from may too."
    )


def _more(rule: Criterion, groups: int) -> int:
    """How many more patients would narrow the bound enough if the difference stays as it is; at least one."""
    if rule.value is None or rule.low is None:
        return 1
    width, room = rule.value - rule.low, max(rule.value - rule.bound, 0.001)
    return max(1, min(math.ceil(groups * ((width / room) ** 2 - 1)), 10_000))
