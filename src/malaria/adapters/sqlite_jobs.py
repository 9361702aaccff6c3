"""The ledger of jobs in one SQLite file. A row is the job as JSON beside the few columns that are
searched."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from malaria import codec
from malaria.adapters.sqlite_file import SqliteFile
from malaria.domain import Job, JobState
from malaria.errors import AlreadyExists, Damaged, JobFinished, UnknownTask
from malaria.ports import Clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created, number);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created, number);
CREATE TABLE IF NOT EXISTS lease (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    token INTEGER NOT NULL,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL,
    span INTEGER NOT NULL
);
INSERT OR IGNORE INTO lease VALUES (1, 0, '', 0, 0);
"""
_ALL = "SELECT body FROM jobs ORDER BY created DESC, number DESC LIMIT ?"
_OF_STATE = "SELECT body FROM jobs WHERE state = ? ORDER BY created DESC, number DESC LIMIT ?"


class SqliteJobs:
    """A JobStore in a file; busy: seconds to wait for another writer. Beside what the port names, every
    method raises as SqliteFile does."""

    def __init__(self, path: Path, clock: Clock, *, busy: float = 30.0) -> None:
        self._clock = clock
        self._file = SqliteFile(path, "The ledger of jobs", _SCHEMA, "lease", busy)

    def add(self, job: Job) -> Job:
        with self._file.writing() as db:
            standing = db.execute("SELECT body FROM jobs WHERE identity = ?", (job.identity,)).fetchone()
            if standing:
                return _job(standing[0])
            if db.execute("SELECT 1 FROM jobs WHERE id = ?", (job.id,)).fetchone():
                raise AlreadyExists(f"Another job has the id {job.id}.")
            db.execute(
                "INSERT INTO jobs (id, identity, created, state, body) VALUES (?, ?, ?, ?, ?)",
                (job.id, job.identity, _micros(job.created), job.state.value, _body(job)),
            )
            return job

    def get(self, job_id: str) -> Job:
        with self._file.reading() as db:
            return _found(db, job_id)

    def list(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        with self._file.reading() as db:
            if state is None:
                rows = db.execute(_ALL, (limit,))
            else:
                rows = db.execute(_OF_STATE, (state.value, limit))
            return [_job(body) for (body,) in rows]

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        with self._file.writing() as db:
            job = _found(db, job_id)
            if job.state.terminal:
                raise JobFinished(f"Job {job_id} has ended ({job.state.value}); nothing can change it.")
            changed = change(job)
            db.execute(
                "UPDATE jobs SET state = ?, body = ? WHERE id = ?",
                (changed.state.value, _body(changed), job_id),
            )
            return changed

    def acquire(self, owner: str, seconds: float) -> int | None:
        """Also None for an owner that holds the lease already: two processes may bear one name."""
        with self._file.writing() as db:
            now = _micros(self._clock.now())
            token, until, span = db.execute("SELECT token, until, span FROM lease").fetchone()
            if now < until:
                if until - now > span:  # the clock was set back: let the lease end `span` from now, not later
                    db.execute("UPDATE lease SET until = ?", (now + span,))
                return None
            span = _span(seconds)
            db.execute(
                "UPDATE lease SET token = ?, owner = ?, until = ?, span = ?",
                (token + 1, owner, now + span, span),
            )
            return int(token) + 1

    def renew(self, token: int, seconds: float) -> bool:
        """A lease that ran out is renewed all the same while nobody took it: a laptop may have slept."""
        with self._file.writing() as db:
            span = _span(seconds)
            until = _micros(self._clock.now()) + span
            held = "UPDATE lease SET until = ?, span = ? WHERE token = ? AND owner != ''"
            return db.execute(held, (until, span, token)).rowcount == 1

    def release(self, token: int) -> None:
        with self._file.writing() as db:
            db.execute("UPDATE lease SET until = 0, owner = '' WHERE token = ?", (token,))


def _found(db: sqlite3.Connection, job_id: str) -> Job:
    row = db.execute("SELECT body FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise UnknownTask(f"There is no task {job_id[:100]!r}.")
    return _job(row[0])


def _job(body: str) -> Job:
    try:
        return codec.job_from_json(json.loads(body))
    except json.JSONDecodeError as error:
        raise Damaged(f"A stored Job cannot be read: {error}.") from error


def _body(job: Job) -> str:
    return json.dumps(codec.to_json(job), ensure_ascii=True)


def _micros(time: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _span(seconds: float) -> int:
    return int(seconds * 1_000_000)
