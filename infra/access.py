"""Who may do what, each right by name. Whatever has a wildcard gives its reason in `reasons`."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from infra import reasons

VERSIONS, PROMOTIONS, DATASETS = "models/", "promotions/", "datasets/"
UPLOADS, LOOKS, KEPT, PRIVATE, SAGEMAKER = "uploads/", "gate-looks/", "kept/", "private/", "sagemaker/"
TICKETS, CHECKPOINTS = "tickets/", "checkpoints/"
"""What lies in the bucket of models. PRIVATE holds keys, and is the API's alone; SAGEMAKER what
SageMaker itself leaves of a job."""

CHANGE_ROWS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
APPEND_ROWS = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:Scan")
READ_ROWS = ("dynamodb:Scan",)
WRITE_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
JOIN_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def objects(
    to: iam.IGrantable,
    bucket: s3.IBucket,
    *,
    read: Sequence[str] = (),
    write: Sequence[str] = (),
    delete: Sequence[str] = (),
) -> None:
    """Let someone read, write or delete below prefixes of a bucket.

    Who may not list is told 'forbidden' of an object that is absent, so listing goes with reading.
    """
    if read:
        allow(to, ["s3:ListBucket"], [bucket.bucket_arn])
    for actions, prefixes in (
        (["s3:GetObject"], read),
        (["s3:PutObject", "s3:AbortMultipartUpload"], write),
        (["s3:DeleteObject"], delete),
    ):
        if keys := [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]:
            allow(to, actions, keys)


def rows(
    to: iam.IGrantable, table: dynamodb.ITableV2, actions: Sequence[str], *, indexes: bool = False
) -> None:
    """Let someone use a table, and list by its indexes."""
    allow(to, actions, [table.table_arn])
    if indexes:
        allow(to, ["dynamodb:Query"], [f"{table.table_arn}/index/*"])


def allow(
    to: iam.IGrantable,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: dict[str, dict[str, str]] | None = None,
) -> None:
    """Allow actions on resources. Raises ValueError where a wildcard has no reason."""
    for resource in resources:
        role = cast(IConstruct, to.grant_principal)
        if "*" in str(Stack.of(role).resolve(resource)):
            reasons.wildcard(role, list(actions), resource)
    to.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )


def hand_on(to: iam.IGrantable, roles: Sequence[iam.IRole], service: str) -> None:
    """Let someone start what takes on these roles, in one service only."""
    only = {"StringEquals": {"iam:PassedToService": service}}
    allow(to, ["iam:PassRole"], [role.role_arn for role in roles], only)
