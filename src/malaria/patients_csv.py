"""Reads the `patients.csv` of an upload: which picture is of which patient."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import normalize

from malaria.archive import printable
from malaria.errors import BadArchive

MAX_ID = 100


@dataclass(frozen=True, slots=True)
class Named:
    """patients: of each picture named, by its path. unmatched: rows that name no picture of the ZIP."""

    patients: Mapping[str, str]
    unmatched: int


def read_patients(data: bytes, pictures: Iterable[str]) -> Named:
    """Match the rows of a `patients.csv` to the paths of an upload's pictures.

    A row's `file` is a picture's path, or as much of its end as names one picture only.
    Raises BadArchive, naming the line and how to mend it.
    """
    by_end = _ends(pictures)
    found: dict[str, str] = {}
    unmatched = 0
    for line, file, patient in _rows(data):
        name = normalize("NFC", file.replace("\\", "/").removeprefix("./"))
        matches = by_end.get(name, [])
        if len(matches) > 1 and name not in matches:
            said = f"{printable(file)!r} names {len(matches)} pictures"
            raise _bad(line, f"{said}; write the path, such as {printable(matches[0])}")
        if not matches:
            unmatched += 1
            continue
        path = matches[0] if len(matches) == 1 else name
        if found.setdefault(path, patient) != patient:
            raise _bad(line, f"{printable(file)!r} was given another patient above; keep one of the two rows")
    if unmatched and not found:
        raise _bad(2, "no row, from here on, names a picture of the ZIP; write names as they stand there")
    return Named(found, unmatched)


def _ends(pictures: Iterable[str]) -> dict[str, list[str]]:
    """Every end of every path ('a/b/c.png', 'b/c.png', 'c.png') with the paths it may mean."""
    ends = defaultdict(list)
    for path in pictures:
        parts = PurePosixPath(path).parts
        for i in range(max(0, len(parts) - 4), len(parts)):
            ends["/".join(parts[i:])].append(path)
        if len(parts) > 4:
            ends[path].append(path)
    return ends


def _rows(data: bytes) -> Iterable[tuple[int, str, str]]:
    """Line number, file and patient of each row. Raises BadArchive."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _bad(line, "it is not UTF-8; save the table as 'CSV UTF-8'") from None
    header = next(io.StringIO(text, newline=""), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        if not {"file", "patient"} <= set(columns):
            raise _bad(1, "the first line must name the columns, 'file,patient'")
        at_file, at_patient = columns.index("file"), columns.index("patient")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(at_file, at_patient):
                raise _bad(reader.line_num, f"it has {len(row)} columns, the first line {len(columns)}")
            file, patient = row[at_file].strip(), row[at_patient].strip()
            _check(reader.line_num, file, patient)
            yield reader.line_num, file, patient
    except csv.Error as error:
        raise _bad(reader.line_num, f"it is not CSV ({error})") from None


def _check(line: int, file: str, patient: str) -> None:
    if not file:
        raise _bad(line, "it names no file")
    if not patient:
        raise _bad(line, "it names no patient; leave the row out where the patient is unknown")
    if len(patient) > MAX_ID or not patient.isprintable():
        raise _bad(line, f"the patient's id must be at most {MAX_ID} printable characters")


def _bad(line: int, what: str) -> BadArchive:
    return BadArchive(f"patients.csv, line {line}: {what}.")
