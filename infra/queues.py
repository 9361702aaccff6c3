"""The queue that brings uploads and wakes the dispatcher, and where what could not be delivered waits."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.settings import Settings

TRIES = 5
WORK_SECONDS = 300
"""How long the function on the queue may work on a batch."""
KEPT = Duration.days(14)
WAITS = Duration.days(4)


class Queues(Construct):
    """work: what the function on_upload gets. dead: what it failed on; can be moved back.
    undelivered: events that no rule could deliver, and calls that a function failed on."""

    def __init__(self, scope: Construct, name: str, settings: Settings) -> None:
        super().__init__(scope, name)
        self._tls = settings.require_tls
        self.dead = self._queue("Dead", KEPT)
        self.undelivered = self._queue("Undelivered", KEPT)
        self.work = self._queue(
            "Work",
            WAITS,
            visibility_timeout=Duration.seconds(6 * WORK_SECONDS),  # as the Lambda documentation advises
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=TRIES),
        )

    def _queue(
        self,
        name: str,
        kept: Duration,
        *,
        visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            retention_period=kept,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._tls,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )
