"""From an upload in S3 to an answer by the model that was made of it: every part in its own process or shell,
the local stand-in of AWS between them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from malaria import synthetic
from malaria.domain import JobState
from tests.contract.clock import SetClock
from tests.functions.conftest import CONTEXT, Deployment, event
from tests.functions.test_api import answer, get, predict
from tests.functions.test_on_upload import batch, failed

Start = Callable[[str], ModuleType]


@pytest.mark.slow
def test_an_upload_becomes_the_model_that_answers(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    api, on_upload, on_job_change = (started(name) for name in ("api", "on_upload", "on_job_change"))
    api.freshness._clock = clock = SetClock()
    before = answer(api.handler(predict(), CONTEXT))["model_version"]
    cells = synthetic.write(tmp_path / "cells.zip", 60, seed=5).read_bytes()

    assert failed(on_upload.handler(batch(deployment.put("incoming/a+b %41é.zip", cells)), CONTEXT)) == []
    (task,) = deployment.tasks()
    (container,) = task["overrides"]["containerOverrides"]
    done = run_as_task(container["command"], tmp_path / "task")
    assert done.returncode == 0, done.stderr[-2000:]
    deployment.clients.of("ecs").stop_task(cluster=deployment.cluster, task=task["taskArn"])
    on_job_change.handler(event("ecs_task_stopped"), CONTEXT)

    (job,) = on_upload.services.jobs.list()
    assert job.state == JobState.SUCCEEDED, job.reason
    assert job.version is not None and job.champion == before
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert lines and {line["job"] for line in lines} == {job.id}, "the log names the job"
    told = answer(api.handler(get(f"/retrain/status/{job.id}"), CONTEXT))
    assert (told["state"], told["version"]) == ("succeeded", job.version)

    registry = api.services.registry
    if registry.newest().version != job.version:
        registry.promote(job.version, verdict="manual", actor="a person", reason="a test")
    clock.go(30)
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == job.version
    registry.rollback(actor="a person", reason="a test")
    clock.go(30)
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == before


def run_as_task(command: list[str], home: Path) -> "subprocess.CompletedProcess[str]":
    """Run a task's command as its container would: the entry point, a disk of its own, the deployment's
    environment."""
    return subprocess.run(
        [sys.executable, "-m", "training_job", *command],
        env={**os.environ, "MALARIA_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_two_tasks_of_one_job_do_its_work_once(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    """As where spare capacity comes back while a second try runs already."""
    shell = started("on_upload")
    cells = synthetic.write(tmp_path / "cells.zip", 60, seed=6).read_bytes()
    shell.handler(batch(deployment.put("incoming/x.zip", cells)), CONTEXT)
    (job,) = shell.services.jobs.list()
    environment = {**os.environ, "MALARIA_HOME": str(tmp_path / "one")}
    command = [sys.executable, "-m", "training_job", "--job", job.id]
    first = subprocess.Popen([*command, "--attempt", "1"], env=environment)
    second = run_as_task(["--job", job.id, "--attempt", "2"], tmp_path / "two")
    codes = sorted((first.wait(300), second.returncode))
    assert codes == [0, 75], second.stderr[-2000:]
    ended = shell.services.jobs.get(job.id)
    assert ended.state == JobState.SUCCEEDED
    versions = [info.version for info in shell.services.registry.versions()]
    assert versions.count(str(ended.version)) == 1
