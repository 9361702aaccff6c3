"""Which labels the out-of-fold answers speak against: a list and a summary. Nothing is relabelled.

Confident learning (Northcutt, Jiang & Chuang, JAIR 70, 2021) by cleanlab: a label is doubted where networks
that have not seen the cell, nor its patient, say the other class with as much confidence as is usual for
that class. Doubted is not wrong: it is what a person should look at first.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from malaria import suspects
from malaria.domain import Label
from malaria.errors import BadInput, MissingPart, how_to_add
from malaria.out_of_fold import OutOfFold

COLUMNS = ("original_label", "cell", "patient", "probability", "quality", "rank")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cell whose label is doubted. probability: P(parasitized), out of fold. quality: the probability of
    the label it has, 0 to 1, low is doubtful. rank: from 1, the most doubtful first.
    """

    label: Label
    cell: str
    patient: str
    probability: float
    quality: float
    rank: int

    @property
    def key(self) -> suspects.Key:
        return suspects.key(self.label, self.cell)


@dataclass(frozen=True, slots=True)
class Overlap:
    """An audit's finds against a list, among the cells that were audited.

    both, found_only, listed_only: cells. jaccard: both, as a share of those in either. found_share: how much
    of the list was found; listed_share: how many of the finds are listed. None is a share of nothing.
    """

    both: int
    found_only: int
    listed_only: int
    jaccard: float | None
    found_share: float | None
    listed_share: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What an audit found, of `cells` audited ones.

    by_class, by_patient: finds; patients with most finds first. without_parasites: finds among the uninfected
    cells of patients of whom no cell is labelled parasitized: their labels are right, so these finds are
    wrong, and their share of such cells says how often the audit errs. clean_cells: such cells in all.
    overlap: with a list, if one was given: "all", and by class.
    """

    cells: int
    found: int
    by_class: Mapping[str, int]
    by_patient: Mapping[str, int]
    without_parasites: int
    clean_cells: int
    overlap: Mapping[str, Overlap] = field(default_factory=dict)


def audit(told: OutOfFold) -> list[Doubt]:
    """The doubted cells, the most doubtful first.

    Raises:
        BadInput: only one class is there. MissingPart: cleanlab is not installed.
    """
    if len(np.unique(told.labels)) < 2:
        raise BadInput("An audit needs cells of both classes.")
    try:
        from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]
        from cleanlab.rank import get_label_quality_scores  # type: ignore[import-untyped]
    except ImportError:
        raise MissingPart(f"An audit needs cleanlab: {how_to_add('study')}.") from None
    said = np.stack([1 - told.probabilities, told.probabilities], axis=1)
    labels = told.labels.astype(np.int64)
    doubted = find_label_issues(labels, said, filter_by="both", n_jobs=1)
    quality = get_label_quality_scores(labels, said, method="self_confidence")
    rows = np.flatnonzero(doubted)
    ranked = rows[np.lexsort((told.cells[rows], quality[rows]))]
    return [
        Doubt(
            Label(int(told.labels[row])),
            str(told.cells[row]),
            str(told.patients[row]),
            float(told.probabilities[row]),
            float(quality[row]),
            rank,
        )
        for rank, row in enumerate(ranked, 1)
    ]


def summary(told: OutOfFold, doubts: Sequence[Doubt], listed: frozenset[suspects.Key] | None) -> Summary:
    """How many were found, where, and how they agree with a list of doubted cells, if one is given."""
    infected = set(told.patients[told.labels == 1].tolist())
    clean = [patient not in infected for patient in told.patients.tolist()]
    audited = frozenset(suspects.key(y, n) for y, n in zip(told.labels, told.cells.tolist(), strict=True))
    found = frozenset(doubt.key for doubt in doubts)
    classes = Counter(doubt.label.text for doubt in doubts)
    return Summary(
        cells=len(told),
        found=len(doubts),
        by_class={label.text: classes[label.text] for label in Label},
        by_patient=dict(Counter(doubt.patient for doubt in doubts).most_common()),
        without_parasites=sum(doubt.patient not in infected for doubt in doubts),
        clean_cells=sum(clean),
        overlap={} if listed is None else _overlaps(found, listed & audited),
    )


def _overlaps(found: frozenset[suspects.Key], listed: frozenset[suspects.Key]) -> dict[str, Overlap]:
    told = {"all": _overlap(found, listed)}
    for label in Label:
        told[label.text] = _overlap(*({key for key in keys if key[0] == label} for keys in (found, listed)))
    return told


def _overlap(found: Iterable[suspects.Key], listed: Iterable[suspects.Key]) -> Overlap:
    ours, theirs = set(found), set(listed)
    both = len(ours & theirs)
    return Overlap(
        both=both,
        found_only=len(ours) - both,
        listed_only=len(theirs) - both,
        jaccard=_share(both, len(ours | theirs)),
        found_share=_share(both, len(theirs)),
        listed_share=_share(both, len(ours)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def as_csv(doubts: Iterable[Doubt]) -> str:
    """A list that `suspects.read` reads, with what the networks said, most doubtful first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for doubt in doubts:
        figures = (f"{doubt.probability:.6f}", f"{doubt.quality:.6f}", doubt.rank)
        writer.writerow((doubt.label.text, doubt.cell, doubt.patient, *figures))
    return text.getvalue()
