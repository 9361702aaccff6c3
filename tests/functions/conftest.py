"""A deployment on the local stand-in of AWS, and functions as Lambda would start them in it."""

import asyncio
import importlib
import json
import logging
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from malaria.adapters.aws_clients import Clients
from tests import tables

EVENTS = Path(__file__).parent / "events"


@dataclass(frozen=True)
class Context:
    """What Lambda hands to a function beside the event."""

    function_name: str = "malaria"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:malaria"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


CONTEXT = Context()


def event(name: str, **replaced: str) -> Any:
    """A recorded event, with what its capital words stand for put in."""
    text = (EVENTS / f"{name}.json").read_text()
    for word, value in replaced.items():
        text = text.replace(json.dumps(word)[1:-1], json.dumps(value)[1:-1])
    return json.loads(text)


@dataclass(frozen=True)
class Deployment:
    """What the stack makes: buckets, tables, a queue and a cluster."""

    clients: Clients
    uploads: str
    models: str
    jobs: str
    queue: str
    cluster: str

    def put(self, key: str, content: bytes) -> dict[str, Any]:
        """Put an upload in; the event that S3 has EventBridge tell of it."""
        put = self.clients.of("s3").put_object(Bucket=self.uploads, Key=key, Body=content)
        told = event("object_created", BUCKET=self.uploads)
        told["detail"]["object"] |= {"key": key, "size": len(content), "version-id": put["VersionId"]}
        return dict(told)

    def tasks(self) -> list[dict[str, Any]]:
        """Every task that was ever started."""
        ecs = self.clients.of("ecs")
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=self.cluster, desiredStatus=status)["taskArns"]
        ]
        found = ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
        return list(found)

    def messages(self) -> list[Any]:
        got = self.clients.of("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in got.get("Messages", ())]


def make(clients: Clients, name: str) -> Deployment:
    """Make what a stack of this name would."""
    s3, ecs = clients.of("s3"), clients.of("ecs")
    for bucket in ("uploads", "models"):
        s3.create_bucket(Bucket=f"{name}-{bucket}")
        s3.put_bucket_versioning(Bucket=f"{name}-{bucket}", VersioningConfiguration={"Status": "Enabled"})
    tables.make_jobs(clients.of("dynamodb"), f"{name}-jobs")
    tables.make_feedback(clients.of("dynamodb"), f"{name}-feedback")
    queue = clients.of("sqs").create_queue(QueueName=f"{name}-work")["QueueUrl"]
    ecs.create_cluster(clusterName=name)
    for family in ("adapt", "full"):
        ecs.register_task_definition(
            family=f"{name}-{family}",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="1024",
            memory="4096",
            containerDefinitions=[
                {"name": "training", "image": "training", "essential": True, "cpu": 1024, "memory": 4096}
            ],
        )
    return Deployment(clients, f"{name}-uploads", f"{name}-models", f"{name}-jobs", queue, name)


@pytest.fixture
def deployment(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, models_dir: Path
) -> Deployment:
    """A deployment of its own, and the environment that its stack gives to functions and tasks."""
    name = f"d{uuid.uuid4().hex[:12]}"
    made = make(clients, name)
    ec2 = clients.of("ec2")
    subnet, group = ec2.describe_subnets()["Subnets"][0], ec2.describe_security_groups()["SecurityGroups"][0]
    told = {
        "DEPLOYMENT": name,
        "METERED": "true",
        "UPLOADS_BUCKET": made.uploads,
        "MODELS_BUCKET": made.models,
        "JOBS_TABLE": made.jobs,
        "FEEDBACK_TABLE": f"{name}-feedback",
        "QUEUE_URL": made.queue,
        "CLUSTER": name,
        "ADAPT_TASK": f"{name}-adapt",
        "FULL_TASK": f"{name}-full",
        "SUBNETS": json.dumps([subnet["SubnetId"]]),
        "SECURITY_GROUPS": json.dumps([group["GroupId"]]),
    }
    for key, value in told.items():
        monkeypatch.setenv(f"MALARIA_AWS_{key}", value)
    monkeypatch.setenv("MALARIA_HOME", str(tmp_path / "lambda"))
    monkeypatch.setenv("MALARIA_SHIPPED", str(models_dir))
    monkeypatch.setenv("MALARIA_ALLOWED_HOSTS", '["*"]')
    monkeypatch.setenv("MALARIA_INTERPRETERS", "1")
    return made


@pytest.fixture
def started(deployment: Deployment) -> Iterator[Callable[[str], ModuleType]]:
    """Starts a function anew, as a cold start does."""
    begun: list[ModuleType] = []

    def start(name: str) -> ModuleType:
        module = f"functions.{name}.handler"
        sys.modules.pop(module, None)
        logging.Logger.manager.loggerDict.pop(name, None)  # else it writes where an earlier test read
        begun.append(importlib.import_module(module))
        return begun[-1]

    yield start
    for module in begun:
        sys.modules.pop(module.__name__, None)
        _end(module)


def _end(module: Any) -> None:
    """Close what a process would when it ends."""
    if not hasattr(module, "services"):
        return  # the canary, which has nothing open
    module.services.jobs.kept._table._clients.close()
    if hasattr(module, "arrivals"):
        module.arrivals._uploads._clients.close()
    if hasattr(module, "loop"):
        asyncio.set_event_loop(None)
        module.loop.close()
