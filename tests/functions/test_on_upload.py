"""Uploads become jobs, whatever the queue brings, and however often."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from malaria import synthetic
from malaria.domain import JobState
from tests import tables
from tests.functions.conftest import CONTEXT, Deployment, event

Start = Callable[[str], ModuleType]
ODD = "incoming/a+b %41é.zip"


@pytest.fixture
def cells(tmp_path: Path) -> bytes:
    return synthetic.write(tmp_path / "cells.zip", 8, seed=3).read_bytes()


def batch(*bodies: Any) -> dict[str, Any]:
    """Messages as the queue brings them."""
    records = []
    for i, body in enumerate(bodies):
        (record,) = event("queue", BODY=body if isinstance(body, str) else json.dumps(body))["Records"]
        records.append({**record, "messageId": f"message-{i}"})
    return {"Records": records}


def failed(answer: Any) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_an_upload_becomes_a_job_whose_training_is_started(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    shell = started("on_upload")
    told = deployment.put(ODD, cells)
    assert failed(shell.handler(batch(told), CONTEXT)) == []
    (job,) = shell.services.jobs.list()
    version = told["detail"]["object"]["version-id"]
    assert job.identity == f"s3:{deployment.uploads}/{ODD}@{version}"
    assert (job.name, job.actor, job.state, job.attempt) == ("a+b %41é.zip", "s3", JobState.QUEUED, 1)
    assert shell.services.objects.get(job.upload) == cells
    (task,) = deployment.tasks()
    assert job.handle == task["taskArn"]
    (override,) = task["overrides"]["containerOverrides"]
    assert override["command"] == ["--job", job.id, "--attempt", "1"]


def test_repeated_and_reordered_events_start_nothing_more(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    first, second = deployment.put("incoming/x.zip", cells), deployment.put("incoming/x.zip", b"newer")
    shell = started("on_upload")
    for told in (batch(second, first, second), batch(first), batch(first, {"look": True})):
        assert failed(shell.handler(told, CONTEXT)) == []
    assert len(shell.services.jobs.list()) == 2
    assert len(deployment.tasks()) == 1


def test_each_version_is_read_as_it_was(deployment: Deployment, started: Start, cells: bytes) -> None:
    first = deployment.put("incoming/x.zip", cells)
    deployment.put("incoming/x.zip", b"overwritten")
    shell = started("on_upload")
    shell.handler(batch(first), CONTEXT)
    (job,) = shell.services.jobs.list()
    assert shell.services.objects.get(job.upload) == cells


def test_a_poisoned_zip_becomes_a_failed_job_with_its_reason(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    shell = started("on_upload")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("retrain.json", '{"epochs": -4}')
    poisoned = [deployment.put("incoming/1.zip", b"no zip"), deployment.put("incoming/2.zip", out.getvalue())]
    assert failed(shell.handler(batch(*poisoned, deployment.put("incoming/3.zip", cells)), CONTEXT)) == []
    jobs = {job.name: job for job in shell.services.jobs.list()}
    assert [jobs[f"{i}.zip"].state for i in (1, 2, 3)] == [JobState.FAILED, JobState.FAILED, JobState.QUEUED]
    assert "ZIP" in jobs["1.zip"].reason
    assert "epochs" in jobs["2.zip"].reason
    assert len(deployment.tasks()) == 1, "what can be used is trained on all the same"


def test_what_is_too_large_is_told_and_never_read(
    deployment: Deployment, started: Start, cells: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALARIA_MAX_UPLOAD_BYTES", "100")
    told = deployment.put("incoming/x.zip", cells)
    deployment.clients.of("s3").delete_object(
        Bucket=deployment.uploads, Key="incoming/x.zip", VersionId=told["detail"]["object"]["version-id"]
    )
    shell = started("on_upload")
    assert failed(shell.handler(batch(told, told), CONTEXT)) == []
    (job,) = shell.services.jobs.list()
    assert job.state == JobState.FAILED
    assert "at most 100 are taken" in job.reason


def test_an_upload_in_a_bucket_without_versions_is_read_too(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    s3, bucket = deployment.clients.of("s3"), f"{deployment.uploads}-plain"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=ODD, Body=cells)
    told = event("object_created", BUCKET=bucket)
    told["detail"]["object"].pop("version-id")
    shell = started("on_upload")
    assert failed(shell.handler(batch(told), CONTEXT)) == []
    (job,) = shell.services.jobs.list()
    assert job.identity == f"s3:{bucket}/{ODD}@null"
    assert shell.services.objects.get(job.upload) == cells


@pytest.mark.parametrize("key", ["elsewhere/x.zip", "incoming/", "incoming/folder/", "incoming.zip"])
def test_what_is_no_upload_starts_nothing(
    deployment: Deployment, started: Start, cells: bytes, key: str
) -> None:
    shell = started("on_upload")
    assert failed(shell.handler(batch(deployment.put(key, cells)), CONTEXT)) == []
    assert shell.services.jobs.list() == []


def test_an_upload_that_is_gone_is_let_go(deployment: Deployment, started: Start, cells: bytes) -> None:
    told = deployment.put("incoming/x.zip", cells)
    told["detail"]["object"]["version-id"] = "never-was"
    shell = started("on_upload")
    assert failed(shell.handler(batch(told), CONTEXT)) == []
    assert shell.services.jobs.list() == []


@pytest.mark.parametrize(
    "body",
    ["no JSON", "[]", "{}", '{"look": false}', '{"source": "aws.s3", "detail-type": "Object Deleted"}'],
)
def test_a_message_that_is_unknown_goes_back_and_harms_no_other(
    deployment: Deployment, started: Start, cells: bytes, body: str
) -> None:
    shell = started("on_upload")
    assert failed(shell.handler(batch(body, deployment.put("incoming/x.zip", cells)), CONTEXT)) == [
        "message-0"
    ]
    assert len(shell.services.jobs.list()) == 1
    assert failed(shell.handler(batch(body), CONTEXT)) == ["message-0"], "also where it comes alone"


def test_a_wish_to_look_launches_what_waits(
    deployment: Deployment, started: Start, cells: bytes, tmp_path: Path
) -> None:
    shell = started("on_upload")
    sent = tmp_path / "sent.zip"
    sent.write_bytes(cells)
    shell.services.trigger.take_in(sent, name="x.zip", identity="http:1", actor="http")
    assert deployment.tasks() == []
    assert failed(shell.handler(batch({"look": True}), CONTEXT)) == []
    assert len(deployment.tasks()) == 1


def test_where_a_part_fails_the_message_comes_again(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    shell, told = started("on_upload"), deployment.put("incoming/x.zip", cells)
    dynamodb = deployment.clients.of("dynamodb")
    dynamodb.delete_table(TableName=deployment.jobs)
    assert failed(shell.handler(batch(told), CONTEXT)) == ["message-0"]
    tables.make_jobs(dynamodb, deployment.jobs)
    assert failed(shell.handler(batch(told), CONTEXT)) == []
    assert len(deployment.tasks()) == 1


def test_lines_of_the_log_are_json_with_the_ids_by_which_they_are_found(
    deployment: Deployment, started: Start, cells: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = started("on_upload")
    shell.handler(batch(deployment.put("incoming/x.zip", b"no zip")), CONTEXT)
    (job,) = shell.services.jobs.list()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = next(line for line in lines if line.get("message") == "seen to")
    assert (told["job"], told["state"], told["correlation_id"]) == (job.id, "failed", "message-0")
    assert told["service"] == "on_upload"
