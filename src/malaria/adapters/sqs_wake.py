"""Has the queue of jobs looked at elsewhere, by a message of SQS."""

import json
import logging
from collections.abc import Callable
from typing import Any

from malaria.adapters.aws_clients import Clients, told

log = logging.getLogger(__name__)

LOOK: dict[str, Any] = {"look": True}
"""What a message says that has the ledger looked at."""


class SqsWake:
    """A Wake. queue: asks for its URL."""

    def __init__(self, clients: Clients, queue: Callable[[], str]) -> None:
        self._clients, self._queue = clients, queue

    def __call__(self) -> None:
        try:
            with told("The queue"):
                url = self._queue()
                self._clients.of("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(LOOK))
        except Exception:  # whatever it was: the job is queued, and who looks round next launches it
            log.warning("nobody could be told to look at the queue of jobs", exc_info=True)
