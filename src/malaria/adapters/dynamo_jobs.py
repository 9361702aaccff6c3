"""The ledger of jobs in one DynamoDB table. A row is the job as JSON beside the few attributes that are
searched; what belongs to one ledger shares the table: identities, the lease and a counter.

Keys: partition `kind`, sort `id`. Local secondary indexes `by-time` (sort `by_time`) and `by-state` (sort
`by_state`), local because only those can be read strongly consistent, and the dispatcher decides by them.
"""

import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from malaria import codec
from malaria.adapters.aws_clients import Clients
from malaria.adapters.dynamo_lease import DynamoLease
from malaria.adapters.dynamo_table import ConditionFailed, DynamoTable, body, read
from malaria.domain import Job, JobState
from malaria.errors import AlreadyExists, BadInput, JobFinished, UnknownTask
from malaria.ports import Clock

BY_TIME, BY_STATE = "by-time", "by-state"
_JOB, _IDENTITY = "job", "identity"
_COUNTER = {"kind": {"S": "counter"}, "id": {"S": "jobs"}}
"""Tells, of jobs created at one time, the later added."""
_LONGEST_ID = 1024
_REMEMBERED = 8
"""Of so many writes a row keeps the names, for a writer whose answer was lost."""
_ABSENT = "attribute_not_exists(id)"


class DynamoJobs:
    """A JobStore in a table; busy: seconds to try for where others keep changing a row. Beside what the port
    names, every method raises as DynamoTable does, and BadInput where a job is too large for a row."""

    def __init__(
        self, clients: Clients, table: Callable[[], str], clock: Clock, *, busy: float = 30.0
    ) -> None:
        self._table = DynamoTable(clients, table, "The ledger of jobs", busy)
        self._lease = DynamoLease(self._table, clock)

    def add(self, job: Job) -> Job:
        identity = _key(_IDENTITY, hashlib.sha256(job.identity.encode("utf-8", "surrogatepass")).hexdigest())
        row: dict[str, Any] = {}
        for _ in self._table.tries():
            standing = self._table.get(identity)
            if standing is not None:
                return self.get(standing["job"]["S"])
            row = row or _row(job, f"{_micros(job.created):018}.{self._table.count(_COUNTER):012}")
            try:
                self._table.put_all([{**identity, "job": {"S": job.id}}, row], _ABSENT)
            except ConditionFailed as failed:
                if failed.which == (1,):
                    raise AlreadyExists(f"Another job has the id {job.id}.") from None
                continue
            return job
        raise AssertionError("unreachable")

    def get(self, job_id: str) -> Job:
        return _job(self._found(job_id))

    def list(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        values, where = {":kind": {"S": _JOB}}, "kind = :kind"
        if state is not None:
            values[":state"], where = {"S": f"{state.value}#"}, f"{where} AND begins_with(by_state, :state)"
        rows = self._table.query(
            max(0, limit),
            IndexName=BY_TIME if state is None else BY_STATE,
            Select="ALL_ATTRIBUTES",
            KeyConditionExpression=where,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
        )
        return [_job(row) for row in rows]

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """A write whose answer was lost is found again by its name, so that no change is made twice."""
        tried: dict[str, Job] = {}
        for _ in self._table.tries():
            row = self._found(job_id)
            done = [tried[name["S"]] for name in row["written"]["L"] if name["S"] in tried]
            if done:
                return done[0]
            job = _job(row)
            if job.state.terminal:
                raise JobFinished(f"Job {job_id} has ended ({job.state.value}); nothing can change it.")
            changed = change(job)
            if changed == job:
                return job
            again = _row(changed, row["by_time"]["S"], row)
            tried[again["version"]["S"]] = changed
            try:
                self._table.put(
                    again,
                    ConditionExpression="version = :seen",
                    ExpressionAttributeValues={":seen": row["version"]},
                )
            except ConditionFailed:
                continue
            return changed
        raise AssertionError("unreachable")

    def acquire(self, owner: str, seconds: float) -> int | None:
        return self._lease.acquire(owner, seconds)

    def renew(self, token: int, seconds: float) -> bool:
        return self._lease.renew(token, seconds)

    def release(self, token: int) -> None:
        self._lease.release(token)

    def _found(self, job_id: str) -> dict[str, Any]:
        row = self._table.get(_key(_JOB, job_id)) if _can_be_a_key(job_id) else None
        if row is None:
            raise UnknownTask(f"There is no task {job_id[:100]!r}.")
        return row


def _key(kind: str, name: str) -> dict[str, Any]:
    return {"kind": {"S": kind}, "id": {"S": name}}


def _can_be_a_key(text: str) -> bool:
    """Whether DynamoDB takes it for the id of a row at all; other ids are those of no job."""
    try:
        return 0 < len(text.encode()) <= _LONGEST_ID
    except UnicodeEncodeError:
        return False


def _row(job: Job, by_time: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """A job as a row. before: the row that it replaces. Raises BadInput where it is too large."""
    name = {"S": uuid.uuid4().hex}
    try:
        content = body(codec.to_json(job))
    except ValueError as error:
        raise BadInput(
            f"What is to be kept of job {job.id} is too much: {error}. Split the upload."
        ) from None
    return {
        **_key(_JOB, job.id),
        "by_time": {"S": by_time},
        "by_state": {"S": f"{job.state.value}#{by_time}"},
        "version": name,
        "written": {"L": [name, *(before["written"]["L"] if before else ())][:_REMEMBERED]},
        "body": content,
    }


def _job(row: dict[str, Any]) -> Job:
    return codec.job_from_json(read(row.get("body"), "Job"))


def _micros(time: datetime) -> int:
    """Microseconds since the first year, exactly: never negative, so that they sort as text."""
    return (time - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
