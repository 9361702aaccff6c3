"""Which decoded cells of an upload are kept: no contradictions, no doubles, nothing held for judging."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from malaria import near
from malaria.archive import Problem
from malaria.domain import Role
from malaria.layout import Refused
from malaria.ports import Report
from malaria.roles import LOCKED
from malaria.spool import Decoded


@dataclass(frozen=True)
class Held:
    """Base patients and cells (by fingerprint) whose role is known."""

    patients: Mapping[str, Role] = field(default_factory=dict)
    fingerprints: Mapping[int, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A picture whose pixels equal those of `same_as`, which is kept; or, where `near`, nearly do."""

    name: str
    same_as: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """A picture kept out since models are judged on it (code: judged-picture) or on its patient
    (judged-patient)."""

    name: str
    reason: str
    label: str
    patient: str | None = None
    code: str = ""


@dataclass(frozen=True)
class Sieved:
    """known: kept cells that equal base cells the model has learnt from."""

    kept: Sequence[Decoded]
    contradictions: Sequence[Refused]
    duplicates: Sequence[Duplicate]
    overlap: Sequence[Overlap]
    known: int


def sieve(cells: Sequence[Decoded], held: Held, report: Report, *, keep_out: bool) -> Sieved:
    """Sort out decoded cells, of equal ones the first is kept. keep_out: of an upload, that is: without what
    overlaps gate or test, and of cells that are nearly the same only the first. Raises what `report` does to
    stop the work."""
    kept, contradictions, duplicates, overlap = [], [], [], []
    equal: dict[int, list[Decoded]] = defaultdict(list)
    for cell in cells:
        equal[cell.fingerprint].append(cell)
    for same in equal.values():
        first = same[0]
        if len({cell.picture.label for cell in same}) > 1:
            contradictions += [_contradiction(cell, same) for cell in same]
            continue
        found = [problem for cell in same if keep_out and (problem := _overlap(cell, held))]
        if found:
            overlap += [_kept_out(cell, found[0]) for cell in same]
            continue
        kept.append(first)
        duplicates += [Duplicate(cell.picture.entry.shown, first.picture.entry.shown) for cell in same[1:]]
    if not keep_out:
        return Sieved(kept, contradictions, duplicates, overlap, 0)
    apart, copies, contradicting = _without_copies(kept, report)
    known = sum(cell.fingerprint in held.fingerprints for cell in apart)
    return Sieved(apart, contradictions + contradicting, duplicates + copies, overlap, known)


def _without_copies(
    cells: Sequence[Decoded], report: Report
) -> tuple[list[Decoded], list[Duplicate], list[Refused]]:
    """Of cells that are nearly the same the first alone, and none where they lie under both classes: copies
    of one cell would look like many witnesses, in learning and at the gate."""
    alike: dict[int, list[Decoded]] = defaultdict(list)
    firsts = near.first_alike([cell.thumbnail for cell in cells], report)
    for cell, first in zip(cells, firsts, strict=True):
        alike[int(first)].append(cell)
    kept, copies, contradictions = list[Decoded](), list[Duplicate](), list[Refused]()
    for same in alike.values():
        if len({cell.picture.label for cell in same}) > 1:
            contradictions += [_contradiction(cell, same) for cell in same]
            continue
        shown = same[0].picture.entry.shown
        kept.append(same[0])
        copies += [Duplicate(cell.picture.entry.shown, shown, near=True) for cell in same[1:]]
    return kept, copies, contradictions


def _contradiction(cell: Decoded, same: Sequence[Decoded]) -> Refused:
    label = cell.picture.label
    other = next(s for s in same if s.picture.label != label).picture.entry.shown
    return Refused(
        cell.picture.entry.shown,
        "contradiction",
        f"The same picture, or nearly, lies under both classes, see {other}. Keep the right one.",
        label.text,
        other,
    )


def _kept_out(cell: Decoded, why: Problem) -> Overlap:
    picture = cell.picture
    return Overlap(picture.entry.shown, why.reason, picture.label.text, picture.patient, why.code)


def _overlap(cell: Decoded, held: Held) -> Problem | None:
    """Why a cell may not be learnt from, or None."""
    if held.fingerprints.get(cell.fingerprint) in LOCKED:
        return Problem("judged-picture", "Models are judged on this very picture.")
    for patient in (cell.picture.patient, cell.picture.named):
        if patient and (held.patients.get(patient) or held.patients.get(patient.upper())) in LOCKED:
            return Problem("judged-patient", f"Models are judged on patient {patient}.")
    return None
