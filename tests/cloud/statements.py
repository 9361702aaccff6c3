"""Which statements of a role's policy nobody would miss."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cloud.conftest import Deployed

Statement = dict[str, Any]
DENIED = re.compile(rb"AccessDenied|Forbidden|not authorized")

ELSEWHERE = {
    "logs:CreateLogStream": "functions write their logs into files here",
    "iam:PassRole": "ministack does not ask for it; the template's tests say what it names",
    "sqs:ReceiveMessage": "what polls the queue in the name of on_upload is ministack itself",
    "ecs:StopTask": "asked where a job is cancelled while its task starts; the launchers' contract has it",
}
"""Statements, by their first action, that are asked for on AWS alone, or when no test can choose."""


def idle(deployed: Deployed, role: str, drive: Callable[[], str], logs: str) -> list[Statement]:
    """The statements of a role without which `drive` is denied nothing.

    drive: does all that the role is for, whatever fails, and returns what its callers were told. logs: names
    of the role's logs, as a pattern.
    """
    assert not _denials(deployed, drive, logs), "with all its rights nothing is denied"
    missed = []
    for statement, rest in _each(deployed, role):
        with rest():
            if not _denials(deployed, drive, logs):
                missed.append(statement)
    return missed


def _denials(deployed: Deployed, drive: Callable[[], str], logs: str) -> list[bytes]:
    """Lines that tell of a denial, in what the callers were told or in the role's logs."""
    sizes = {path: path.stat().st_size for path in deployed.cloud.logs.glob(logs)}
    told = drive().encode()
    for path in deployed.cloud.logs.glob(logs):
        told += b"\n" + _after(path, sizes)
    return [line for line in told.splitlines() if DENIED.search(line)]


def _after(path: Path, sizes: Mapping[Path, int]) -> bytes:
    with path.open("rb") as file:
        file.seek(sizes.get(path, 0))
        return file.read()


def _each(deployed: Deployed, role: str) -> Iterator[tuple[Statement, Callable[[], Any]]]:
    """Every statement that can be missed here, and what takes it away for a while."""
    iam, name = deployed.cloud.aws.client("iam"), deployed.cloud.role_of(role).rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]

    def put(statements: list[Statement]) -> None:
        written = json.dumps({**document, "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=written)

    for statement in document["Statement"]:
        if _first(statement) in ELSEWHERE or _is_for_what_cannot_be_delivered(statement):
            continue

        @contextmanager
        def without(left_out: Statement = statement) -> Iterator[None]:
            put([one for one in document["Statement"] if one is not left_out])
            try:
                yield
            finally:
                put(document["Statement"])

        yield statement, without


def _first(statement: Statement) -> str:
    actions = statement["Action"]
    return str(actions if isinstance(actions, str) else actions[0])


def _is_for_what_cannot_be_delivered(statement: Statement) -> bool:
    """Asked for by Lambda itself, where a call of its own has failed for good."""
    return _first(statement) == "sqs:SendMessage" and "Undelivered" in json.dumps(statement["Resource"])
