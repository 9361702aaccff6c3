"""How often what is kept for the test was looked at: a record that is only ever appended to.

Whoever chooses by a test set learns from it. So each measurement on test patients is written down, with what
was measured, and told its number; a release may look once, and says so. Patients are one set, the fields of
each other laboratory another, and looks at each are counted apart.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

FILE = "test-looks.jsonl"
"""The record's name: in a home, and beside the shipped models for the looks of the project itself."""
PATIENTS = "patients"
"""The set of the test patients."""


@dataclass(frozen=True, slots=True)
class Look:
    """One measurement. digest: SHA-256 of the model, sha256: of the data. of: the set that was looked at.
    cells, patients, fields: of role test."""

    date: datetime
    version: str
    digest: str
    data: str
    sha256: str
    command: str
    cells: int
    patients: int
    fields: int = 0
    of: str = PATIENTS


def add(record: Path, look: Look, before: Iterable[Path] = ()) -> int:
    """Append a look, one line of JSON, and return its number among those at the same set, counting the
    records `before` too.

    The line is on the disk when this returns. Several processes may append to one record: they wait for one
    another, so that no line is torn or read half written, and each look gets a number of its own.
    """
    record.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({**asdict(look), "date": look.date.isoformat(timespec="seconds")}) + "\n"
    others = {path.resolve() for path in before} - {record.resolve()}
    with record.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        return _of(file.read(), look.of) + sum(count(path, look.of) for path in others)


def fields_of(named: str) -> str:
    """The set of the test fields of a laboratory."""
    return f"fields of {named}"


def count(record: Path, of: str = PATIENTS) -> int:
    """How many looks at a set a record holds; 0 where there is no record."""
    if not record.is_file():
        return 0
    with record.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return _of(file.read(), of)


def read(record: Path) -> list[Look]:
    """Every look that a record holds, the oldest first; none where there is no record."""
    if not record.is_file():
        return []
    with record.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        told = [json.loads(line) for line in file.read().splitlines()]
    return [Look(**{**one, "date": datetime.fromisoformat(one["date"])}) for one in told]


def _of(lines: str, of: str) -> int:
    return sum(json.loads(line).get("of", PATIENTS) == of for line in lines.splitlines())
