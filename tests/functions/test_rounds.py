"""What events and the schedule have looked at: trainings that ended, uploads that were lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from malaria import synthetic
from malaria.domain import Job, JobState
from malaria.services import Services
from tests import stand_in
from tests.contract.clock import SetClock
from tests.contract.fake_aws import FakeSageMaker
from tests.functions.conftest import CONTEXT, Deployment, event

Start = Callable[[str], ModuleType]


@pytest.fixture
def cells(tmp_path: Path) -> bytes:
    return synthetic.write(tmp_path / "cells.zip", 8, seed=3).read_bytes()


def submitted(services: Services, tmp_path: Path, name: str = "x.zip") -> Job:
    sent = synthetic.write(tmp_path / name, 8, seed=4)
    return services.trigger.take_in(sent, name=name, identity=f"http:{name}", actor="http")


def kill(deployment: Deployment, job: Job) -> None:
    deployment.clients.of("ecs").stop_task(cluster=deployment.cluster, task=job.handle, reason="killed")


def test_a_training_that_was_killed_is_started_again_and_then_has_failed(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    shell = started("on_job_change")
    services: Services = shell.services
    job = submitted(services, tmp_path)
    stopped = event("ecs_task_stopped")
    for attempt in (1, 2):
        shell.handler(stopped, CONTEXT)
        shell.handler(stopped, CONTEXT)  # events repeat
        at = services.jobs.get(job.id)
        assert (at.state, at.attempt, len(deployment.tasks())) == (JobState.QUEUED, attempt, attempt)
        services.jobs.change(job.id, lambda j: replace(j, state=JobState.RUNNING))
        shell.handler({**stopped, "detail": {"lastStatus": "RUNNING"}}, CONTEXT)  # out of order
        assert services.jobs.get(job.id).state == JobState.RUNNING
        kill(deployment, at)
    shell.handler(stopped, CONTEXT)
    at = services.jobs.get(job.id)
    assert at.state == JobState.FAILED
    assert "/malaria/training" in at.reason


def test_a_look_round_tells_its_figures_in_its_log(
    deployment: Deployment, started: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = started("reconcile")
    submitted(shell.services, tmp_path)
    shell.handler(event("scheduled"), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    told = {name: value for line in lines for name, value in line.items()}
    assert (told["JobsQueued"], told["JobsRunning"], told["UnaccountedUploads"]) == (1.0, 0.0, 0.0)


def test_the_end_of_one_training_starts_the_next(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    shell = started("on_job_change")
    first, second = (submitted(shell.services, tmp_path, name) for name in ("a.zip", "b.zip"))
    shell.handler(event("ecs_task_stopped"), CONTEXT)
    done = shell.services.jobs.change(first.id, lambda j: replace(j, state=JobState.SUCCEEDED))
    kill(deployment, done)
    shell.handler(event("ecs_task_stopped"), CONTEXT)
    assert shell.services.jobs.get(second.id).attempt == 1


@pytest.mark.parametrize("status", ["Stopped", "Failed"])
def test_a_sagemaker_job_that_ended_without_a_word_is_started_again(
    deployment: Deployment, started: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setenv("MALARIA_AWS_TRAINER", "sagemaker")
    monkeypatch.setenv("MALARIA_AWS_TRAINING_ROLE", "arn:aws:iam::123456789012:role/training")
    monkeypatch.setenv("MALARIA_AWS_ADAPT_IMAGE", "123456789012.dkr.ecr.us-east-1.amazonaws.com/adapt:1")
    monkeypatch.setenv("MALARIA_SIGNING_KEY", "k" * 32)
    shell, service = started("on_job_change"), FakeSageMaker()
    services: Services = shell.services
    job = submitted(services, tmp_path)
    with stand_in.served(service) as address:
        _redirect(services, address)
        shell.handler(event("sagemaker_job_stopped"), CONTEXT)
        (asked,) = service.asked
        told = asked["Environment"]
        assert told["MALARIA_AWS_JOBS_TABLE"] == deployment.jobs
        assert not {"MALARIA_SIGNING_KEY", "MALARIA_HOME", "AWS_SECRET_ACCESS_KEY"} & told.keys()
        service.jobs[asked["TrainingJobName"]] = status
        services.jobs.change(job.id, lambda j: replace(j, state=JobState.RUNNING))
        shell.handler(event("sagemaker_job_stopped"), CONTEXT)
        at = services.jobs.get(job.id)
        assert (at.state, at.attempt, len(service.asked)) == (JobState.QUEUED, 2, 2)
        assert "/aws/sagemaker/TrainingJobs" in at.reason


def _redirect(services: Services, address: str) -> None:
    """Have the launcher, and it alone, speak to another service."""
    from malaria.adapters.aws_clients import Clients

    services.launcher._clients = Clients(address, tries=1)  # type: ignore[attr-defined]


def test_an_upload_whose_event_was_lost_is_taken_in_once(
    deployment: Deployment, started: Start, cells: bytes
) -> None:
    shell = started("reconcile")
    for key in ("incoming/a+b %41é.zip", "incoming/folder/", "elsewhere/x.zip"):
        deployment.put(key, cells)
    assert shell.handler(event("scheduled"), CONTEXT)["unaccounted"] == 0, "its event may be on its way"
    later = SetClock()
    later.time = shell.services.clock.now() + timedelta(minutes=11)
    shell.arrivals._services = replace(shell.services, clock=later)
    found = shell.handler(event("scheduled"), CONTEXT)
    (job,) = shell.services.jobs.list()
    assert (found["unaccounted"], found["launched"]) == (1, job.id)
    assert job.name == "a+b %41é.zip"
    assert shell.handler(event("scheduled"), CONTEXT)["unaccounted"] == 0
    again = started("reconcile")
    again.arrivals._services = replace(again.services, clock=later)
    assert again.handler(event("scheduled"), CONTEXT)["unaccounted"] == 0


def test_every_version_of_many_objects_is_looked_at(
    deployment: Deployment, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = started("reconcile")
    versions = {
        deployment.put(f"incoming/{i % 3}.zip", b"x")["detail"]["object"]["version-id"] for i in range(9)
    }
    client = shell.arrivals._uploads._clients.of("s3")
    client.meta.events.register(
        "provide-client-params.s3.ListObjectVersions", lambda params, **_: {**params, "MaxKeys": 2}
    )
    assert {one.version for one in shell.arrivals._uploads.list()} == versions


def test_a_duty_that_fails_keeps_no_other_from_being_done(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    shell = started("reconcile")
    job = submitted(shell.services, tmp_path)
    deployment.clients.of("s3").delete_bucket(Bucket=deployment.uploads)
    with pytest.raises(ExceptionGroup) as raised:
        shell.handler(event("scheduled"), CONTEXT)
    assert "NoSuchBucket" in str(raised.value.exceptions[0])
    assert shell.services.jobs.get(job.id).attempt == 1, "what waited was launched all the same"


def test_kept_pictures_that_lapsed_are_swept(
    deployment: Deployment, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALARIA_KEEP_DAYS", "1")
    shell = started("reconcile")
    shell.services.kept.keep(7, b"picture")
    kept = shell.services.objects.list("kept/")
    assert [info.key for info in kept] == ["kept/waiting/0000000000000007"]
    assert shell.handler(event("scheduled"), CONTEXT)["swept"] == 0
    later = SetClock()
    later.time = shell.services.clock.now() + timedelta(days=2)
    shell.services.kept._clock = later
    assert shell.handler(event("scheduled"), CONTEXT)["swept"] == 1
