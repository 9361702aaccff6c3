"""What must not be lost: uploads, models, datasets, the ledger of jobs, what cells turned out to be."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import access
from infra.settings import Settings

UNFINISHED = Duration.days(7)
LAPSES = {access.UPLOADS: 90, access.TICKETS: 30, access.SAGEMAKER: 30, access.CHECKPOINTS: 7}
"""Days after which things in the bucket of models lapse: copies of uploads that waited to be taken in,
tickets for uploads, what SageMaker leaves of a job, and checkpoints. Nothing else there does."""
LOG_DAYS = 90


class Storage(Construct):
    """Buckets and tables, kept when the stack is deleted unless the settings say otherwise.

    Uploads have a bucket of their own, so that writing results can never trigger a training.
    """

    def __init__(self, scope: Construct, name: str, settings: Settings) -> None:
        super().__init__(scope, name)
        self._settings = settings
        self._removal = RemovalPolicy.RETAIN if settings.keep_data else RemovalPolicy.DESTROY
        self.access_logs = self._bucket("AccessLogs", [_lapses("lapse", LOG_DAYS)])
        raw = [_lapses("raw", settings.raw_upload_days)]
        self.uploads = self._bucket("Uploads", raw, logged="uploads/")
        _tell_event_bridge(self.uploads)
        self.models = self._bucket(
            "Models",
            [_lapses(f"lapse-{p.strip('/')}", days, p) for p, days in LAPSES.items()],
            logged="models/",
        )
        self.jobs = self._table(
            "Jobs",
            dynamodb.Attribute(name="kind", type=dynamodb.AttributeType.STRING),
            dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            # Local ones, since a listing must be consistent: a job that was just queued must be seen.
            [_sorted_by("by-time", "by_time"), _sorted_by("by-state", "by_state")],
        )
        self.feedback = self._table(
            "Feedback",
            dynamodb.Attribute(name="prediction", type=dynamodb.AttributeType.STRING),
            dynamodb.Attribute(name="number", type=dynamodb.AttributeType.NUMBER),
        )

    def take_from(self, origins: list[str]) -> None:
        """Let pages of these origins post uploads; what they may post, a signed form says."""
        if origins:
            self.uploads.add_cors_rule(
                allowed_methods=[s3.HttpMethods.POST],
                allowed_origins=origins,
                allowed_headers=["*"],
                max_age=3600,
            )

    def _bucket(self, name: str, rules: list[s3.LifecycleRule], *, logged: str | None = None) -> s3.Bucket:
        settings = self._settings
        return s3.Bucket(
            self,
            name,
            versioned=True,  # an upload is known by its object version; an overwrite loses nothing
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=settings.require_tls,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=self._removal,
            server_access_logs_bucket=self.access_logs if logged else None,
            server_access_logs_prefix=logged,
            lifecycle_rules=[
                *rules,
                s3.LifecycleRule(
                    id="tidy",
                    noncurrent_version_expiration=Duration.days(settings.noncurrent_days),
                    abort_incomplete_multipart_upload_after=UNFINISHED,
                    expired_object_delete_marker=True,
                ),
            ],
        )

    def _table(
        self,
        name: str,
        partition: dynamodb.Attribute,
        sort: dynamodb.Attribute,
        indexes: list[dynamodb.LocalSecondaryIndexProps] | None = None,
    ) -> dynamodb.TableV2:
        """Rows never expire: a job that did would look like an upload that was lost."""
        return dynamodb.TableV2(
            self,
            name,
            partition_key=partition,
            sort_key=sort,
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            removal_policy=self._removal,
            deletion_protection=self._settings.keep_data,
            local_secondary_indexes=indexes,
        )


def _lapses(name: str, days: int, prefix: str | None = None) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=name, prefix=prefix, expiration=Duration.days(days))


def _sorted_by(name: str, key: str) -> dynamodb.LocalSecondaryIndexProps:
    return dynamodb.LocalSecondaryIndexProps(
        index_name=name, sort_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING)
    )


def _tell_event_bridge(bucket: s3.Bucket) -> None:
    """On the bucket itself: the CDK's own switch is a custom resource, with a function and its rights."""
    own = cast(s3.CfnBucket, bucket.node.default_child)
    own.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)
