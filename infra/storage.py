"""What must not be lost: uploads, models and datasets, and the ledger of jobs."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

NOT_CURRENT = Duration.days(90)
UNFINISHED = Duration.days(7)


class Storage(Construct):
    """Two buckets and a table, each kept when the stack is deleted.

    Uploads have a bucket of their own, so that writing results can never trigger a training.

    require_tls: refuse plain HTTP; off only for a local stand-in of AWS, which speaks nothing else.
    """

    def __init__(self, scope: Construct, name: str, *, require_tls: bool = True) -> None:
        super().__init__(scope, name)
        self.uploads = self._bucket("Uploads", require_tls)
        self.models = self._bucket("Models", require_tls)
        self.jobs = self._jobs()

    def _bucket(self, name: str, require_tls: bool) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            versioned=True,  # an upload is known by its object version; an overwrite loses nothing
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=require_tls,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="tidy",
                    noncurrent_version_expiration=NOT_CURRENT,
                    abort_incomplete_multipart_upload_after=UNFINISHED,
                )
            ],
        )

    def _jobs(self) -> dynamodb.TableV2:
        """One row for each job. Rows never expire: one that did would look like an upload that was lost."""
        return dynamodb.TableV2(
            self,
            "Jobs",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            removal_policy=RemovalPolicy.RETAIN,
            global_secondary_indexes=[_newest("by-time", "kind"), _newest("by-state", "state")],
        )


def _newest(name: str, by: str) -> dynamodb.GlobalSecondaryIndexPropsV2:
    """An index that lists jobs of one `by` in order of creation (ISO 8601 in UTC sorts as text)."""
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=dynamodb.Attribute(name=by, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="created", type=dynamodb.AttributeType.STRING),
    )
