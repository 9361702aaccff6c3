"""Every adapter of each port, by name."""

import uuid
from pathlib import Path

import pytest

from malaria.adapters import objects as adapters
from malaria.adapters.aws_clients import Clients
from malaria.adapters.dynamo_feedback import DynamoFeedback
from malaria.adapters.dynamo_jobs import DynamoJobs
from malaria.adapters.memory_feedback import MemoryFeedback
from malaria.adapters.memory_jobs import MemoryJobs
from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.ports import FeedbackStore, JobStore, ObjectStore
from tests import tables
from tests.contract.clock import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite", "dynamo"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> JobStore:
    if request.param == "memory":
        return MemoryJobs(clock)
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
