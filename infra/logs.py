"""Logs: each part has a group of its own, kept for as long as the settings say."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import Settings


def log_group(scope: Construct, name: str, settings: Settings) -> logs.LogGroup:
    """A group that goes with the stack. CloudFormation names it, so that deployments never collide."""
    group = logs.LogGroup(scope, name, removal_policy=RemovalPolicy.DESTROY)
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = settings.log_days
    return group
