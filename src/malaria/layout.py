"""Which files of an upload are pictures of which class; tells apart a wrong layout and single stray files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from malaria.archive import Archive, Entry, printable
from malaria.cells import FOLDERS, is_picture, label_of
from malaria.domain import Label
from malaria.errors import BadLayout
from malaria.patients import patient_of

EXPECTED = "Put the pictures into two folders, Parasitized and Uninfected."
_OWN_FILES = ("patients.csv", "retrain.json")


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that is not used. label: the class it lay under, or ''. other: the entry that contradicts it,
    where one does."""

    name: str
    code: str
    reason: str
    label: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file under a class folder, not yet read.

    named: the patient that its own name tells; patient: the one that counts.
    """

    entry: Entry
    label: Label
    named: str | None
    patient: str | None


@dataclass(frozen=True)
class Listing:
    """pictures: sorted by name, so that an upload's own order changes nothing."""

    pictures: Sequence[Picture]
    refused: Sequence[Refused]
    entries: int
    skipped: int


def listing(archive: Archive) -> Listing:
    """Sort out an upload by names alone. Raises BadLayout where a class has no file."""
    pictures, refused, skipped = [], [], 0
    for entry in sorted(archive.entries, key=lambda entry: entry.name):
        if entry.hidden:
            skipped += 1
        elif PurePosixPath(entry.name).name.lower() not in _OWN_FILES:
            sorted_out = _sort_out(entry)
            if isinstance(sorted_out, Picture):
                pictures.append(sorted_out)
            else:
                refused.append(sorted_out)
    _check(archive, {picture.label for picture in pictures})
    return Listing(pictures, refused, len(archive.entries), skipped)


def _sort_out(entry: Entry) -> Picture | Refused:
    label, parts = label_of(entry.name), PurePosixPath(entry.name).parts[:-1]
    if label is None:
        if entry.problem is not None:
            return Refused(entry.shown, entry.problem.code, entry.problem.reason)
        if is_picture(entry.name):
            return Refused(entry.shown, "no-class", "It lies in neither Parasitized nor Uninfected.")
        return Refused(entry.shown, "not-a-picture", "It is not a picture.")
    if len({FOLDERS[part.lower()] for part in parts if part.lower() in FOLDERS}) > 1:
        return Refused(entry.shown, "two-classes", "Its path names both classes, so its label is not clear.")
    named = patient_of(entry.name)
    return Picture(entry, label, named, named)


def _check(archive: Archive, present: set[Label]) -> None:
    missing = [label.text for label in Label if label not in present]
    if not missing:
        return
    seen = [entry for entry in archive.entries if not entry.hidden]
    folders = sorted({str(PurePosixPath(entry.name).parent) for entry in seen} - {"."})
    if not seen:
        raise BadLayout(f"The ZIP holds no files. {EXPECTED}")
    if len(missing) == 1:
        raise BadLayout(
            f"The folder {missing[0]} is missing or empty. Add it: a retraining needs cells of both classes."
        )
    shown = ", ".join(printable(folder) for folder in folders[:10]) or "none"
    more = f" and {len(folders) - 10} more" if len(folders) > 10 else ""
    found = (
        f"No pictures in folders Parasitized or Uninfected were found; the ZIP's folders are: {shown}{more}."
    )
    raise BadLayout(f"{found} {EXPECTED}")
