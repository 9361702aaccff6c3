"""The stack: composes, and holds nothing of its own."""

from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra.queues import Queues
from infra.retraining import Retraining
from infra.serving import Serving
from infra.settings import Settings
from infra.storage import Storage


class MalariaStack(Stack):
    """Agnostic of account and region, so that it synthesises without asking AWS anything."""

    def __init__(self, scope: Construct, settings: Settings, **kwargs: Any) -> None:
        super().__init__(
            scope,
            settings.deployment,
            description="Malaria cells: answers pictures, retrains on uploads, promotes what is no worse",
            **kwargs,
        )
        Tags.of(self).add("malaria:deployment", settings.deployment)
        self.storage = Storage(self, "Storage", settings)
        self.queues = Queues(self, "Queues", settings)
        self.serving = Serving(self, "Serving", settings, self.storage, self.queues)
        self.retraining = Retraining(self, "Retraining", settings, self.storage, self.queues)
        self._tell(
            Url=self.serving.url,
            UploadsBucket=self.storage.uploads.bucket_name,
            ModelsBucket=self.storage.models.bucket_name,
            JobsTable=self.storage.jobs.table_name,
            FeedbackTable=self.storage.feedback.table_name,
            Queue=self.queues.work.queue_url,
            DeadLetters=self.queues.dead.queue_url,
            Undelivered=self.queues.undelivered.queue_url,
        )

    def _tell(self, **outputs: str) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
