"""From an upload in a bucket to a prediction by the model that came of it, through the deployed template.

Nothing is mocked between: S3's event, the queue, the functions under the real runtime client, DynamoDB, an
ECS task whose command is run, and the HTTP API.
"""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria import metric_names as names
from malaria.metric_names import Metric
from tests.cloud.conftest import Deployed, soon
from tests.flow.sites import Site

pytestmark = pytest.mark.cloud

TAKEN_UP = 45.0
"""Seconds in which a warm environment takes up a promotion: it looks every 20."""


def test_an_upload_becomes_the_served_model_and_is_rolled_back(
    stack: Deployed, site: Site, tmp_path: Path
) -> None:
    picture = site.cells[0][1]
    before, ended = stack.predict(picture), _told_in_this_hour(stack, names.JOBS_SUCCEEDED)
    taken = _told_in_this_hour(stack, names.JOB_TIME)
    stack.put(site.zip(tmp_path / "site.zip"), "a+b %41é.zip")

    job = stack.ended("a+b %41é.zip")
    assert (job["state"], job["verdict"]) == ("succeeded", "accepted"), job["reason"]
    soon(
        lambda: stack.predict(picture)["model_version"] == job["version"],
        "the new model is not served",
        TAKEN_UP,
    )
    soon(
        lambda: _told_in_this_hour(stack, names.JOBS_SUCCEEDED) > ended,
        "the training's own log tells no figures",
    )
    assert _told_in_this_hour(stack, names.JOB_TIME) > taken + 1

    asked = {"actor": "ana", "reason": "to see it work"}
    told = stack.http.post("/models/rollback", json=asked).raise_for_status().json()
    assert told["promotion"]["actor"] == "ana (key:tests)"
    after = stack.predict(picture)
    assert after["model_version"] == before["model_version"]
    assert after["probabilities"] == before["probabilities"]


def _told_in_this_hour(stack: Deployed, metric: Metric) -> float:
    """The sum of what CloudWatch was told of it, 0 where it was told nothing."""
    now, hour = datetime.now(UTC), timedelta(hours=1)
    told = stack.cloud.aws.client("cloudwatch").get_metric_statistics(
        Namespace=names.NAMESPACE,
        MetricName=metric.name,
        Dimensions=[{"Name": names.DIMENSION, "Value": stack.cloud.settings.deployment}],
        StartTime=now - hour,
        EndTime=now + hour,
        Period=7200,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in told["Datapoints"]))


def test_the_summary_tells_what_was_asked_and_answered(stack: Deployed, site: Site) -> None:
    """AWS's own figures and the application's, as a page reads them; the last step is not over yet."""
    before = stack.http.get("/metrics/summary?window=1h").raise_for_status().json()["total"]
    for _, picture in site.cells[:3]:
        stack.predict(picture)

    def grown() -> dict[str, Any] | None:
        total = dict(stack.http.get("/metrics/summary?window=1h").raise_for_status().json()["total"])
        # AWS tells of requests, the application of pictures, each in its own time; others may still be told.
        grew = all(total[what] >= before[what] + 3 for what in ("pictures", "requests"))
        return total if grew else None

    total = soon(grown, "the pictures or their requests are not told of", 60)
    assert total["server_errors"] == before["server_errors"]
    assert 0 < total["latency_ms"]["p50"] <= total["latency_ms"]["p99"]
    assert 0.5 <= total["confidence"]["p50"] <= 1
    assert total["feature_distance"]["p90"] > 0
    assert total["memory_mb"] > 50


def test_a_zip_that_cannot_be_used_fails_with_its_reason_and_blocks_nothing(
    stack: Deployed, tmp_path: Path
) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    stack.put(tmp_path / "broken.zip", "broken.zip")
    job = stack.ended("broken.zip", 60)
    assert job["state"] == "failed"
    assert "ZIP" in job["reason"]
    counted = stack.cloud.aws.client("sqs").get_queue_attributes(
        QueueUrl=stack.cloud.outputs["DeadLetters"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_an_event_told_twice_is_one_job(stack: Deployed, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "no cells")
    version = stack.put(tmp_path / "empty.zip", "twice.zip")
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": stack.cloud.outputs["UploadsBucket"]},
            "object": {"key": "incoming/twice.zip", "size": 128, "version-id": version},
        },
    }
    for _ in range(2):
        stack.cloud.aws.client("sqs").send_message(
            QueueUrl=stack.cloud.outputs["Queue"], MessageBody=json.dumps(event)
        )
    stack.ended("twice.zip", 60)
    soon(lambda: _left(stack) == 0, "the event's other copies are not taken from the queue", 60)
    tasks = stack.http.get("/retrain/tasks").json()["tasks"]
    assert len([task for task in tasks if task["name"] == "twice.zip"]) == 1


def _left(stack: Deployed) -> int:
    """Messages that wait in the queue, or are at work."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = stack.cloud.aws.client("sqs").get_queue_attributes(
        QueueUrl=stack.cloud.outputs["Queue"], AttributeNames=counts
    )
    return sum(int(told["Attributes"][one]) for one in counts)


def test_a_form_takes_a_zip_past_the_api(stack: Deployed, tmp_path: Path) -> None:
    form = (
        stack.http.post("/uploads", json={"name": "large.zip", "note": "by form"}).raise_for_status().json()
    )
    content = b"PK\x03\x04 and no more"
    sent = httpx.post(
        form["url"], data=form["fields"], files={"file": ("x.zip", content, "application/zip")}, timeout=30
    )
    assert sent.status_code in (201, 204), sent.text
    job = stack.ended("large.zip", 60)
    told = stack.http.get(form["links"]["self"]).raise_for_status().json()
    assert (told["state"], told["task"]["task_id"]) == ("received", job["task_id"])
    assert stack.http.get(f"/retrain/status/{job['task_id']}").json()["options"]["note"] == "by form"


@pytest.mark.parametrize(("method", "path"), [("POST", "/retrain"), ("GET", "/models"), ("POST", "/predict")])
def test_the_api_is_not_open(stack: Deployed, method: str, path: str) -> None:
    answer = httpx.request(
        method, stack.cloud.aws.endpoint + path, headers={"Host": stack.cloud.host}, timeout=60
    )
    assert answer.status_code == 401
