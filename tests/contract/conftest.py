"""Every adapter of each port, by name."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malaria.adapters import objects as adapters
from malaria.adapters.aws_clients import Clients
from malaria.adapters.dynamo_feedback import DynamoFeedback
from malaria.adapters.dynamo_jobs import DynamoJobs
from malaria.adapters.ecs_launcher import EcsLauncher
from malaria.adapters.memory_feedback import MemoryFeedback
from malaria.adapters.memory_jobs import MemoryJobs
from malaria.adapters.meters import MemoryMeter
from malaria.adapters.sagemaker_launcher import SageMakerLauncher
from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.metered_jobs import MeteredJobs
from malaria.ports import FeedbackStore, JobStore, ObjectStore
from malaria.settings_aws import AwsSettings
from tests import stand_in, tables
from tests.contract.clock import SetClock
from tests.contract.fake_aws import FakeEcs, FakeSageMaker


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "metered", "sqlite", "dynamo"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> JobStore:
    if request.param == "memory":
        return MemoryJobs(clock)
    if request.param == "metered":
        return MeteredJobs(MemoryJobs(clock), MemoryMeter())
    if request.param == "sqlite":
        return SqliteJobs(tmp_path / "jobs.sqlite", clock)
    found: JobStore = request.getfixturevalue("dynamo_jobs")
    return found


@pytest.fixture
def dynamo_jobs(clients: Clients, clock: SetClock) -> DynamoJobs:
    name = f"jobs-{uuid.uuid4().hex}"
    tables.make_jobs(clients.of("dynamodb"), name)
    return DynamoJobs(clients, lambda: name, clock)


@pytest.fixture(params=["memory", "sqlite", "dynamo"])
def feedback(request: pytest.FixtureRequest, tmp_path: Path) -> FeedbackStore:
    if request.param == "memory":
        return MemoryFeedback()
    if request.param == "sqlite":
        return SqliteFeedback(tmp_path / "feedback.sqlite")
    clients: Clients = request.getfixturevalue("clients")
    name = f"feedback-{uuid.uuid4().hex}"
    tables.make_feedback(clients.of("dynamodb"), name)
    return DynamoFeedback(clients, lambda: name)


@pytest.fixture
def s3_objects(clients: Clients, aws_endpoint: str) -> adapters.Objects:
    bucket = f"bucket-{uuid.uuid4().hex}"
    clients.of("s3").create_bucket(Bucket=bucket)
    return adapters.s3(bucket, "some/prefix", "us-east-1", aws_endpoint)


@pytest.fixture(params=["memory", "local", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return adapters.memory()
    if request.param == "local":
        return adapters.local(tmp_path / "store")
    found: ObjectStore = request.getfixturevalue("s3_objects")
    return found


@pytest.fixture
def fake_ecs(aws_environment: str) -> Iterator[tuple[FakeEcs, Clients]]:
    yield from _faked(FakeEcs())


@pytest.fixture
def ecs_launcher(fake_ecs: tuple[FakeEcs, Clients]) -> EcsLauncher:
    return EcsLauncher(fake_ecs[1], deployed(), looks=(0.01, 0.01))


@pytest.fixture
def fake_sagemaker(aws_environment: str) -> Iterator[tuple[FakeSageMaker, Clients]]:
    yield from _faked(FakeSageMaker())


@pytest.fixture
def sagemaker_launcher(fake_sagemaker: tuple[FakeSageMaker, Clients]) -> SageMakerLauncher:
    return SageMakerLauncher(fake_sagemaker[1], deployed(), {"MALARIA_AWS_JOBS_TABLE": "jobs"})


def deployed(**other: Any) -> AwsSettings:
    """What a stack would tell its functions."""
    told: dict[str, Any] = {
        "models_bucket": "models",
        "cluster": "trainings",
        "adapt_task": "adapt:1",
        "full_task": "full:1",
        "subnets": ("subnet-1", "subnet-2"),
        "security_groups": ("sg-1",),
        "training_role": "arn:aws:iam::123456789012:role/training",
        "adapt_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/adapt:1",
        "full_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/full:1",
    }
    return AwsSettings(**(told | other))


def _faked(service: Any) -> Iterator[tuple[Any, Clients]]:
    with stand_in.served(service) as address:
        clients = Clients(address, tries=1)
        yield service, clients
        clients.close()
