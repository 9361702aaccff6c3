"""How well the models that answered did, by what people say the cells were."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Groups
from malaria.domain import Confirmation, Label
from malaria.errors import BadOptions
from malaria.feedback import settle
from malaria.metrics import agreement
from malaria.patients import alike
from malaria.shares import share

FEWEST = 20
"""Confirmed cells of a class from which its rate is told: of 20 without an error, 0.83 is still possible."""
BINS = 10
DRAWS = 1000
NOTE = (
    "These are the cells that people confirmed, seldom a random sample. Where they confirm doubtful ones, "
    "sensitivity and specificity look worse than over all cells; where they confirm alarms only, sensitivity "
    "looks better. How many answers nobody confirmed is not known here, so neither is the share of all "
    "answers that was sent to review: among the confirmed it is as high as people look at those first. The "
    "table by probability does not suffer from that, as long as cells of the same probability were confirmed "
    "alike, whatever they were."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its 95% interval, by resampling patients; None where the cells cannot say."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How answers and confirmed labels agree, of some cells.

    parasitized, uninfected: as confirmed. sensitivity to ece: None where too few cells are confirmed, and
    `too_few` says so.
    """

    cells: int
    parasitized: int
    uninfected: int
    sensitivity: Figure
    specificity: Figure
    accuracy: Figure
    brier: Figure
    ece: Figure
    too_few: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Agreed):
    """How answers and confirmed labels agree, of one set of cells.

    name: what the cells have in common. patients: patients that were resampled; a cell of an unknown one
    counts as one. unanswered: by confirmed label, cells of which the model had said nothing; they are in no
    figure. sent_to_review: the share of cells at which a person was asked to look. not_sent: the others.
    """

    name: str | None = None
    patients: int
    unanswered: Mapping[str, int]
    sent_to_review: Figure
    not_sent: Agreed


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells whose P(parasitized) was `low` or more and below `high` (1.0 falls into the last).

    mean: of the probabilities told. share: of these cells that are parasitized; None where there are none.
    """

    low: float
    high: float
    cells: int
    mean: float | None
    share: Figure


@dataclass(frozen=True, slots=True)
class Quality:
    """disputed: pictures that people disagree about, in no figure. by_week: ISO weeks of the answers, UTC."""

    overall: Figures
    by_version: tuple[Figures, ...]
    by_site: tuple[Figures, ...]
    by_week: tuple[Figures, ...]
    by_probability: tuple[Bin, ...]
    disputed: int
    note: str = NOTE


@dataclass(frozen=True, slots=True)
class Asked:
    """Which answers: given from `since` on and before `until`, by one version, of one site; None: all.

    Raises BadOptions, when made, where no answer can lie between the times.
    """

    since: datetime | None = None
    until: datetime | None = None
    version: str | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise BadOptions("since is not before until: no answer can lie between them. Swap or move them.")

    def holds(self, row: Confirmation) -> bool:
        return (
            (self.since is None or row.said.at >= self.since)
            and (self.until is None or row.said.at < self.until)
            and self.version in (None, row.said.version)
            and (self.site is None or alike(self.site) == alike(row.site or ""))
        )


def quality(rows: Iterable[Confirmation], asked: Asked | None = None) -> Quality:
    """How well the models did on the cells that people confirmed."""
    asked, settled = asked or Asked(), settle(rows)
    cells = [row for row in settled.cells if asked.holds(row)]
    return Quality(
        overall=figures(cells, None),
        by_version=_each(cells, lambda row: row.said.version),
        by_site=_each(cells, lambda row: row.site),
        by_week=_each(cells, lambda row: week(row.said.at)),
        by_probability=_bins([row for row in cells if row.said.label is not None]),
        disputed=sum(any(map(asked.holds, words)) for words in settled.disputed.values()),
    )


def week(at: datetime) -> str:
    """`2026-W03`: the ISO week, in UTC."""
    year, number, _ = at.astimezone(UTC).isocalendar()
    return f"{year}-W{number:02}"


def _each(cells: Iterable[Confirmation], name: Callable[[Confirmation], str | None]) -> tuple[Figures, ...]:
    """Figures by name, in the order of names, cells without one last."""
    groups: dict[str | None, list[Confirmation]] = defaultdict(list)
    for row in cells:
        groups[name(row)].append(row)
    ordered = sorted(groups, key=lambda one: (one is None, one or ""))
    return tuple(figures(groups[one], one) for one in ordered)


def figures(cells: Sequence[Confirmation], name: str | None) -> Figures:
    """Figures of settled cells. Of one picture several answers may be there: they are resampled together."""
    answered = [row for row in cells if row.said.label is not None]
    sent = np.array([row.said.needs_review for row in answered], dtype=np.bool_)
    return Figures(
        name=name,
        patients=len(np.unique(_groups(answered))),
        unanswered={
            label.text: sum(row.said.label is None and row.label == label for row in cells)
            for label in reversed(Label)
        },
        sent_to_review=_share(sent, _groups(answered)) if len(answered) >= FEWEST else Figure(),
        not_sent=Agreed(**_agreed([row for row in answered if not row.said.needs_review])),
        **_agreed(answered),
    )


def _agreed(answered: Sequence[Confirmation]) -> dict[str, Any]:
    """What an Agreed of these cells holds."""
    labels = np.array([row.label for row in answered], dtype=np.uint8)
    called = np.array([row.said.label == Label.PARASITIZED for row in answered], dtype=np.bool_)
    p = np.array([row.said.probability for row in answered], dtype=np.float64)
    ill = int(labels.sum())
    counts = {Label.PARASITIZED: ill, Label.UNINFECTED: len(answered) - ill}
    few = [label for label, count in counts.items() if count < FEWEST]
    draws = DRAWS if len(few) < len(Label) else 0
    found = agreement(labels, p, called, _groups(answered), bootstrap=draws)

    def figure(of: str, needs: Iterable[Label]) -> Figure:
        if any(label in few for label in needs):
            return Figure()
        return Figure(found.values[of], *found.intervals.get(of, ()))

    return {
        "cells": len(answered),
        "parasitized": ill,
        "uninfected": counts[Label.UNINFECTED],
        "sensitivity": figure("sensitivity", [Label.PARASITIZED]),
        "specificity": figure("specificity", [Label.UNINFECTED]),
        **{name: figure(name, Label) for name in ("accuracy", "brier", "ece")},
        "too_few": _too_few(counts, few),
    }


def _groups(cells: Sequence[Confirmation]) -> Groups:
    """What is resampled as one, (n,): patients, else pictures; the prefix keeps the two apart."""
    names = [f"patient:{r.patient}" if r.patient else f"cell:{r.said.fingerprint:016x}" for r in cells]
    return np.array(names, dtype=np.str_)


def _share(hits: npt.NDArray[np.bool_], groups: Groups) -> Figure:
    told = share(hits, groups, DRAWS, seed=0)
    return Figure(told.value, *(told.interval or ()))


def _too_few(counts: Mapping[Label, int], few: Sequence[Label]) -> str | None:
    if not few:
        return None
    have = " and ".join(f"{counts[label]} {label.text.lower()}" for label in few)
    return f"Too few: {have} cells are confirmed; a rate is told from {FEWEST} on."


def _bins(cells: Sequence[Confirmation]) -> tuple[Bin, ...]:
    p = np.array([row.said.probability for row in cells], dtype=np.float64)
    ill = np.array([row.label == Label.PARASITIZED for row in cells], dtype=np.bool_)
    place, groups = np.minimum((p * BINS).astype(np.intp), BINS - 1), _groups(cells)
    found = []
    for i in range(BINS):
        inside = place == i
        count = int(inside.sum())
        mean = float(p[inside].mean()) if count else None
        of = _share(ill[inside], groups[inside]) if count else Figure()
        found.append(Bin(i / BINS, (i + 1) / BINS, count, mean, of))
    return tuple(found)
