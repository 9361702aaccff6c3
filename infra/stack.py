"""The stack: composes, and holds nothing of its own."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra import reasons, web
from infra.alarms import Alarms
from infra.canary import Canary
from infra.context import PAGE
from infra.dashboard import Dashboard
from infra.queues import Queues
from infra.retraining import Retraining
from infra.serving import Serving
from infra.settings import Settings
from infra.storage import Storage


class MalariaStack(Stack):
    """Agnostic of account and region, so that it synthesises without asking AWS anything.

    page: folder of the built web page. Raises BadSettings where one is asked for and is not there.
    """

    def __init__(self, scope: Construct, settings: Settings, *, page: Path = PAGE, **kwargs: Any) -> None:
        super().__init__(
            scope,
            settings.deployment,
            description="Malaria cells: answers pictures, retrains on uploads, promotes what is no worse",
            **kwargs,
        )
        Tags.of(self).add("malaria:deployment", settings.deployment)
        if not settings.require_tls:
            reasons.accept(self, *reasons.PLAIN_HTTP)
        self.storage = Storage(self, "Storage", settings)
        self.queues = Queues(self, "Queues", settings)
        self.serving = Serving(self, "Serving", settings, self.storage, self.queues)
        self.retraining = Retraining(self, "Retraining", settings, self.storage, self.queues)
        self.web = (
            web.Web(self, "Web", settings, self.serving, self.storage.uploads, page)
            if web.wanted(settings, page)
            else None
        )
        self.storage.take_from([*settings.origins, *([self.web.url] if self.web else [])])
        self.canary = (
            Canary(self, "Canary", settings, self.storage, self.serving, self.queues)
            if settings.canary
            else None
        )
        dashboard = self._watch(settings)
        self._tell(
            Url=self.web.url if self.web else self.serving.url,
            ApiUrl=self.serving.url,
            UploadsBucket=self.storage.uploads.bucket_name,
            ModelsBucket=self.storage.models.bucket_name,
            JobsTable=self.storage.jobs.table_name,
            FeedbackTable=self.storage.feedback.table_name,
            Queue=self.queues.work.queue_url,
            DeadLetters=self.queues.dead.queue_url,
            Undelivered=self.queues.undelivered.queue_url,
            AlarmTopic=self.alarms.topic.topic_arn,
            DashboardName=dashboard.name,
        )

    def _watch(self, settings: Settings) -> Dashboard:
        self.alarms = Alarms(self, "Alarms", settings, self.serving, self.queues, self.retraining.functions)
        self.serving.roll_back_on(self.alarms.release)
        return Dashboard(
            self,
            "Dashboard",
            settings,
            serving=self.serving,
            retraining=self.retraining,
            queues=self.queues,
            storage=self.storage,
            alarms=self.alarms,
        )

    def _tell(self, **outputs: str) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
