"""How every function is made: from the one image, under a role of its own, with a log of its own."""

from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import reasons
from infra.images import function_code
from infra.logs import log_group
from infra.settings import Settings


def function(
    scope: Construct,
    name: str,
    settings: Settings,
    *,
    handler: str,
    description: str,
    environment: dict[str, str],
    memory: int,
    seconds: int,
    disk_gb: float = 0.5,
    **more: Any,
) -> lambda_.DockerImageFunction:
    """A function. Its role may write its own log, and what its maker then allows.

    handler: 'functions.api.handler.handler'. memory: MB. seconds: after which a call is ended.
    """
    role = iam.Role(scope, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    group = log_group(scope, f"{name}Log", settings)
    group.grant_write(role)
    if settings.xray:  # the CDK itself adds the right
        reasons.wildcard(role, ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")
    return lambda_.DockerImageFunction(
        scope,
        name,
        code=function_code(settings, handler),
        description=description,
        architecture=lambda_.Architecture.ARM_64
        if settings.architecture == "arm64"
        else lambda_.Architecture.X86_64,
        role=role,
        log_group=group,
        environment=environment,
        memory_size=memory,
        timeout=Duration.seconds(seconds),
        ephemeral_storage_size=Size.mebibytes(int(disk_gb * 1024)),
        tracing=lambda_.Tracing.ACTIVE if settings.xray else lambda_.Tracing.DISABLED,
        **more,
    )
