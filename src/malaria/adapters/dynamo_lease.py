"""The one lease under which a run may work, as a row of a DynamoDB table.

It is compared by timestamps of the caller's clock, and every write is conditional on what was read.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from malaria.adapters.dynamo_table import ConditionFailed, DynamoTable
from malaria.ports import Clock

_KEY = {"kind": {"S": "lease"}, "id": {"S": "run"}}
_ABSENT, _UNMOVED = "attribute_not_exists(id)", "#token = :token AND #until = :until"
_NAMES = {"#token": "token", "#until": "until"}


class DynamoLease:
    """Tokens grow for ever; `until` and `span` are microseconds; `taken` names who took it, '' once it was
    given back."""

    def __init__(self, table: DynamoTable, clock: Clock) -> None:
        self._table, self._clock = table, clock

    def acquire(self, owner: str, seconds: float) -> int | None:
        """Also None for an owner that holds the lease already: two processes may bear one name."""
        mine, span = uuid.uuid4().hex, _span(seconds)
        for _ in self._table.tries():
            row, now = self._table.get(_KEY), self._now()
            token, until, told = _read(row)
            if row is not None and row["taken"]["S"] == mine:
                return token  # the answer to our own write was lost
            if row is not None and now < until:
                if until - now > told:  # the clock was set back: let the lease end `span` from now, not later
                    self._put(row, token, row["owner"]["S"], row["taken"]["S"], now + told, told)
                return None
            if self._put(row, token + 1, owner, mine, now + span, span):
                return token + 1
        raise AssertionError("unreachable")

    def renew(self, token: int, seconds: float) -> bool:
        """A lease that ran out is renewed all the same while nobody took it: a machine may have slept."""
        span = _span(seconds)
        return self._update(
            "SET #until = :until, #span = :span",
            "#token = :token AND #taken <> :nobody",
            {"#until": "until", "#span": "span", "#taken": "taken"},
            {":until": _n(self._now() + span), ":span": _n(span), ":token": _n(token), ":nobody": {"S": ""}},
        )

    def release(self, token: int) -> None:
        self._update(
            "SET #until = :none, #owner = :nobody, #taken = :nobody",
            "#token = :token",
            {"#until": "until", "#owner": "owner", "#taken": "taken"},
            {":none": _n(0), ":nobody": {"S": ""}, ":token": _n(token)},
        )

    def _update(self, change: str, where: str, names: dict[str, str], values: dict[str, Any]) -> bool:
        try:
            self._table.update(
                _KEY,
                UpdateExpression=change,
                ConditionExpression=where,
                ExpressionAttributeNames={**names, "#token": "token"},
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return False
        return True

    def _put(
        self, row: dict[str, Any] | None, token: int, owner: str, taken: str, until: int, span: int
    ) -> bool:
        """Write the lease where it still stands as it was read; False where another was first."""
        condition: dict[str, Any] = {"ConditionExpression": _ABSENT}
        if row is not None:
            values = {":token": row["token"], ":until": row["until"]}
            condition = {"ConditionExpression": _UNMOVED, "ExpressionAttributeNames": _NAMES}
            condition["ExpressionAttributeValues"] = values
        numbers = {"token": _n(token), "until": _n(until), "span": _n(span)}
        try:
            self._table.put({**_KEY, "owner": {"S": owner}, "taken": {"S": taken}, **numbers}, **condition)
        except ConditionFailed:
            return False
        return True

    def _now(self) -> int:
        return (self._clock.now() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _read(row: dict[str, Any] | None) -> tuple[int, int, int]:
    """token, until, span."""
    if row is None:
        return 0, 0, 0
    return int(row["token"]["N"]), int(row["until"]["N"]), int(row["span"]["N"])


def _n(number: int) -> dict[str, str]:
    return {"N": str(number)}


def _span(seconds: float) -> int:
    return int(seconds * 1_000_000)
