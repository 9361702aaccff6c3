"""The gate: is a challenger at least as good as the champion? Accepted, rejected or undecidable.

Both models answer the same cells of patients that neither learnt from, so only cells that change hands
count, and bounds come from resampling patients. The rules:

labels  Where the champion ranks the site's cells the wrong way round beyond doubt, their labels look swapped:
        rejected. A challenger taught by swapped labels shines on swapped gate cells, so it cannot tell. Where
        it ranks them hardly better than chance (`min_site_auc`), they may be wrong: undecidable.
doubted labels  So they may where it is sure of the other class for many (`max_doubted_labels`): undecidable.
base    Sensitivity and specificity on the base gate patients may not fall by more than `base_margin`. A
        larger fall is rejected; one that cannot be ruled out is undecidable.
since the first release  The same is asked against the release from which the champion descends, lest many
        steps that are each within the margin lead down.
earlier  Nor may either fall by `site_margin` on the gate cells of any earlier upload that the champion has
        learnt from: among the base patients' these few would hardly show. Nor on what was kept apart of each
        other laboratory that the shipped network was trained with. Asked and decided as of the site.
base calibration  Nor may the calibration error of these cells rise by more than `ece_margin`.
parity, file size  The challenger's file answers as was computed, and is small enough to be served.
size    Too few gate cells of the site, or none, are undecidable, and `too_small` says so.
site    Balanced accuracy must be no worse, and a fall of `site_margin` ruled out. Worse beyond noise is
        rejected, anything between undecidable. Neither class may fall by `site_margin` either: that is ruled
        out where there are enough cells of it, else undecidable where such a fall is seen.
gain    A challenger that gains nothing, at the site or on base, is undecidable: there is no reason to change,
        unless `accept_equal` asks for none.
learning  Where the method learnt nothing, it says why; there is nothing to compare then.

One broken rule rejects; else one that cannot be decided makes the verdict undecidable. Neither is promoted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from malaria.advice import Advised, advice
from malaria.comparison import Doubted, First, GateSet, Moved, Thresholds, changed, doubted, moved
from malaria.criteria import (
    BASE,
    DEFAULTS,
    DOUBTED,
    LABELS,
    LEARNING,
    SITE,
    SITE_CLASSES,
    SIZE,
    Criterion,
    Exported,
    GateSettings,
)
from malaria.domain import Verdict
from malaria.metrics import Metrics, metrics
from malaria.ruling import rules, verdict_of

__all__ = [
    "Criterion",
    "Exported",
    "First",
    "GateSet",
    "GateSettings",
    "Receipt",
    "Sent",
    "judge",
    "labels_in_doubt",
]


MOVED = 40
"""So many cells that were gained, as many that were lost, and as many doubted labels are told one by one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """sent: share of the cells that a model sends to a person. wrong: of the others, the share of wrong
    answers; None where there are none."""

    sent: float
    wrong: float | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gate said and why.

    reason: the verdict and the sentences that decided. base, site: figures of "champion" and "challenger";
    None where there was nothing to compare on. changed: of "base" and "site", how many cells there are, how
    many were "gained" (only the challenger is right) and "lost". advice: what would help, or "". too_small:
    undecidable for want of gate cells of the site, so this upload should count together with the next.
    moved: the cells of "base" and "site" that changed hands, at most MOVED of each kind. look: how often the
    base gate patients have been looked at with this time; 0 where they were not. fresh_due: that was too
    often. doubted: cells of the upload whose labels the champion is sure are wrong, at most MOVED. first: the
    version of the first release that it was held against too; "" where the champion is that. advised: the
    pieces that the advice is made of. pooled: jobs of earlier uploads that were judged together with it.
    set_aside: those with which it was not accepted, and which wait no longer. bounds: the settings of the
    gate. review: of "base" and "site" what either model sends to a person by its own band, and leaves wrong
    among the others; no rule asks it.
    """

    verdict: Verdict
    reason: str
    criteria: tuple[Criterion, ...]
    base: Mapping[str, Metrics] | None
    site: Mapping[str, Metrics] | None
    changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    advice: str = ""
    too_small: bool = False
    moved: Mapping[str, tuple[Moved, ...]] = field(default_factory=dict)
    look: int = 0
    fresh_due: bool = False
    doubted: tuple[Doubted, ...] = ()
    first: str = ""
    advised: tuple[Advised, ...] = ()
    pooled: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()
    bounds: Mapping[str, Any] = field(default_factory=dict)
    review: Mapping[str, Mapping[str, Sent]] = field(default_factory=dict)

    @property
    def stands(self) -> bool:
        """Whether it holds for each of several uploads that were judged together: accepted, or in want of
        nothing but more cells, as each alone would be. Else one may have spoilt the others."""
        small = all(rule.name in (SIZE, LEARNING) for rule in self.criteria if rule.passed is not True)
        waits = self.verdict == Verdict.UNDECIDABLE and self.too_small
        return self.verdict == Verdict.ACCEPTED or (waits and small)


def judge(
    base: GateSet | None,
    site: GateSet | None,
    champion_threshold: float,
    challenger_threshold: float,
    settings: GateSettings = DEFAULTS,
    labelled: Sequence[GateSet] = (),
    unlearnt: Criterion | None = None,
    file: Exported | None = None,
    first: First | None = None,
    elsewhere: Mapping[str, GateSet] | None = None,
) -> Receipt:
    """Hold a challenger against the champion on base and site gate cells; None or empty where there are none.

    Thresholds: the models' operating points, P(parasitized) from which each calls a cell parasitized.
    labelled: every cell of the upload, those learnt from too, to see whether its labels make sense; of
    several uploads all together and then those of each, lest a bad one hide; none: the site's gate cells.
    elsewhere: validation cells of other laboratories that the champion has learnt of, by what to call these.
    unlearnt: why the challenger is the champion, where it is. file: the challenger's; None where it has none
    of its own. first: the release from which the champion descends; None where it is the champion.
    """
    at = (champion_threshold, challenger_threshold)
    base, site = base or _none(), site or _none()
    uploads = labelled or (site,)
    criteria = rules(base, site, uploads, at, settings, unlearnt, file, first, elsewhere or {})
    verdict = verdict_of([c.passed for c in criteria])
    by_name = {c.name: c for c in criteria}
    advised = advice(verdict, by_name, base, site, settings)
    return Receipt(
        verdict=verdict,
        reason=_reason(verdict, criteria),
        criteria=tuple(criteria),
        base=_figures(base, at),
        site=_figures(site, at),
        changed={name: changed(s, at) for name, s in (("base", base), ("site", site)) if len(s)},
        advice=" ".join(piece.text for piece in advised),
        advised=advised,
        too_small=verdict == Verdict.UNDECIDABLE and _wants_cells(by_name),
        moved={name: moved(s, at, MOVED) for name, s in (("base", base), ("site", site)) if len(s)},
        doubted=tuple(doubted(uploads[0])[:MOVED]),
        first=first.version if first else "",
        bounds=asdict(settings),
    )


def _wants_cells(asked: Mapping[str, Criterion]) -> bool:
    """Whether more of the site's cells could decide it. None can while labels are in doubt, and such an
    upload must not spoil the next."""
    if labels_in_doubt(asked.values()):
        return False
    few_to_learn = LEARNING in asked and asked[LEARNING].value is not None
    at_site = (SIZE, SITE, *SITE_CLASSES.values())
    return few_to_learn or any(name in asked and asked[name].passed is None for name in at_site)


def labels_in_doubt(asked: Iterable[Criterion]) -> bool:
    """Whether it could not be decided for the labels' sake."""
    return any(rule.passed is None for rule in asked if rule.name in (LABELS, DOUBTED))


def _none() -> GateSet:
    nothing = np.empty(0)
    return GateSet(nothing.astype(np.uint8), nothing.astype(np.str_), nothing, nothing)


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
