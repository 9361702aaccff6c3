"""How often the test patients were looked at: a record that is only ever appended to.

Whoever chooses by a test set learns from it. So each measurement on test patients is written down, with what
was measured, and told its number; a release may look once, and says so.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

FILE = "test-looks.jsonl"
"""The record's name: in a home, and beside the shipped models for the looks of the project itself."""


@dataclass(frozen=True, slots=True)
class Look:
    """One measurement. digest: SHA-256 of the model, sha256: of the data. cells, patients: of role test."""

    date: datetime
    version: str
    digest: str
    data: str
    sha256: str
    command: str
    cells: int
    patients: int


def add(record: Path, look: Look, before: Iterable[Path] = ()) -> int:
    """Append a look, one line of JSON, and return its number, counting the records `before` too.

    The line is on the disk when this returns. Several processes may append to one record.
    """
    record.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({**asdict(look), "date": look.date.isoformat(timespec="seconds")}) + "\n"
    written = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(written, line.encode())  # one call: a line is never torn by another's
        os.fsync(written)
    finally:
        os.close(written)
    return sum(map(count, {path.resolve() for path in (record, *before)}))


def count(record: Path) -> int:
    """How many looks a record holds; 0 where there is none."""
    return len(record.read_text(encoding="utf-8").splitlines()) if record.is_file() else 0
