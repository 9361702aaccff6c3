"""Dead letters in queues of SQS."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from malaria.adapters.aws_clients import Clients, told
from malaria.adapters.sqs_wake import LOOK
from malaria.ports import Letter

_HELD = 60
"""Seconds for which nobody else sees a letter that was read."""


class SqsLetters:
    """A Mailbox. work: asks for the URL of the queue of uploads. queues: the same for those of dead letters,
    by the name that a letter says."""

    def __init__(
        self,
        clients: Clients,
        work: Callable[[], str],
        queues: Mapping[str, Callable[[], str]],
    ) -> None:
        self._clients, self._work, self._queues = clients, work, queues

    def hold(self) -> Iterator[Letter]:
        for name, url in self._queues.items():
            seen: set[str] = set()
            while found := self._read(url()):
                new = [one for one in found if one["MessageId"] not in seen]
                if not new:
                    break  # they come round again: all were seen
                for one in new:
                    seen.add(one["MessageId"])
                    sent = datetime.fromtimestamp(int(one["Attributes"]["SentTimestamp"]) / 1000, UTC)
                    yield Letter(one["MessageId"], name, one["Body"], sent, one["ReceiptHandle"])

    def put_back(self, letter: Letter) -> None:
        with told("The queue of dead letters"):
            self._clients.of("sqs").change_message_visibility(
                QueueUrl=self._queues[letter.queue](), ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    def send(self, body: str) -> None:
        with told("The queue of uploads"):
            self._clients.of("sqs").send_message(QueueUrl=self._work(), MessageBody=body)

    def look(self) -> None:
        self.send(json.dumps(LOOK))

    def remove(self, letter: Letter) -> None:
        with told("The queue of dead letters"):
            self._clients.of("sqs").delete_message(
                QueueUrl=self._queues[letter.queue](), ReceiptHandle=letter.receipt
            )

    def _read(self, url: str) -> list[dict[str, Any]]:
        """Some that nobody holds. A short poll may miss what lies on another server, so it waits a second."""
        with told("The queue of dead letters"):
            answer = self._clients.of("sqs").receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HELD,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        return list(answer.get("Messages", ()))
