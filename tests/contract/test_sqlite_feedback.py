"""What only the store in a file must stand: other processes, files that are none, rows that cannot be
read."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.errors import Busy, Damaged
from tests.contract.test_feedback import row

WRITER = """
import sys
from pathlib import Path
from malaria.adapters.sqlite_feedback import SqliteFeedback
from tests.contract.test_feedback import row

store = SqliteFeedback(Path(sys.argv[1]))
for i in range(40):
    store.add(row(f"shared-{i}"))
    store.add(row(f"{sys.argv[2]}-{i}", by=sys.argv[2]))
"""


FULL = """
import resource, signal, sys
from pathlib import Path
from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.errors import Busy
from tests.contract.test_feedback import row

store = SqliteFeedback(Path(sys.argv[1]))
store.add(row("before"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
roomy = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, roomy[1]))
for i in range(1000):
    try:
        store.add(row(f"n{i}", by="x" * 200))
    except Busy as error:
        refused = f"n{i}"
        assert "cannot be used now" in str(error)
        break
assert refused not in {one.said.nonce for one in store.list()}
assert len(store.list()) == i + 1
resource.setrlimit(resource.RLIMIT_FSIZE, roomy)
assert store.add(row(refused)) == row(refused)
"""


def test_without_room_a_label_is_refused_and_none_is_lost(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "feedback.sqlite")], timeout=120)
    assert done.returncode == 0
    assert len(SqliteFeedback(tmp_path / "feedback.sqlite").list()) > 5


def test_processes_share_a_file_that_all_of_them_make_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "feedback.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"w{i}"]) for i in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    nonces = [one.said.nonce for one in SqliteFeedback(path).list()]
    assert len(nonces) == len(set(nonces)) == 4 * 40


def test_rows_of_one_answer_are_found_by_an_index(tmp_path: Path) -> None:
    from malaria.adapters import sqlite_feedback

    SqliteFeedback(tmp_path / "feedback.sqlite")
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite")) as db:
        plan = " ".join(r[3] for r in db.execute(f"EXPLAIN QUERY PLAN {sqlite_feedback._OF_ONE}", ("one",)))
    assert "USING INDEX confirmations_by_prediction" in plan
    assert "TEMP B-TREE" not in plan


def test_a_locked_file_is_told_and_loses_nothing(tmp_path: Path) -> None:
    store = SqliteFeedback(tmp_path / "feedback.sqlite", busy=0.05)
    store.add(row())
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.list() == [row()]
        with pytest.raises(Busy, match=r"confirmed labels, feedback\.sqlite, cannot be used now"):
            store.add(row("two"))
        other.execute("ROLLBACK")
    assert store.add(row("two")) == row("two")


def test_a_file_that_is_none_and_a_row_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(Damaged, match=r"text\.sqlite"):
        SqliteFeedback(tmp_path / "text.sqlite")
    store = SqliteFeedback(tmp_path / "feedback.sqlite")
    store.add(row())
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite", isolation_level=None)) as db:
        for body in ("{", '{"label": 1}'):
            db.execute("UPDATE confirmations SET body = ?", (body,))
            with pytest.raises(Damaged, match="Confirmation"):
                store.list()
