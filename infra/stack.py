"""The stack: composes, and holds nothing of its own."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.storage import Storage


class MalariaStack(Stack):
    """Agnostic of account and region, so that it synthesises without asking AWS anything."""

    def __init__(self, scope: Construct, name: str, *, require_tls: bool = True, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        self.storage = Storage(self, "Storage", require_tls=require_tls)
        CfnOutput(self, "UploadsBucket", value=self.storage.uploads.bucket_name)
        CfnOutput(self, "ModelsBucket", value=self.storage.models.bucket_name)
        CfnOutput(self, "JobsTable", value=self.storage.jobs.table_name)
