"""Which decoded cells of an upload are kept: no contradictions, no doubles, nothing held for judging."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from malaria.domain import Role
from malaria.layout import Refused
from malaria.spool import Decoded

_JUDGING = (Role.GATE, Role.TEST)


@dataclass(frozen=True)
class Held:
    """Base patients and cells (by fingerprint) whose role is known."""

    patients: Mapping[str, Role] = field(default_factory=dict)
    fingerprints: Mapping[int, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A picture whose pixels equal those of `same_as`, which is kept."""

    name: str
    same_as: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """A picture kept out since models are judged on it or on its patient."""

    name: str
    reason: str
    label: str
    patient: str | None = None


@dataclass(frozen=True)
class Sieved:
    """known: kept cells that equal base cells the model has learnt from."""

    kept: Sequence[Decoded]
    contradictions: Sequence[Refused]
    duplicates: Sequence[Duplicate]
    overlap: Sequence[Overlap]
    known: int


def sieve(cells: Sequence[Decoded], held: Held, *, keep_out: bool) -> Sieved:
    """Sort out decoded cells, of equal ones the first is kept; `keep_out` what overlaps gate or test."""
    kept, contradictions, duplicates, overlap = [], [], [], []
    equal: dict[int, list[Decoded]] = defaultdict(list)
    for cell in cells:
        equal[cell.fingerprint].append(cell)
    for same in equal.values():
        first = same[0]
        if len({cell.picture.label for cell in same}) > 1:
            contradictions += [_contradiction(cell, same) for cell in same]
            continue
        reasons = [reason for cell in same if keep_out and (reason := _overlap(cell, held))]
        if reasons:
            overlap += [_kept_out(cell, reasons[0]) for cell in same]
            continue
        kept.append(first)
        duplicates += [Duplicate(cell.picture.entry.shown, first.picture.entry.shown) for cell in same[1:]]
    known = sum(cell.fingerprint in held.fingerprints for cell in kept) if keep_out else 0
    return Sieved(kept, contradictions, duplicates, overlap, known)


def _contradiction(cell: Decoded, same: Sequence[Decoded]) -> Refused:
    label = cell.picture.label
    other = next(s for s in same if s.picture.label != label)
    return Refused(
        cell.picture.entry.shown,
        "contradiction",
        f"The same picture lies under both classes, see {other.picture.entry.shown}. Keep the right one.",
        label.text,
    )


def _kept_out(cell: Decoded, reason: str) -> Overlap:
    return Overlap(cell.picture.entry.shown, reason, cell.picture.label.text, cell.picture.patient)


def _overlap(cell: Decoded, held: Held) -> str | None:
    """Why a cell may not be learnt from, or None."""
    if held.fingerprints.get(cell.fingerprint) in _JUDGING:
        return "Models are judged on this very picture."
    for patient in (cell.picture.patient, cell.picture.named):
        if patient and (held.patients.get(patient) or held.patients.get(patient.upper())) in _JUDGING:
            return f"Models are judged on patient {patient}."
    return None
