"""The DynamoDB tables as the stack describes them, made on a local stand-in."""

from typing import Any


def _attributes(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    pairs = ((partition, "HASH"), (sort, "RANGE"))
    return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs]


def make_jobs(dynamodb: Any, name: str) -> None:
    indexes = [
        {
            "IndexName": index,
            "KeySchema": _keys("kind", sort),
            "Projection": {"ProjectionType": "ALL"},
        }
        for index, sort in (("by-time", "by_time"), ("by-state", "by_state"))
    ]
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=_attributes("kind", "id", "by_time", "by_state"),
        KeySchema=_keys("kind", "id"),
        LocalSecondaryIndexes=indexes,
        BillingMode="PAY_PER_REQUEST",
    )


def make_feedback(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[*_attributes("prediction"), {"AttributeName": "number", "AttributeType": "N"}],
        KeySchema=_keys("prediction", "number"),
        BillingMode="PAY_PER_REQUEST",
    )
