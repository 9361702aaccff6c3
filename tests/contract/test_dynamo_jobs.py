"""What only the ledger in DynamoDB must stand: lost answers, large rows, throttling, tables that are gone."""

import random
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from malaria.adapters.aws_clients import Clients
from malaria.adapters.dynamo_jobs import DynamoJobs
from malaria.domain import JobState
from malaria.errors import BadInput, Busy, Damaged, UnknownTask
from tests.contract.clock import SetClock
from tests.contract.test_jobs import job


@contextmanager
def answering(
    clients: Clients, operation: str, answer: Callable[[Any], AWSResponse | None]
) -> Iterator[None]:
    """What is sent for an operation is answered by `answer`; by the service itself where that gives None."""
    client, event = clients.of("dynamodb"), f"before-send.dynamodb.{operation}"

    def before_send(request: Any, **_: Any) -> AWSResponse | None:
        return answer(request)

    client.meta.events.register(event, before_send)
    yield
    client.meta.events.unregister(event, before_send)


class Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.content


def failing(status: int, code: str) -> AWSResponse:
    headers = {"x-amzn-errortype": code, "content-type": "application/x-amz-json-1.0"}
    return AWSResponse(
        "http://nowhere", status, headers, Raw(f'{{"__type":"{code}","message":"m"}}'.encode())
    )


class LosesAnswers:
    """Sends a request, which is carried out, and answers with a failure of the service: `times` times."""

    def __init__(self, times: int = 1) -> None:
        self.left = times

    def __call__(self, request: Any) -> AWSResponse | None:
        if not self.left:
            return None
        self.left -= 1
        sent = urllib.request.Request(request.url, request.body, dict(request.headers.items()))
        urllib.request.urlopen(sent).close()
        return failing(500, "InternalServerError")


def test_a_change_whose_answer_was_lost_is_made_once(
    dynamo_jobs: DynamoJobs, clients: Clients, clock: SetClock
) -> None:
    dynamo_jobs.add(job(clock, "a"))
    lost = LosesAnswers()
    with answering(clients, "PutItem", lost):
        changed = dynamo_jobs.change("a", lambda j: replace(j, attempt=j.attempt + 1))
    assert lost.left == 0
    assert changed.attempt == 1
    assert dynamo_jobs.get("a") == changed


def test_an_end_whose_answer_was_lost_is_no_conflict(
    dynamo_jobs: DynamoJobs, clients: Clients, clock: SetClock
) -> None:
    dynamo_jobs.add(job(clock, "a"))
    with answering(clients, "PutItem", LosesAnswers()):
        ended = dynamo_jobs.change("a", lambda j: replace(j, state=JobState.FAILED))
    assert ended.state == JobState.FAILED


def test_a_job_whose_adding_got_no_answer_stands_once(
    dynamo_jobs: DynamoJobs, clients: Clients, clock: SetClock
) -> None:
    with answering(clients, "TransactWriteItems", LosesAnswers()):
        added = dynamo_jobs.add(job(clock, "a"))
    assert dynamo_jobs.list() == [added]


def test_a_lease_whose_answer_was_lost_is_held(dynamo_jobs: DynamoJobs, clients: Clients) -> None:
    with answering(clients, "PutItem", LosesAnswers()):
        token = dynamo_jobs.acquire("one", 60)
    assert token == 1
    assert dynamo_jobs.renew(token, 60)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "AccessDeniedException"),
        (503, "ServiceUnavailable"),
    ],
)
def test_what_the_service_refuses_is_busy_with_its_reason(
    aws_environment: str, clock: SetClock, status: int, code: str
) -> None:
    impatient = Clients(aws_environment, tries=1)
    with (
        answering(impatient, "GetItem", lambda _: failing(status, code)),
        pytest.raises(Busy, match=f"ledger of jobs cannot be used now: {code}"),
    ):
        DynamoJobs(impatient, lambda: "jobs", clock).get("a")
    impatient.close()


def test_a_table_that_is_gone_and_a_service_out_of_reach_are_busy(clients: Clients, clock: SetClock) -> None:
    with pytest.raises(Busy, match="ResourceNotFoundException"):
        DynamoJobs(clients, lambda: "gone", clock).list()
    nowhere = Clients("http://127.0.0.1:9", tries=1)
    with pytest.raises(Busy, match="cannot be reached now"):
        DynamoJobs(nowhere, lambda: "gone", clock).list()
    nowhere.close()


def test_rivals_that_never_rest_end_in_busy(
    clients: Clients, clock: SetClock, dynamo_jobs: DynamoJobs
) -> None:
    dynamo_jobs.add(job(clock, "a"))
    hurried = DynamoJobs(clients, dynamo_jobs._table._name, clock, busy=0.3)

    def forestalled(j: Any) -> Any:
        dynamo_jobs.change("a", lambda k: replace(k, attempt=k.attempt + 1))
        return replace(j, reason="mine")

    with pytest.raises(Busy, match="others keep changing"):
        hurried.change("a", forestalled)


def test_a_large_row_is_kept_and_one_too_large_is_told(dynamo_jobs: DynamoJobs, clock: SetClock) -> None:
    """500 lines of each kind is what ingest lists; compressed they fit, though not as text."""
    listed = [{"name": f"patient-{i}/{'x' * 180}.png", "reason": "it is no picture"} for i in range(4500)]
    added = dynamo_jobs.add(replace(job(clock, "a"), report={"quarantined": listed}))
    assert len(str(listed)) > 400_000
    assert dynamo_jobs.get("a") == added
    noise = random.Random(1).randbytes(900_000).hex()
    with pytest.raises(BadInput, match="job a is too much"):
        dynamo_jobs.change("a", lambda j: replace(j, report={"noise": noise}))
    assert dynamo_jobs.get("a") == added


@pytest.mark.parametrize("odd", ["", "x" * 1025, "é" * 600, "\ud800"])
def test_ids_that_can_be_no_key_are_unknown(dynamo_jobs: DynamoJobs, odd: str) -> None:
    with pytest.raises(UnknownTask):
        dynamo_jobs.get(odd)


def test_many_rows_come_over_several_pages(dynamo_jobs: DynamoJobs, clock: SetClock) -> None:
    noise = random.Random(2)
    for i in range(12):
        large = {"noise": noise.randbytes(120_000).hex()}
        dynamo_jobs.add(replace(job(clock, f"job-{i:02}", after=i), report=large))
    names = [f"job-{i:02}" for i in reversed(range(12))]
    assert [j.id for j in dynamo_jobs.list()] == names
    assert [j.id for j in dynamo_jobs.list(state=JobState.QUEUED, limit=11)] == names[:11]


def test_a_row_that_was_spoilt_is_told(dynamo_jobs: DynamoJobs, clients: Clients, clock: SetClock) -> None:
    dynamo_jobs.add(job(clock, "a"))
    for spoilt in ({"S": "{"}, {"B": b"no zlib"}, {"N": "1"}):
        clients.of("dynamodb").update_item(
            TableName=dynamo_jobs._table._name(),
            Key={"kind": {"S": "job"}, "id": {"S": "a"}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": spoilt},
        )
        with pytest.raises(Damaged, match="stored Job cannot be read"):
            dynamo_jobs.get("a")
