"""Every adapter of each port, by name."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malaria.adapters import objects as adapters
from malaria.adapters.memory_feedback import MemoryFeedback
from malaria.adapters.memory_jobs import MemoryJobs
from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.ports import FeedbackStore, JobStore, ObjectStore
from tests.contract.clock import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> JobStore:
    if request.param == "memory":
        return MemoryJobs(clock)
    return SqliteJobs(tmp_path / "jobs.sqlite", clock)


@pytest.fixture(params=["memory", "sqlite"])
def feedback(request: pytest.FixtureRequest, tmp_path: Path) -> FeedbackStore:
    return MemoryFeedback() if request.param == "memory" else SqliteFeedback(tmp_path / "feedback.sqlite")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server of this process that speaks S3.

    It works on one request at a time: moto looks whether an object exists and then writes it, in two steps,
    where S3 does both in one, so that of two creators at the same moment both could win.
    """
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    moto, alone = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with alone:
            return list(moto(environ, start_response))

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def s3_objects(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> adapters.Objects:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    bucket = f"bucket-{uuid.uuid4().hex}"
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    client.close()
    return adapters.s3(bucket, "some/prefix", "us-east-1", s3_endpoint)


@pytest.fixture(params=["memory", "local", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return adapters.memory()
    if request.param == "local":
        return adapters.local(tmp_path / "store")
    found: ObjectStore = request.getfixturevalue("s3_objects")
    return found
