"""Confirmed labels in one SQLite file. A row is a confirmation as JSON, beside its prediction's nonce."""

import json
from pathlib import Path

from malaria import codec
from malaria.adapters.sqlite_file import SqliteFile
from malaria.domain import Confirmation
from malaria.errors import Damaged

_SCHEMA = """
CREATE TABLE IF NOT EXISTS confirmations (
    number INTEGER PRIMARY KEY,
    prediction TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS confirmations_by_prediction ON confirmations (prediction, number);
"""
_OF_ONE = "SELECT body FROM confirmations WHERE prediction = ? ORDER BY number"
_ADD = "INSERT INTO confirmations (prediction, body) VALUES (?, ?)"


class SqliteFeedback:
    """A FeedbackStore in a file; busy: seconds to wait for another writer. Every method raises as SqliteFile
    does."""

    def __init__(self, path: Path, *, busy: float = 30.0) -> None:
        self._file = SqliteFile(
            path, "The file of confirmed labels", _SCHEMA, "confirmations_by_prediction", busy
        )

    def add(self, row: Confirmation) -> Confirmation:
        with self._file.writing() as db:
            same = [_row(body) for (body,) in db.execute(_OF_ONE, (row.said.nonce,))]
            standing = row.repeated(same)
            if standing is None:
                db.execute(_ADD, (row.said.nonce, json.dumps(codec.to_json(row))))
            return standing or row

    def list(self) -> list[Confirmation]:
        with self._file.reading() as db:
            return [_row(body) for (body,) in db.execute("SELECT body FROM confirmations ORDER BY number")]


def _row(body: str) -> Confirmation:
    try:
        return codec.from_json(Confirmation, json.loads(body))
    except json.JSONDecodeError as error:
        raise Damaged(f"A stored Confirmation cannot be read: {error}.") from error
