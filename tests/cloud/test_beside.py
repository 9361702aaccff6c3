"""Two deployments in one account and region: neither is in the other's way."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import template as templates
from infra.local.deploying import deploy, standing
from infra.local.ministack import REGION
from tests.cloud.conftest import Deployed, soon

pytestmark = pytest.mark.cloud
NAME = "lab-2"
OWN = {"live", "$default"}
"""Names of parts of a function or an API, which need not be unique beyond it."""


@pytest.fixture
def beside(stack: Deployed, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Outputs of a second deployment, whose functions nobody runs."""
    settings = stack.cloud.settings.model_copy(update={"deployment": NAME})
    template = templates.synthesised(settings, tmp_path / "cdk.out")
    nowhere = dict.fromkeys(templates.handlers(template), "http://127.0.0.1:9/")
    yield deploy(stack.cloud.aws, NAME, templates.fitted(template, nowhere))
    formation = stack.cloud.aws.client("cloudformation")
    formation.delete_stack(StackName=NAME)
    soon(lambda: standing(formation, NAME) is None, "the second deployment does not go", 60)


def names(stack: Deployed, deployment: str) -> set[str]:
    """Of all that a deployment consists of."""
    pages = stack.cloud.aws.client("cloudformation").get_paginator("list_stack_resources")
    found: list[dict[str, Any]] = [
        one for page in pages.paginate(StackName=deployment) for one in page["StackResourceSummaries"]
    ]
    assert len(found) > 50
    return {one["PhysicalResourceId"] for one in found} - OWN


def test_the_dashboard_can_be_drawn(stack: Deployed) -> None:
    cloudwatch, name = stack.cloud.aws.client("cloudwatch"), stack.cloud.outputs["DashboardName"]
    assert name == f"{stack.cloud.settings.deployment}-{REGION}"
    widgets = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])["widgets"]
    (status,) = [one for one in widgets if one["type"] == "alarm"]
    known = {one["AlarmArn"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert set(status["properties"]["alarms"]) - known == {templates.NONE}, (
        "all but what ministack cannot hold"
    )


def test_nothing_is_shared_and_an_upload_of_one_is_no_job_of_the_other(
    stack: Deployed, beside: dict[str, str], tmp_path: Path
) -> None:
    assert names(stack, NAME) & names(stack, stack.cloud.settings.deployment) == set()
    assert set(beside.values()) & set(stack.cloud.outputs.values()) == set()

    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "no cells")
    key, content = "incoming/not-yours.zip", (tmp_path / "empty.zip").read_bytes()
    s3, sqs = stack.cloud.aws.client("s3"), stack.cloud.aws.client("sqs")
    s3.put_object(Bucket=beside["UploadsBucket"], Key=key, Body=content)

    def told() -> int:
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        asked = sqs.get_queue_attributes(QueueUrl=beside["Queue"], AttributeNames=list(counts))
        return sum(int(asked["Attributes"][name]) for name in counts)

    soon(told, "its own queue is not told of it")
    stack.put(tmp_path / "empty.zip", "mine.zip")
    stack.ended("mine.zip", 60)
    jobs = {task["name"] for task in stack.http.get("/retrain/tasks").json()["tasks"]}
    assert "not-yours.zip" not in jobs
    (left,) = s3.list_objects_v2(Bucket=beside["UploadsBucket"])["Contents"]
    s3.delete_object(Bucket=beside["UploadsBucket"], Key=left["Key"])
