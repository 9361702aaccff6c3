"""Confirmed labels in one DynamoDB table. A row is a confirmation as JSON: partition `prediction` is the
nonce of what was said, sort `number` counts its rows, and `added` counts all rows, in the order of their
adding."""

from collections.abc import Callable, Sequence
from typing import Any

from malaria import codec
from malaria.adapters.aws_clients import Clients
from malaria.adapters.dynamo_table import ConditionFailed, DynamoTable, body, read
from malaria.domain import Confirmation
from malaria.errors import BadInput

_COUNTER = {"prediction": {"S": "all rows"}, "number": {"N": "0"}}
"""The key of the row that counts; no nonce has a blank."""


class DynamoFeedback:
    """A FeedbackStore in a table; busy: seconds to try for where others add rows of the same prediction.
    Every method raises as DynamoTable does."""

    def __init__(self, clients: Clients, table: Callable[[], str], *, busy: float = 30.0) -> None:
        self._table = DynamoTable(clients, table, "The table of confirmed labels", busy)

    def add(self, row: Confirmation) -> Confirmation:
        """Where the answer to a write is lost, the next try finds the row, which then repeats it."""
        for _ in self._table.tries():
            rows = self._of_one(row.said.nonce)
            standing = row.repeated([_row(one) for one in rows])
            if standing is not None:
                return standing
            number = int(rows[-1]["number"]["N"]) + 1 if rows else 1
            try:
                self._table.put(
                    {
                        "prediction": {"S": row.said.nonce},
                        "number": {"N": str(number)},
                        "added": {
                            "N": str(self._table.count(_COUNTER))
                        },  # after the rows before were read, so it is later
                        "body": _body(row),
                    },
                    ConditionExpression="attribute_not_exists(prediction)",
                )
            except ConditionFailed:
                continue
            return row
        raise AssertionError("unreachable")

    def list(self) -> list[Confirmation]:
        rows = [one for one in self._table.scan() if "body" in one]
        return [_row(one) for one in sorted(rows, key=lambda one: int(one["added"]["N"]))]

    def _of_one(self, nonce: str) -> Sequence[dict[str, Any]]:
        values = {":one": {"S": nonce}}
        return [
            *self._table.query(KeyConditionExpression="prediction = :one", ExpressionAttributeValues=values)
        ]


def _body(row: Confirmation) -> dict[str, Any]:
    try:
        return body(codec.to_json(row))
    except ValueError as error:
        raise BadInput(f"A confirmation is too large to keep: {error}.") from None


def _row(row: dict[str, Any]) -> Confirmation:
    return codec.from_json(Confirmation, read(row.get("body"), "Confirmation"))
