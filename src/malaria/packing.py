"""Confirmed labels and the pictures that they name, found by their pixels, as a ZIP that a retraining takes
in."""

import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from PIL import Image

from malaria import preprocess, whole
from malaria.archive import Problem, printable
from malaria.domain import Confirmation, Label, Progress
from malaria.errors import BadInput
from malaria.feedback import Settled
from malaria.ports import Report
from malaria.spool import entry
from malaria.uploads import table


@dataclass(frozen=True)
class Packed:
    """What went into a ZIP, and what did not.

    written: cells by class. with_patient: of these, cells whose patient is told. missing: confirmed cells
    of which no picture was found. disputed: what people said of each picture that they disagree about, by
    the picture's name, or by its fingerprint where it was not found. repeated: pictures whose pixels equal
    those of one before. unconfirmed: pictures that nobody labelled. unreadable: why, by name.
    """

    written: Mapping[str, int]
    with_patient: int
    missing: int
    disputed: Mapping[str, Mapping[str, str]]
    repeated: int
    unconfirmed: int
    unreadable: Mapping[str, str]


@dataclass
class _Found:
    """Which fingerprints were met, under which name first; and what else there was."""

    names: dict[int, str] = field(default_factory=dict)
    repeated: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)


def pack(
    settled: Settled,
    pictures: Iterable[tuple[str, str | None, bytes | Problem]],
    out: Path,
    report: Report | None = None,
) -> Packed:
    """Write the pictures whose label is settled, in the layout of an upload: whole, or not at all.

    pictures: path, patient (where the confirmation tells none) and bytes of each. They are written as PNG
    without metadata, under their own names, which may tell a patient or a field; equal pictures and labels
    in the same order give equal bytes.

    Raises BadInput where not both classes would be in it, OSError where it cannot be written.
    """
    known, found = settled.by_picture(), _Found()
    patients: dict[str, str] = {}
    counts: Counter[Label] = Counter()
    with whole.file(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for done, (path, patient, data) in enumerate(pictures, start=1):
            cell = _met(found, path, data)
            if report is not None:
                report(Progress("export", message=f"{done:,} pictures looked at"))
            if cell is None or (row := known.get(cell[0])) is None:
                continue
            fingerprint, png = cell[0], preprocess.to_png(cell[1])
            name = _name(row, fingerprint, path)
            archive.writestr(entry(name), png)
            counts[row.label] += 1
            if row.patient or patient:
                patients[name] = row.patient or patient or ""
        _need_both(counts, known, found)
        if patients:
            archive.writestr(entry("patients.csv"), table(patients))
    return _told(settled, found, counts, len(patients))


def _met(found: _Found, path: str, data: bytes | Problem) -> tuple[int, Image.Image] | None:
    """Fingerprint and picture, the first time that its pixels are met."""
    try:
        if isinstance(data, Problem):
            raise BadInput(data.reason)
        image = preprocess.decode(data)
    except BadInput as error:
        found.unreadable[printable(path)] = str(error)
        return None
    fingerprint = preprocess.fingerprint_of(image)
    if fingerprint in found.names:
        found.repeated += 1
        return None
    found.names[fingerprint] = path
    return fingerprint, image


def _name(row: Confirmation, fingerprint: int, path: str) -> str:
    """A folder of its own lets each picture keep its own name, by which ingest knows patient and field."""
    name = PurePosixPath(path.replace("\\", "/")).name  # ingest takes both for the end of a folder's name
    stem = PurePosixPath(printable(name)).stem
    return f"{row.label.text}/{fingerprint:016x}/{stem}.png"


def _need_both(counts: Counter[Label], known: Mapping[int, Confirmation], found: _Found) -> None:
    missing = [label.text for label in Label if not counts[label]]
    if not missing:
        return
    confirmed = sum(row.label.text in missing for row in known.values())
    raise BadInput(
        f"No picture with the confirmed label {' or '.join(missing)} was found among {len(found.names):,} "
        f"pictures; {confirmed:,} cells are confirmed so. A retraining needs both classes: confirm some, or "
        "name the folder that holds the very pictures that were sent. Nothing was written."
    )


def _told(settled: Settled, found: _Found, counts: Counter[Label], with_patient: int) -> Packed:
    known = settled.by_picture()
    disputed = {
        printable(found.names.get(cell, f"{cell:016x}")): {row.by: row.label.text for row in words}
        for cell, words in settled.disputed.items()
    }
    return Packed(
        written={label.text: counts[label] for label in reversed(Label)},
        with_patient=with_patient,
        missing=len(known.keys() - found.names.keys()),
        disputed=disputed,
        repeated=found.repeated,
        unconfirmed=len(found.names.keys() - known.keys() - settled.disputed.keys()),
        unreadable=found.unreadable,
    )
