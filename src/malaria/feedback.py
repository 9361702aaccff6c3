"""What confirmed labels say: which of them count, and how well the models that answered did.

Rows are those of a FeedbackStore, oldest first. Nothing here knows of the predictions that nobody confirmed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from malaria.domain import Confirmation, Label
from malaria.metrics import agreement

FEWEST = 20
"""Confirmed cells of a class from which its rate is told: of 20 without an error, 0.83 is still possible."""
BINS = 10
DRAWS = 1000
NOTE = (
    "These are the cells that people confirmed, seldom a random sample. Where they confirm doubtful ones, "
    "sensitivity and specificity look worse than over all cells; where they confirm alarms only, sensitivity "
    "looks better. How many answers nobody confirmed is not known here. The table by probability does not "
    "suffer from that, as long as cells of the same probability were confirmed alike, whatever they were."
)


@dataclass(frozen=True)
class Settled:
    """cells: the newest confirmation of each picture and model, with what the picture is. disputed: by
    picture, the newest word of each person, where they do not agree."""

    cells: Sequence[Confirmation]
    disputed: Mapping[int, Sequence[Confirmation]]

    def by_picture(self) -> dict[int, Confirmation]:
        """One confirmation for each picture, by fingerprint: label, patient and site are those of all of
        them."""
        return {row.said.fingerprint: row for row in self.cells}


def settle(rows: Iterable[Confirmation]) -> Settled:
    """What each picture is, by everything that was said of it.

    The newest label of an answer counts, whoever gave it; and of one person the newest about a picture,
    which may have been answered more than once. Where people then disagree, the picture is disputed and
    counts nowhere. Site and patient are the newest that were told.
    """
    pictures: dict[int, list[Confirmation]] = defaultdict(list)
    for row in rows:
        pictures[row.said.fingerprint].append(row)
    cells: list[Confirmation] = []
    disputed: dict[int, Sequence[Confirmation]] = {}
    for cell, told in pictures.items():
        answers = _last(told, lambda row: row.said.nonce)
        words = _last(answers, lambda row: row.by)
        if len({row.label for row in words}) > 1:
            disputed[cell] = words
            continue
        site, patient = (
            next((v for row in reversed(told) if (v := getattr(row, name)) is not None), None)
            for name in ("site", "patient")
        )
        known = [replace(row, label=words[0].label, site=site, patient=patient) for row in answers]
        cells += _last(known, lambda row: row.said.version)
    return Settled(cells, disputed)


def _last(rows: Iterable[Confirmation], key: Callable[[Confirmation], str]) -> list[Confirmation]:
    """The last row of each key, in the order of these rows."""
    last: dict[str, Confirmation] = {}
    for row in rows:
        last.pop(key(row), None)
        last[key(row)] = row
    return list(last.values())


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its 95% interval, by resampling patients; None where the cells cannot say."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How answers and confirmed labels agree, of one set of cells.

    name: what the cells have in common. parasitized, uninfected: as confirmed, of those answered. patients:
    patients that were resampled; a cell of an unknown one counts as one. unanswered: by confirmed label,
    cells of which the model had said nothing; they are in no figure. sensitivity to ece: None where too few
    cells are confirmed, and `too_few` says so.
    """

    name: str | None = None
    cells: int
    patients: int
    parasitized: int
    uninfected: int
    unanswered: Mapping[str, int]
    sensitivity: Figure
    specificity: Figure
    accuracy: Figure
    brier: Figure
    ece: Figure
    too_few: str | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """Cells whose P(parasitized) was `low` or more and below `high` (1.0 falls into the last).

    mean: of the probabilities told. share: of these cells that are parasitized.
    """

    low: float
    high: float
    cells: int
    mean: float | None = None
    share: float | None = None


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
    """Which answers: given from `since` on and before `until`, by one version, of one site; None: all."""

    since: datetime | None = None
    until: datetime | None = None
    version: str | None = None
    site: str | None = None

    def holds(self, row: Confirmation) -> bool:
        return (
            (self.since is None or row.said.at >= self.since)
            and (self.until is None or row.said.at < self.until)
            and self.version in (None, row.said.version)
            and self.site in (None, row.site)
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
    labels = np.array([row.label for row in answered], dtype=np.uint8)
    called = np.array([row.said.label == Label.PARASITIZED for row in answered], dtype=np.bool_)
    p = np.array([row.said.probability for row in answered], dtype=np.float64)
    groups = np.array([_group(row) for row in answered], dtype=np.str_)
    ill = int(labels.sum())
    counts = {Label.PARASITIZED: ill, Label.UNINFECTED: len(answered) - ill}
    few = [label for label, count in counts.items() if count < FEWEST]
    found = agreement(labels, p, called, groups, bootstrap=DRAWS if len(few) < len(Label) else 0)

    def figure(of: str, needs: Iterable[Label]) -> Figure:
        if any(label in few for label in needs):
            return Figure()
        return Figure(found.values[of], *found.intervals.get(of, ()))

    return Figures(
        name=name,
        cells=len(answered),
        patients=len(np.unique(groups)),
        parasitized=ill,
        uninfected=counts[Label.UNINFECTED],
        unanswered={
            label.text: sum(row.said.label is None and row.label == label for row in cells)
            for label in reversed(Label)
        },
        sensitivity=figure("sensitivity", [Label.PARASITIZED]),
        specificity=figure("specificity", [Label.UNINFECTED]),
        accuracy=figure("accuracy", Label),
        brier=figure("brier", Label),
        ece=figure("ece", Label),
        too_few=_too_few(counts, few),
    )


def _group(row: Confirmation) -> str:
    """What is resampled as one; the prefix keeps a patient from being taken for a cell."""
    return f"patient:{row.patient}" if row.patient else f"cell:{row.said.fingerprint:016x}"


def _too_few(counts: Mapping[Label, int], few: Sequence[Label]) -> str | None:
    if not few:
        return None
    have = " and ".join(f"{counts[label]} {label.text.lower()}" for label in few)
    return f"Too few: {have} cells are confirmed; a rate is told from {FEWEST} on."


def _bins(cells: Sequence[Confirmation]) -> tuple[Bin, ...]:
    p = np.array([row.said.probability for row in cells], dtype=np.float64)
    ill = np.array([row.label == Label.PARASITIZED for row in cells], dtype=np.float64)
    place = np.minimum((p * BINS).astype(np.intp), BINS - 1)
    found = []
    for i in range(BINS):
        inside = place == i
        count = int(inside.sum())
        mean, share = (float(p[inside].mean()), float(ill[inside].mean())) if count else (None, None)
        found.append(Bin(i / BINS, (i + 1) / BINS, count, mean, share))
    return tuple(found)
