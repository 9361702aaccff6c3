"""The same command line, pointed at the deployment by its name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.ministack import ROOT
from malaria import synthetic
from tests.cloud.conftest import Deployed
from tests.flow.sites import Site

pytestmark = pytest.mark.cloud


def malaria(stack: Deployed, home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "malaria.cli", "--target", stack.cloud.settings.deployment]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "MALARIA_HOME": str(home),
        "AWS_ENDPOINT_URL": stack.cloud.aws.endpoint,
        **stack.cloud.aws.keys,
        **more,
    }
    return subprocess.run(
        [*command, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )


def test_models_jobs_keys_and_a_retraining_by_command(stack: Deployed, tmp_path: Path) -> None:
    home = tmp_path / "home"
    listed = json.loads(malaria(stack, home, "models", "list", "--json").stdout)
    assert listed
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    refused = malaria(stack, home, "retrain", tmp_path / "broken.zip")
    assert refused.returncode == 2, "what cannot be used is told here, and no job is made"

    made = malaria(stack, home, "keys", "add", "by-command", "--scope", "read")
    assert made.returncode == 0, made.stderr
    answer = stack.http.get("/models", headers={"Authorization": f"Bearer {made.stdout.strip()}"})
    assert answer.status_code in (200, 401), "the API looks at the keys again within half a minute"

    jobs = malaria(stack, home, "jobs", "list", "--json")
    assert jobs.returncode == 0, jobs.stderr
    asked = stack.http.get("/retrain/tasks").json()["tasks"]
    assert {job["id"] for job in json.loads(jobs.stdout)} == {task["task_id"] for task in asked}


def test_a_sound_deployment_is_found_whole(stack: Deployed, tmp_path: Path) -> None:
    stack.http.get("/model/info").raise_for_status()  # the API has made its keys by then
    told = malaria(stack, tmp_path / "home", "doctor", "--json")
    assert told.returncode == 0, told.stdout
    found = json.loads(told.stdout)
    assert {"check": "signing keys", "ok": True, "found": "1, in the bucket of models"} in found["checks"]
    assert "inbox" not in found["paths"]


def test_cells_are_answered_by_its_address_as_by_its_model(stack: Deployed, tmp_path: Path) -> None:
    cells, home = synthetic.write(tmp_path / "cells", 4, 21), tmp_path / "home"
    key = stack.http.headers["Authorization"].removeprefix("Bearer ")
    asked = malaria(stack, home, "predict", cells, "--url", stack.cloud.url, "--json", MALARIA_KEY=key)
    assert asked.returncode == 0, asked.stderr
    here = json.loads(malaria(stack, home, "predict", cells, "--json").stdout)
    found = json.loads(asked.stdout)
    assert [one["prediction"] for one in found["results"]] == [one["prediction"] for one in here["results"]]
    assert key not in asked.stdout + asked.stderr


def test_rights_may_come_from_a_profile_as_well(stack: Deployed, tmp_path: Path) -> None:
    """As `aws configure` leaves them: key and region, in files and not in the environment."""
    keys, home = stack.cloud.aws.keys, tmp_path / "home"
    (tmp_path / "credentials").write_text(
        "[lab]\n"
        f"aws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (tmp_path / "config").write_text(f"[profile lab]\nregion = {keys['AWS_REGION']}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "MALARIA_HOME": str(home),
        "AWS_ENDPOINT_URL": stack.cloud.aws.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PROFILE": "lab",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    for arguments in (["models", "list", "--json"], ["keys", "list", "--json"], ["dead-letters", "list"]):
        command = [sys.executable, "-m", "malaria.cli", "--target", stack.cloud.settings.deployment]
        done = subprocess.run(
            [*command, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_base_images_are_put_into_a_deployment(stack: Deployed, site: Site, tmp_path: Path) -> None:
    cells = site.zip(tmp_path / "base.zip", only=40)
    done = malaria(stack, tmp_path / "home", "data", "import", cells, "--json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    found = stack.cloud.aws.client("s3").list_objects_v2(
        Bucket=stack.cloud.outputs["ModelsBucket"], Prefix=f"datasets/{told['dataset']}"
    )
    assert found["KeyCount"] >= 1, told


def test_dead_letters_are_told_and_come_again(stack: Deployed, tmp_path: Path) -> None:
    (tmp_path / "late.zip").write_bytes(b"PK\x03\x04 and no more, as ever")
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": stack.cloud.outputs["UploadsBucket"]},
            "object": {"key": "incoming/late.zip", "size": 30, "version-id": ""},
        },
    }
    with stack.losing_events():
        stack.put(tmp_path / "late.zip", "late.zip")
    stack.cloud.aws.client("sqs").send_message(
        QueueUrl=stack.cloud.outputs["DeadLetters"], MessageBody=json.dumps(event)
    )
    listed = json.loads(malaria(stack, tmp_path / "home", "dead-letters", "list", "--json").stdout)
    assert "incoming/late.zip" in [one["about"] for one in listed]
    again = malaria(stack, tmp_path / "home", "dead-letters", "retry", "--drop-unknown")
    assert again.returncode == 0, again.stderr
    assert stack.ended("late.zip", 60)["state"] == "failed"
    assert json.loads(malaria(stack, tmp_path / "home", "dead-letters", "list", "--json").stdout) == []


def test_an_unknown_deployment_is_said(stack: Deployed, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "malaria.cli", "--target", "nowhere", "jobs", "list"]
    environment = {
        "PATH": os.environ["PATH"],
        "MALARIA_HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": stack.cloud.aws.endpoint,
        **stack.cloud.aws.keys,
    }
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "no stack nowhere" in told.stderr
