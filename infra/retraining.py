"""From an upload to a training and its end: events, the queue, and the three functions that see to jobs."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from infra import access, trainers
from infra.environment import environment
from infra.functions import function
from infra.queues import WORK_SECONDS, Queues
from infra.settings import Settings
from infra.storage import Storage
from malaria.settings_aws import INCOMING

AT_ONCE = 5
"""Messages in a batch, and batches at the same time."""


class Retraining(Construct):
    def __init__(
        self, scope: Construct, name: str, settings: Settings, storage: Storage, queues: Queues
    ) -> None:
        super().__init__(scope, name)
        self._settings, self._storage, self._queues = settings, storage, queues
        self.trainer = trainers.make(self, settings, storage)
        # What a rule calls may fail with nobody waiting; what the queue brings goes back into the queue.
        called: dict[str, Any] = {"dead_letter_queue": queues.undelivered, "retry_attempts": 2}
        self.on_upload = self._function("OnUpload", "on_upload", "Takes uploads in, and has jobs launched")
        self.on_job_change = self._function(
            "OnJobChange", "on_job_change", "Sees to trainings that have ended", **called
        )
        self.reconcile = self._function(
            "Reconcile", "reconcile", "Looks for what was lost on its way", **called
        )
        self._allow()
        self._on_upload()
        self._on_job_change()
        self._on_schedule()

    @property
    def functions(self) -> tuple[lambda_.DockerImageFunction, ...]:
        return self.on_upload, self.on_job_change, self.reconcile

    def _function(self, name: str, folder: str, description: str, **more: Any) -> lambda_.DockerImageFunction:
        storage, queues = self._storage, self._queues
        told = environment(
            self._settings,
            uploads_bucket=storage.uploads.bucket_name,
            models_bucket=storage.models.bucket_name,
            jobs_table=storage.jobs.table_name,
            feedback_table=storage.feedback.table_name,
            queue_url=queues.work.queue_url,
            trainer=self._settings.trainer,
            lost_minutes=self._settings.lost_minutes,
            **self.trainer.told,
        )
        return function(
            self,
            name,
            self._settings,
            handler=f"functions.{folder}.handler.handler",
            description=description,
            environment=told,
            memory=1024,
            seconds=WORK_SECONDS,
            disk_gb=1 + 2 * self._settings.application.max_upload_bytes / 2**30,  # read, and written anew
            **more,
        )

    def _allow(self) -> None:
        """Each looks at the ledger and launches; two take uploads in, and one sees to kept pictures, too:
        it removes what has lapsed, also where nothing is kept any more, and retrains on them where that is
        asked for."""
        models, opens = self._storage.models, self._settings.application.opens_retrainings
        pooled = (access.KEPT,) if opens else ()
        access.objects(self.on_upload, models, read=(access.TICKETS,), write=(access.UPLOADS,))
        access.objects(
            self.reconcile,
            models,
            read=(access.TICKETS, *pooled),
            write=(access.UPLOADS, *pooled),
            delete=(access.KEPT,),
        )
        if opens:
            access.rows(self.reconcile, self._storage.feedback, access.READ_ROWS)
        uploads = self._storage.uploads
        for taker in (self.on_upload, self.reconcile):
            self._let_take_in(taker)
        access.allow(self.reconcile, ["s3:ListBucketVersions"], [uploads.bucket_arn])
        for one in self.functions:
            access.rows(one, self._storage.jobs, access.CHANGE_ROWS, indexes=True)
            self.trainer.let_launch(one)
        for one in (self.on_job_change, self.reconcile):
            self.trainer.let_see(one)

    def _let_take_in(self, who: iam.IGrantable) -> None:
        """Uploads are read by their version, also those that were overwritten. Of one that is gone, who may
        not list is told that it is forbidden."""
        uploads = self._storage.uploads
        access.allow(who, ["s3:ListBucket"], [uploads.bucket_arn])
        access.allow(who, ["s3:GetObject", "s3:GetObjectVersion"], [uploads.arn_for_objects(f"{INCOMING}*")])

    def _on_upload(self) -> None:
        """S3 tells EventBridge, which puts it into the queue: what fails there is tried again, then kept."""
        queues = self._queues
        events.Rule(
            self,
            "Uploaded",
            description="An upload has arrived",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._storage.uploads.bucket_name]},
                    "object": {"key": [{"prefix": INCOMING}]},
                },
            ),
            targets=[targets.SqsQueue(queues.work, dead_letter_queue=queues.undelivered)],
        )
        self.on_upload.add_event_source(
            SqsEventSource(
                queues.work, batch_size=AT_ONCE, max_concurrency=AT_ONCE, report_batch_item_failures=True
            )
        )

    def _on_job_change(self) -> None:
        events.Rule(
            self,
            "Ended",
            description="A training has ended, however",
            event_pattern=events.EventPattern(**self.trainer.ended),
            targets=[self._call(self.on_job_change)],
        )

    def _on_schedule(self) -> None:
        events.Rule(
            self,
            "Regularly",
            description="Events may be lost: look for what they should have told",
            schedule=events.Schedule.rate(Duration.minutes(self._settings.reconcile_minutes)),
            targets=[self._call(self.reconcile)],
        )

    def _call(self, made: lambda_.IFunction) -> targets.LambdaFunction:
        return targets.LambdaFunction(made, dead_letter_queue=self._queues.undelivered, retry_attempts=5)
