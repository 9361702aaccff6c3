"""What only the ledger in a file must stand: killed processes, files that are none, other writers."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.domain import JobState
from malaria.errors import Busy, Damaged
from tests.contract.clock import SetClock
from tests.contract.test_jobs import full_job, job

COUNTER = """
import sys
from dataclasses import replace
from pathlib import Path
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.domain import JobState
from tests.contract.clock import SetClock
from tests.contract.test_jobs import job

clock = SetClock()
jobs = SqliteJobs(Path(sys.argv[1]), clock)
jobs.add(job(clock, "counted"))
done = 0
while done < int(sys.argv[2]):
    done = jobs.change("counted", lambda j: replace(j, attempt=j.attempt + 1, reason="x" * 20_000)).attempt
    jobs.acquire("counter", 0.0)
    print(done, flush=True)
"""


def counter(path: Path, until: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", COUNTER, str(path), str(until)], stdout=subprocess.PIPE)


def last(process: subprocess.Popen[bytes], before: int = 0) -> int:
    """The last number that a counter told; `before` where a busy machine let it tell no more after that."""
    told, _ = process.communicate(timeout=60)
    lines = told.split(b"\n")[:-1]
    return int(lines[-1]) if lines else before


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])


def test_a_writer_killed_in_the_middle_loses_nothing_it_was_told_stands(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    for round_ in range(4):
        process = counter(path, 10**9)
        assert process.stdout is not None
        begun = int(process.stdout.readline())
        time.sleep(0.11 + 0.037 * round_)
        process.send_signal(signal.SIGKILL)
        told = last(process, begun)
        jobs = SqliteJobs(path, SetClock())
        assert integrity(path) == "ok"
        assert told <= jobs.get("counted").attempt <= told + 1
        assert jobs.change("counted", lambda j: replace(j, attempt=j.attempt + 1)).attempt > told


def test_processes_share_a_ledger_that_all_of_them_make_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "jobs.sqlite"
    processes = [counter(path, 60) for _ in range(4)]
    assert max(last(process) for process in processes) >= 60
    assert [process.returncode for process in processes] == [0] * 4
    assert 60 <= SqliteJobs(path, SetClock()).get("counted").attempt <= 63


def test_rows_outlive_the_process(tmp_path: Path) -> None:
    clock = SetClock()
    added = SqliteJobs(tmp_path / "jobs.sqlite", clock).add(full_job(clock))
    assert SqliteJobs(tmp_path / "jobs.sqlite", clock).get(added.id) == added


def test_lists_are_read_from_an_index(tmp_path: Path) -> None:
    from malaria.adapters import sqlite_jobs

    SqliteJobs(tmp_path / "jobs.sqlite", SetClock())
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as db:
        for query, values in ((sqlite_jobs._ALL, (5,)), (sqlite_jobs._OF_STATE, (JobState.QUEUED.value, 5))):
            plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values))
            assert "USING INDEX jobs_by" in plan
            assert "TEMP B-TREE" not in plan


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    clock = SetClock()
    jobs = SqliteJobs(tmp_path / "jobs.sqlite", clock, busy=0.05)
    jobs.add(job(clock, "a"))
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert jobs.get("a").id == "a"
        assert len(jobs.list()) == 1
        with pytest.raises(Busy, match="locked"):
            jobs.change("a", lambda j: j)
        other.execute("ROLLBACK")
    assert jobs.change("a", lambda j: replace(j, attempt=1)).attempt == 1


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(Damaged, match=r"jobs\.sqlite"):
        SqliteJobs(path, SetClock())
    assert path.read_bytes().startswith(b"this is no database")


def test_a_row_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    clock = SetClock()
    jobs = SqliteJobs(tmp_path / "jobs.sqlite", clock)
    jobs.add(job(clock, "a"))
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)) as db:
        for body, said in (("{", "Job"), ('{"id": "a"}', "identity")):
            db.execute("UPDATE jobs SET body = ?", (body,))
            with pytest.raises(Damaged, match=said):
                jobs.get("a")
