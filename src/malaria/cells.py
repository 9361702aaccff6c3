"""Labelled cells as they lie on disk: a ZIP or a folder with `Parasitized/` and `Uninfected/`.

For data that the reader trusts (evaluation, base data). Uploads go through `ingest`, which trusts nothing.
"""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from malaria.archive import Archive, Limits, Problem
from malaria.domain import Cell, Label
from malaria.errors import BadArchive, BadLayout
from malaria.patients import Spelling, patient_of
from malaria.patients_csv import read_patients

FOLDERS = {"parasitized": Label.PARASITIZED, "uninfected": Label.UNINFECTED}
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"})


def label_of(path: str) -> Label | None:
    """The label named by a path's nearest class folder (any case, any depth), or None."""
    for part in reversed(PurePosixPath(path).parts[:-1]):
        if (label := FOLDERS.get(part.lower())) is not None:
            return label
    return None


def is_picture(path: str) -> bool:
    """Whether a path looks like a picture a person put there (not `__MACOSX`, not a dot file)."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and PurePosixPath(path).suffix.lower() in SUFFIXES


def count(source: Path) -> int:
    """How many pictures under class folders a ZIP or folder holds; 0 where it is neither: `read` says so."""
    names: list[str] = []
    if source.is_dir():
        names = [p.relative_to(source).as_posix() for p in source.rglob("*")]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    return sum(label_of(name) is not None and is_picture(name) for name in names)


Problems = Callable[[Cell, Problem], None]
"""Told of a picture that a ZIP holds but does not yield, and why."""


def read(source: Path, problems: Problems | None = None) -> Iterator[tuple[Cell, bytes]]:
    """Each labelled cell of a ZIP or folder with its bytes, in the order of names.

    Patients are read off NIH-style names, or from a patients.csv beside the class folders.

    Raises:
        BadLayout: the source does not exist, or holds no picture under a class folder.
        BadArchive: the ZIP or its patients.csv cannot be used; or an entry, where `problems` is None.
    """
    found = False
    for path, patient, data in pictures(source):
        label = label_of(path)
        if label is None:
            continue
        found, cell = True, Cell(PurePosixPath(path).name, label, patient)
        if not isinstance(data, Problem):
            yield cell, data
        elif problems is not None:
            problems(cell, data)
        else:
            raise BadArchive(f"{path} cannot be read. {data.reason}")
    if not found:
        raise BadLayout(
            f"{source} holds no pictures under Parasitized/ or Uninfected/. "
            "Put each cell's picture into the folder of its class."
        )


Pictures = Iterator[tuple[str, str | None, bytes | Problem]]


def pictures(source: Path) -> Pictures:
    """Every picture of a ZIP or folder, under a class or not, in the order of names: its path, its patient
    where that is told, and its bytes or why they cannot be had.

    Raises BadLayout where the source is neither, BadArchive where the ZIP or its patients.csv cannot be used.
    """
    if source.is_dir():
        return _spelt(_folder(source))
    if source.is_file() and zipfile.is_zipfile(source):
        return _spelt(_archive(source))
    raise BadLayout(f"{source} is neither a folder nor a ZIP.")


def _spelt(found: Pictures) -> Pictures:
    """The same with one spelling for each patient."""
    spelling = Spelling()
    for path, patient, data in found:
        yield path, spelling.of(patient) if patient else patient, data


def _folder(source: Path) -> Pictures:
    paths = {p.relative_to(source).as_posix(): p for p in sorted(source.rglob("*")) if p.is_file()}
    pictures = [name for name in paths if is_picture(name)]
    table = source / "patients.csv"
    named = read_patients(table.read_bytes(), pictures).patients if table.is_file() else {}
    for name in pictures:
        yield name, named.get(name, patient_of(name)), paths[name].read_bytes()


def _archive(source: Path) -> Pictures:
    """Entry by entry through the safe reader: one that is damaged or encrypted does not sink the rest."""
    with Archive(source, Limits(max_archive_bytes=2**36, max_total_bytes=2**36)) as opened:
        pictures = sorted((e for e in opened.entries if is_picture(e.name)), key=lambda entry: entry.name)
        table = opened.find("patients.csv")
        told = opened.read(table) if table else None
        if isinstance(told, Problem):
            raise BadArchive(f"patients.csv cannot be read. {told.reason}")
        named = read_patients(told, [e.name for e in pictures]).patients if told is not None else {}
        for entry in pictures:
            yield entry.name, named.get(entry.name, patient_of(entry.name)), opened.read(entry)
