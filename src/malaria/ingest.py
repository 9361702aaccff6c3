"""Step 1: take in an untrusted ZIP of labelled cells; each entry is accepted or set aside with a reason.

What is kept is made anew: pictures are decoded and written as PNG without metadata, under names of their own,
so that equal cells give equal bytes and nothing but pixels gets through. Memory holds few at a time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from malaria import roles
from malaria.archive import Archive, Limits, Problem
from malaria.domain import CLASSES, Label, Progress, RetrainOptions, Role
from malaria.errors import BadArchive, BadOptions
from malaria.layout import Listing, Picture, Refused, listing
from malaria.options import parse_options, validate_options
from malaria.patients import Spelling
from malaria.patients_csv import Named, read_patients
from malaria.ports import Report
from malaria.progress import part
from malaria.shards import Shard, ShardCell, content_id
from malaria.sieve import Duplicate, Held, Overlap, Sieved, sieve
from malaria.spool import Decoded, Spool, take_in
from malaria.warned import Warned

__all__ = ["Held", "IngestReport", "Ingested", "Limits", "ingest", "read_options", "validate_options"]

LISTED = 500
"""Of each kind, so many entries are listed by name; all are counted."""


@dataclass(frozen=True)
class IngestReport:
    """What became of an upload.

    accepted: cells by class. quarantined, duplicates, overlap: at most LISTED entries each; counts: all of
    them, with 'entries', and 'skipped' for what systems add (`__MACOSX`, dot files). unknown_patients: cells
    without a patient. gate_cells: cells on which models are compared, never trained on. warnings: sentences;
    warned: the same in the same order, for who puts them into words of their own.
    """

    accepted: Mapping[str, int]
    quarantined: tuple[Refused, ...]
    duplicates: tuple[Duplicate, ...]
    overlap: tuple[Overlap, ...]
    patients: int
    groups: int
    unknown_patients: int
    gate_cells: int
    warnings: tuple[str, ...] = ()
    warned: tuple[Warned, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ingested:
    """cells_zip: the sanitised pictures, in the work folder, to be stored with `Shards.save`."""

    shard: Shard
    cells_zip: Path
    report: IngestReport
    options: RetrainOptions | None


def read_options(archive: Path, limits: Limits | None = None) -> RetrainOptions | None:
    """The options in an upload's `retrain.json`, or None; nothing else is read.

    Raises BadOptions, and as `Archive` does.
    """
    with Archive(archive, limits) as opened:
        return _options(opened)


def ingest(
    archive: Path,
    *,
    kind: str,
    held: Held,
    known_roles: Mapping[str, Role],
    work: Path,
    now: datetime,
    limits: Limits | None = None,
    report: Report | None = None,
    name: str | None = None,
    known_cells: Mapping[int, Role] | None = None,
) -> Ingested:
    """Take in an upload of `kind` 'base' or 'site'; writes `cells.zip` into `work`.

    known_roles, known_cells: roles of the groups and of the cells (by fingerprint) of earlier uploads, which
    they keep. name: what people call the upload, else the file's name.
    Raises:
        BadArchive: not a usable ZIP, no usable picture of one class, or a bad patients.csv.
        BadLayout: a class folder is missing or empty.
        BadOptions: a bad retrain.json.
        UploadTooLarge: more than `limits` allow.
    """
    if kind not in ("base", "site"):
        raise ValueError(f"kind must be 'base' or 'site', not {kind!r}")
    work.mkdir(parents=True, exist_ok=True)
    tell = report or _silent
    with Archive(archive, limits) as opened, Spool(work / "pictures.spool") as spool:
        options = _options(opened)
        found = listing(opened)
        named = _patients(opened, found.pictures)
        spelling = Spelling([*held.patients, *known_roles])
        pictures = [_of_patient(picture, named, spelling) for picture in found.pictures]
        decoded, unreadable = take_in(opened, pictures, spool, tell)
        sieved = sieve(decoded, held, part(tell, 90, 2), keep_out=kind == "site")
        refused = (*found.refused, *unreadable, *sieved.contradictions)
        _need_both(sieved, refused, found)
        tell(Progress("ingest", percent=92.0, message="Writing the accepted cells"))
        before = known_cells or {}
        cells = _cells(sieved.kept, _roles(sieved.kept, kind, held, known_roles, before), before)
        cells_zip = spool.write_zip(work / "cells.zip", {cell.name: d for cell, d in cells})
    shard_cells = tuple(cell for cell, _ in cells)
    sha = content_id(kind, shard_cells)
    shard = Shard(sha, kind, shard_cells, name or archive.stem, now)
    told = _tell(shard, found, refused, sieved, named, held)
    told = replace(told, warnings=(*told.warnings, *_respelt(spelling)))
    tell(Progress("ingest", percent=100.0, message=f"{len(shard_cells)} cells accepted"))
    return Ingested(shard, cells_zip, told, options)


def _silent(_: Progress) -> None:
    return None


def _options(opened: Archive) -> RetrainOptions | None:
    entry = opened.find("retrain.json")
    if entry is None:
        return None
    data = opened.read(entry)
    if isinstance(data, Problem):
        raise BadOptions(f"retrain.json cannot be read. {data.reason}")
    return parse_options(data)


def _patients(opened: Archive, pictures: Sequence[Picture]) -> Named:
    entry = opened.find("patients.csv")
    if entry is None:
        return Named({}, 0)
    data = opened.read(entry)
    if isinstance(data, Problem):
        raise BadArchive(f"patients.csv cannot be read. {data.reason}")
    return read_patients(data, [picture.entry.name for picture in pictures])


def _of_patient(picture: Picture, named: Named, spelling: Spelling) -> Picture:
    patient = named.patients.get(picture.entry.name, picture.patient)
    return replace(picture, patient=spelling.of(patient) if patient else patient)


def _respelt(spelling: Spelling) -> Iterator[str]:
    for one, other in list(spelling.others.items())[:1]:
        count = len(spelling.others)
        yield f"{count} patients are written in more than one way, such as {one} and {other}: each is one."


def _need_both(sieved: Sieved, refused: Sequence[Refused], found: Listing) -> None:
    """Raise BadArchive unless usable cells of both classes are left, saying what became of the others."""
    have = {cell.picture.label for cell in sieved.kept}
    for label in Label:
        if label in have:
            continue
        total = sum(picture.label == label for picture in found.pictures)
        told = f"None of the {total} files under {label.text}/ can be used."
        lost = [r for r in refused if r.label == label.text]
        kept_out = [o for o in sieved.overlap if o.label == label.text]
        if lost:
            told += f" {len(lost)} were set aside, such as {lost[0].name}: {lost[0].reason}"
        if kept_out:
            told += f" {len(kept_out)} were kept out, such as {kept_out[0].name}: {kept_out[0].reason}"
        raise BadArchive(told)


def _roles(
    kept: Sequence[Decoded],
    kind: str,
    held: Held,
    known_roles: Mapping[str, Role],
    known_cells: Mapping[int, Role],
) -> dict[str, Role]:
    """The role of each group; a new one that holds cells met before goes with those, to the gate first."""
    groups: dict[str, set[Label]] = defaultdict(set)
    met: dict[str, Role] = {}
    for cell in kept:
        groups[cell.group].add(cell.picture.label)
        role = known_cells.get(cell.fingerprint)
        if role is not None and met.get(cell.group) != Role.GATE:
            met[cell.group] = role
    known = {**met, **known_roles}
    if kind == "site":
        return roles.share_out(groups, known)
    return {g: held.patients.get(g) or known.get(g) or roles.base_role(g) for g in groups}


def _cells(
    kept: Sequence[Decoded], role_of: Mapping[str, Role], known_cells: Mapping[int, Role]
) -> list[tuple[ShardCell, Decoded]]:
    """The cells as they will be stored, sorted by name. One met before keeps its role, whatever its name."""
    cells = []
    for found in kept:
        picture = found.picture
        cell = ShardCell(
            name=f"{picture.label.text}/{found.fingerprint:016x}.png",
            original=picture.entry.shown,
            label=picture.label,
            patient=picture.patient,
            group=found.group,
            role=known_cells.get(found.fingerprint) or role_of[found.group],
            sha256=found.sha256,
            fingerprint=found.fingerprint,
        )
        cells.append((cell, found))
    return sorted(cells, key=lambda pair: pair[0].name)


def _tell(
    shard: Shard, found: Listing, refused: Sequence[Refused], sieved: Sieved, named: Named, held: Held
) -> IngestReport:
    cells = shard.cells
    counts = {
        "entries": found.entries,
        "skipped": found.skipped,
        "accepted": len(cells),
        "quarantined": len(refused),
        "duplicates": sum(not one.near for one in sieved.duplicates),
        "near_duplicates": sum(one.near for one in sieved.duplicates),
        "overlap": len(sieved.overlap),
    }
    told = IngestReport(
        accepted={name: sum(cell.label.text == name for cell in cells) for name in reversed(CLASSES)},
        quarantined=tuple(refused[:LISTED]),
        duplicates=tuple(sieved.duplicates[:LISTED]),
        overlap=tuple(sieved.overlap[:LISTED]),
        patients=len({cell.patient for cell in cells if cell.patient}),
        groups=len({cell.group for cell in cells}),
        unknown_patients=sum(cell.patient is None for cell in cells),
        gate_cells=sum(cell.role == Role.GATE for cell in cells),
        counts=counts,
    )
    warned = _warned(shard, told, sieved, named, held)
    return replace(told, warned=tuple(warned), warnings=tuple(one.sentence() for one in warned))


def _warned(shard: Shard, told: IngestReport, sieved: Sieved, named: Named, held: Held) -> list[Warned]:
    cells, near = len(shard.cells), told.counts["near_duplicates"]
    each_its_own = told.patients > 50 and told.patients > 0.8 * (cells - told.unknown_patients)
    unlisted = max(len(sieved.duplicates), told.counts["quarantined"], told.counts["overlap"]) > LISTED
    found = [
        Warned("unmatched-rows", named.unmatched),
        Warned("unknown-patients", told.unknown_patients, cells),
        Warned("near-duplicates", near),
        Warned("patient-per-cell", told.patients if each_its_own else 0),
        Warned("known", sieved.known),
        *(_gate_warned(shard.cells, held) if shard.kind == "site" else ()),
        Warned("listed-only", LISTED if unlisted else 0),
    ]
    return [one for one in found if one.count]


def _gate_warned(cells: Sequence[ShardCell], held: Held) -> list[Warned]:
    gate = [cell for cell in cells if cell.role == Role.GATE]
    found = [
        Warned(f"no-gate-{label.text.lower()}", len(cells))
        for label in Label
        if all(cell.label != label for cell in gate)
    ]
    return [*found, Warned("gate-learnt", sum(cell.patient in held.patients for cell in gate))]
