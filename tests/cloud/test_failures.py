"""What goes wrong between an upload and its verdict, in the deployed stack."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from malaria import wiring
from malaria.dead_letters import retry
from tests.cloud.conftest import Deployed, soon
from tests.flow.sites import Site

pytestmark = pytest.mark.cloud


def begun(stack: Deployed, name: str) -> tuple[str, subprocess.Popen[bytes]]:
    """Id of the job of an upload once its training is at work, and the process that does it."""

    def look() -> str | None:
        tasks = stack.http.get("/retrain/tasks").raise_for_status().json()["tasks"]
        found = [task["task_id"] for task in tasks if task["name"] == name and task["state"] == "running"]
        return found[0] if found else None

    job = str(soon(look, f"the training of {name} does not begin; see {stack.cloud.logs}", 600))
    (process,) = stack.cloud.tasks.running.values()
    return job, process


def promotions(stack: Deployed) -> list[dict[str, Any]]:
    """The log of promotions as it is kept: a warm environment may serve what stood before for a while."""
    return list(stack.http.get("/models").raise_for_status().json()["promotions"])


def test_a_training_that_is_killed_is_run_again(stack: Deployed, site: Site, tmp_path: Path) -> None:
    stack.put(site.zip(tmp_path / "killed.zip", only=160), "killed.zip")
    job, process = begun(stack, "killed.zip")
    on_job_change, _ = stack.cloud.function("on_job_change")
    on_job_change.served()
    process.kill()
    soon(on_job_change.served, "nobody is told that the task has ended", 30)
    ended = stack.ended("killed.zip")
    assert (ended["task_id"], ended["state"]) == (job, "succeeded"), ended["reason"]
    assert stack.http.get(f"/retrain/status/{job}").json()["attempt"] == 2


@pytest.fixture
def as_operator(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all rights in the account."""
    for name, value in {**stack.cloud.aws.keys, "AWS_ENDPOINT_URL": stack.cloud.aws.endpoint}.items():
        monkeypatch.setenv(name, value)


def test_a_message_that_nobody_understands_ends_as_a_dead_letter(stack: Deployed, as_operator: None) -> None:
    """It is brought five times, each time later than a batch may take; here without that wait."""
    sqs, told = stack.cloud.aws.client("sqs"), stack.cloud.outputs
    body = json.dumps({"source": "nobody"})

    def waiting(queue: str) -> list[str]:
        got = sqs.receive_message(QueueUrl=told[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [one["Body"] for one in got.get("Messages", ())]

    on_upload, _ = stack.cloud.function("on_upload")
    on_upload.served()  # what earlier uploads asked of it
    before = sqs.get_queue_attributes(QueueUrl=told["Queue"], AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=told["Queue"], Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=told["Queue"], MessageBody=body)
        soon(lambda: body in waiting("DeadLetters"), "it is no dead letter", 120)
    finally:
        sqs.set_queue_attributes(QueueUrl=told["Queue"], Attributes=before["Attributes"])
    assert sum(not one.failed for one in on_upload.served()) >= 5, "a batch with a bad message is no crash"

    left = retry(wiring.dead_letters(stack.cloud.settings.deployment))
    assert left.left == 1 and body in waiting("DeadLetters"), "it is not lost unless that is asked"
    retry(wiring.dead_letters(stack.cloud.settings.deployment), drop=True)
    assert body not in waiting("DeadLetters")


def test_a_training_that_is_cancelled_stops_and_changes_nothing(
    stack: Deployed, site: Site, tmp_path: Path
) -> None:
    before = promotions(stack)
    stack.put(site.zip(tmp_path / "unwanted.zip", flipped=True), "unwanted.zip")
    job, _ = begun(stack, "unwanted.zip")
    asked = stack.http.delete(f"/retrain/tasks/{job}")
    assert asked.status_code == 202, asked.text
    assert stack.ended("unwanted.zip")["state"] == "cancelled"
    assert promotions(stack) == before
