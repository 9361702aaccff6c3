"""One SQLite file that several processes share, any of which may be killed at any time.

The write-ahead log lets readers read while a writer writes; every change is one immediate transaction, so
no two writers start from the same row.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from malaria.errors import Busy, Damaged


class SqliteFile:
    """A file with tables. A connection lives for one call, so threads and forks share none.

    what: the file's content, for people. schema: SQL that makes the tables, of which `last` is made last.
    busy: seconds to wait for another writer. Every method raises Busy where the file stays locked or cannot
    be written, and Damaged where it is no longer a database.
    """

    def __init__(self, path: Path, what: str, schema: str, last: str, busy: float) -> None:
        self._path, self._what, self._busy = path, what, busy
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (last,)).fetchone():
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(f"BEGIN IMMEDIATE;{schema}COMMIT;")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in which nothing is changed."""
        try:
            with closing(sqlite3.connect(self._path, timeout=self._busy, isolation_level=None)) as db:
                yield db
        except sqlite3.OperationalError as error:  # locked, read-only, disk full: nothing is lost
            raise Busy(f"{self._what}, {self._path.name}, cannot be used now: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise Damaged(
                f"{self._what}, {self._path.name}, is damaged ({error}). Restore it from a backup."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block or nothing."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # a full disk has ended it already
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
