"""One DynamoDB table as the stores use it: strongly consistent reads, conditional writes, rows as JSON."""

import json
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from malaria.adapters.aws_clients import Clients, code, told
from malaria.errors import Busy, Damaged

MOST_BYTES = 390_000
"""Of a stored body; DynamoDB bears 400 KB in a row."""
_PLAIN = 900
"""Bytes from which a body is compressed: up to 1 KB a write costs the same, and people can read it."""
_LOST, _CANCELLED = "ConditionalCheckFailedException", "TransactionCanceledException"


class ConditionFailed(Exception):
    """A write's condition did not hold, so nothing was written. which: positions of the parts of a
    transaction whose own condition failed; empty where another transaction only came between."""

    def __init__(self, which: tuple[int, ...] = (0,)) -> None:
        super().__init__(which)
        self.which = which


class DynamoTable:
    """A table. name: asked for when it is first needed. what: its content, for people.

    busy: seconds to try for where others keep changing a row. Every method raises Busy where the table is
    throttled or cannot be reached.
    """

    def __init__(self, clients: Clients, name: Callable[[], str], what: str, busy: float = 30.0) -> None:
        self._clients, self._name, self._what, self._busy = clients, name, what, busy

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """A row as it stands now, or None. key and row: in DynamoDB's own notation."""
        with self._told():
            found = self._client.get_item(TableName=self._name(), Key=key, ConsistentRead=True)
        row: dict[str, Any] | None = found.get("Item")
        return row

    def query(self, limit: int | None = None, **asked: Any) -> Iterator[dict[str, Any]]:
        """Rows of a query, at most `limit`, as they stand now."""
        left, after = limit, dict[str, Any]()
        while left is None or left > 0:
            most = {} if left is None else {"Limit": left}
            with self._told():
                page = self._client.query(
                    TableName=self._name(), ConsistentRead=True, **most, **after, **asked
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            left = None if left is None else left - len(page["Items"])
            after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def scan(self) -> Iterator[dict[str, Any]]:
        """Every row, in no order, as it stands now."""
        after = dict[str, Any]()
        while True:
            with self._told():
                page = self._client.scan(TableName=self._name(), ConsistentRead=True, **after)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            after = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def put(self, row: Mapping[str, Any], **condition: Any) -> None:
        """Write a row. Raises ConditionFailed."""
        with self._told():
            self._client.put_item(TableName=self._name(), Item=row, **condition)

    def count(self, key: Mapping[str, Any]) -> int:
        """Count a row up: a number greater than all before. Where an answer is lost some are left out."""
        counted = self.update(
            key,
            UpdateExpression="ADD counted :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(counted["counted"]["N"])

    def update(self, key: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
        """Change a row; return the attributes that were asked for. Raises ConditionFailed."""
        with self._told():
            answer = self._client.update_item(TableName=self._name(), Key=key, **asked)
        changed: dict[str, Any] = answer.get("Attributes", {})
        return changed

    def put_all(self, rows: list[Mapping[str, Any]], condition: str) -> None:
        """Write all of the rows or none, each on the condition. Raises ConditionFailed."""
        puts = [
            {"Put": {"TableName": self._name(), "Item": row, "ConditionExpression": condition}}
            for row in rows
        ]
        with self._told():
            self._client.transact_write_items(TransactItems=puts)

    def tries(self) -> Iterator[None]:
        """Once for each try at what others may forestall, with growing waits. Raises Busy in the end."""
        deadline, wait = time.monotonic() + self._busy, 0.005
        while time.monotonic() < deadline:
            yield
            time.sleep(random.uniform(0, wait))  # noqa: S311 - so that rivals do not meet again
            wait = min(2 * wait, 0.5)
        raise Busy(f"{self._what} cannot be used now: others keep changing the row. Try again.")

    @property
    def _client(self) -> Any:
        return self._clients.of("dynamodb")

    @contextmanager
    def _told(self) -> Iterator[None]:
        from botocore.exceptions import ClientError

        try:
            with told(self._what, but=(_LOST, _CANCELLED)):
                yield
        except ClientError as error:
            if code(error) == _LOST:
                raise ConditionFailed from error
            if code(error) == _CANCELLED:
                raise self._cancelled(error.response) from error
            raise

    def _cancelled(self, response: Mapping[str, Any]) -> Exception:
        """Why a transaction wrote nothing: conditions, a rival, or what makes any request fail."""
        codes = [part.get("Code", "None") for part in response.get("CancellationReasons", ())]
        others = set(codes) - {"None", "ConditionalCheckFailed", "TransactionConflict"}
        if others or not codes:
            return Busy(f"{self._what} cannot be used now: {', '.join(sorted(others)) or 'no reason given'}.")
        return ConditionFailed(tuple(i for i, c in enumerate(codes) if c == "ConditionalCheckFailed"))


def body(told: Any) -> dict[str, Any]:
    """JSON as an attribute: text where it is short, else compressed. Raises ValueError where it is too
    large for a row."""
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
    if len(text) <= _PLAIN:
        return {"S": text}
    packed = zlib.compress(text.encode("ascii"), 6)
    if len(packed) > MOST_BYTES:
        raise ValueError(f"{len(packed) // 1000} KB compressed, and a row bears {MOST_BYTES // 1000}")
    return {"B": packed}


def read(attribute: Mapping[str, Any] | None, kind: str) -> Any:
    """What `body` wrote. Raises Damaged; `kind` names what it should be."""
    try:
        if attribute is None:
            raise ValueError("it has no body")
        text = attribute["S"] if "S" in attribute else zlib.decompress(attribute["B"])
        return json.loads(text)
    except (ValueError, KeyError, zlib.error) as error:
        raise Damaged(f"A stored {kind} cannot be read: {error}.") from error
