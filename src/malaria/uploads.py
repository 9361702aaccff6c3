"""A ZIP as a laboratory sends it: a folder for each class, and which cell is of which patient."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from malaria.domain import Label
from malaria.spool import entry


class Picture(NamedTuple):
    """One cell to send. name: of its file; png: its bytes."""

    label: Label
    name: str
    patient: str
    png: bytes


def write(target: Path | IO[bytes], pictures: Iterable[Picture]) -> None:
    """Write an upload; the same pictures in the same order give the same bytes."""
    patients: dict[str, str] = {}
    with zipfile.ZipFile(target, "w") as archive:
        for picture in pictures:
            name = f"{picture.label.text}/{picture.name}"
            archive.writestr(entry(name), picture.png)
            patients[name] = picture.patient
        archive.writestr(entry("patients.csv"), table(patients))


def table(patients: Mapping[str, str]) -> str:
    """A patients.csv: the patient of each file, in their order."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("file", "patient"), *patients.items()])
    return out.getvalue()
