"""What could not be delivered is told and comes again, through the queues themselves."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from malaria.adapters.aws_clients import Clients
from malaria.adapters.sqs_letters import SqsLetters
from malaria.dead_letters import LOOK, UNKNOWN, Retried, about, listed, retry
from malaria.errors import Busy

UPLOADED = json.dumps(
    {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": "uploads"},
            "object": {"key": "incoming/a+b %41é.zip", "size": 9, "version-id": "v1"},
        },
    }
)
SCHEDULED = json.dumps({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})

Put = Callable[[str, str], None]


class Queues:
    """The three queues of a deployment, new for each test."""

    def __init__(self, clients: Clients) -> None:
        self._sqs = clients.of("sqs")
        self._urls = {
            name: self._sqs.create_queue(QueueName=f"{name}-{uuid.uuid4().hex}")["QueueUrl"]
            for name in ("work", "dead", "undelivered")
        }
        self.mailbox = SqsLetters(
            clients,
            lambda: self._urls["work"],
            {"dead": lambda: self._urls["dead"], "undelivered": lambda: self._urls["undelivered"]},
        )

    def put(self, queue: str, *bodies: str) -> None:
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._urls[queue], MessageBody=body)

    def taken(self, queue: str) -> list[Any]:
        """Take out what can be seen in a queue."""
        found: list[Any] = []
        while got := self._sqs.receive_message(QueueUrl=self._urls[queue], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += [json.loads(one["Body"]) if one["Body"][0] == "{" else one["Body"] for one in got]
        return found


@pytest.fixture
def queues(clients: Clients) -> Queues:
    return Queues(clients)


def test_each_is_told_by_what_it_stands_for_and_stays(queues: Queues) -> None:
    queues.put("dead", UPLOADED, "nonsense")
    queues.put("undelivered", SCHEDULED)
    for _ in range(2):  # whoever looks again sees them again
        told = {(one.queue, about(one)) for one in listed(queues.mailbox)}
        assert told == {("dead", "incoming/a+b %41é.zip"), ("dead", UNKNOWN), ("undelivered", LOOK)}


def test_an_upload_comes_again_as_it_was_and_many_looks_are_one(queues: Queues) -> None:
    queues.put("dead", UPLOADED)
    queues.put("undelivered", UPLOADED, *[SCHEDULED] * 3, json.dumps({"look": True}))
    assert retry(queues.mailbox) == Retried(sent=6)
    came = queues.taken("work")
    assert sorted(map(json.dumps, came)) == sorted(
        map(json.dumps, [json.loads(UPLOADED), json.loads(UPLOADED), {"look": True}])
    )
    assert listed(queues.mailbox) == []


def test_what_nobody_can_read_stays_until_it_is_dropped(queues: Queues) -> None:
    queues.put("dead", "nonsense", UPLOADED)
    assert retry(queues.mailbox) == Retried(sent=1, left=1)
    assert [about(one) for one in listed(queues.mailbox)] == [UNKNOWN]
    assert retry(queues.mailbox, drop=True) == Retried(removed=1)
    assert listed(queues.mailbox) == []
    assert len(queues.taken("work")) == 1


def test_more_than_one_page_is_seen_once(queues: Queues) -> None:
    queues.put("dead", *[UPLOADED] * 23)
    found = listed(queues.mailbox)
    assert len({one.id for one in found}) == len(found) == 23
    assert retry(queues.mailbox).sent == 23


def test_where_the_queue_of_uploads_fails_nothing_is_removed(queues: Queues, clients: Clients) -> None:
    queues.put("dead", UPLOADED)
    gone = SqsLetters(clients, lambda: f"{queues._urls['work']}-gone", queues.mailbox._queues)
    with pytest.raises(Busy, match="queue of uploads"):
        retry(gone)
    assert queues.taken("dead") == [], "it is held for a minute, and then there again"
    assert queues.taken("work") == []
