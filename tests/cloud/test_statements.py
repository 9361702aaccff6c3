"""No statement of a policy is idle: without any one of them its function or task is denied what it is for."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria import synthetic
from tests.cloud.conftest import Deployed, soon
from tests.cloud.statements import idle
from tests.flow.sites import Site

pytestmark = pytest.mark.cloud
_numbers = itertools.count(1)
TO_HEAR_OF_ABSENCE = "s3:ListBucket"
"""AWS tells who may not list a bucket that what is absent is forbidden; ministack says that it is absent."""


@pytest.fixture
def idling(still: Deployed) -> Iterator[Deployed]:
    """The same, in which a training that is launched does not begin."""
    with still.cloud.tasks.paused():
        yield still
        settle(still)


@pytest.fixture(scope="module")
def still(stack: Deployed) -> Iterator[Deployed]:
    """The deployment with nothing at work in it but what a test calls itself."""
    lambdas, events = (stack.cloud.aws.client(name) for name in ("lambda", "events"))
    mappings = lambdas.list_event_source_mappings()["EventSourceMappings"]
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    for one in mappings:
        lambdas.update_event_source_mapping(UUID=one["UUID"], Enabled=False)
    for rule in rules:
        events.disable_rule(Name=rule)
    yield stack
    for rule in rules:
        events.enable_rule(Name=rule)
    for one in mappings:
        lambdas.update_event_source_mapping(UUID=one["UUID"], Enabled=True)


def no_cells() -> bytes:
    """A ZIP like no other, without any cell in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", f"nothing, number {next(_numbers)}")
    return out.getvalue()


def upload(stack: Deployed) -> tuple[list[httpx.Response], dict[str, Any]]:
    """Send an upload by a form; what was answered, and the message of its arrival, which names no version."""
    form = stack.http.post("/uploads", json={"name": "large.zip"})
    if "url" not in (asked := form.json()):
        return [form], {}
    sent = {"file": ("large.zip", no_cells(), "application/zip")}
    done = httpx.post(asked["url"], data=asked["fields"], files=sent, timeout=60)
    bucket = stack.cloud.outputs["UploadsBucket"]
    detail = {"bucket": {"name": bucket}, "object": {"key": asked["fields"]["key"], "size": 128}}
    told = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    record = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(told)}
    return [form, done, stack.http.get(asked["links"]["self"])], {"Records": [record]}


def settle(stack: Deployed) -> None:
    """Cancel what waits or runs, and wait until it has ended."""

    def none_is_open() -> bool:
        tasks = stack.http.get("/retrain/tasks").raise_for_status().json()["tasks"]
        still_open = [task for task in tasks if not task["finished"]]
        for task in still_open:
            answer = stack.http.delete(f"/retrain/tasks/{task['task_id']}")
            assert answer.status_code in (200, 202, 409), answer.text
        if still_open:
            stack.call("reconcile", {"id": "tests"})
        return not still_open

    soon(none_is_open, "jobs do not end", 120)


def confirmed(stack: Deployed, each: int) -> None:
    """Cells of both classes that nobody has seen, answered and confirmed."""
    seed = next(_numbers)
    for cell in synthetic.generate(2 * each, seed=seed):
        answer = stack.predict(cell.png())
        told = {"prediction_id": answer["prediction_id"], "label": cell.label.text, "by": "tests"}
        stack.http.post("/feedback", json=told).raise_for_status()


def test_the_api(still: Deployed) -> None:
    http = still.http

    def drive() -> str:
        still.cloud.function("api")[0].renew()
        (cell,) = synthetic.generate(1, seed=next(_numbers))
        answers = [http.get(path) for path in ("/model/info", "/models", "/retrain/tasks")]
        picture = http.post("/predict", files={"file": ("cell.png", cell.png(), "image/png")})
        told = {"prediction_id": picture.json().get("prediction_id"), "label": "Uninfected", "by": "tests"}
        answers += [
            picture,
            http.post("/feedback", json=told),
            http.get("/metrics/quality"),
            http.get("/metrics/summary"),
        ]
        answers += upload(still)[0]
        answers += [http.post("/retrain", files={"file": ("few.zip", no_cells(), "application/zip")})]
        return "\n".join(answer.text for answer in answers)

    assert idle(still, "api", drive, "api.log") == []


def test_on_upload(idling: Deployed) -> None:
    def drive() -> str:
        settle(idling)
        return idling.call("on_upload", upload(idling)[1])

    found = idle(idling, "on_upload", drive, "on_upload.log")
    assert [one["Action"] for one in found] == [TO_HEAR_OF_ABSENCE, TO_HEAR_OF_ABSENCE]


def test_on_job_change(idling: Deployed) -> None:
    def drive() -> str:
        settle(idling)
        idling.http.post("/retrain", files={"file": ("few.zip", no_cells(), "application/zip")})
        return "\n".join(idling.call("on_job_change", {"id": "tests"}) for _ in range(2))

    assert idle(idling, "on_job_change", drive, "on_job_change.log") == []


def test_reconcile(idling: Deployed) -> None:
    def drive() -> str:
        settle(idling)
        idling.call("reconcile", {"id": "tests"})  # what was lost before comes to light, and is done with
        settle(idling)
        confirmed(idling, 10)
        first = idling.call("reconcile", {"id": "tests"})
        upload(idling)
        return first + idling.call("reconcile", {"id": "tests"})

    found = idle(idling, "reconcile", drive, "reconcile.log")
    assert [one["Action"] for one in found] == [TO_HEAR_OF_ABSENCE]


def test_a_training(still: Deployed, site: Site, tmp_path: Path) -> None:
    def drive() -> str:
        settle(still)
        number = next(_numbers)
        path = Site(site.cells[number:]).zip(tmp_path / f"site-{number}.zip")
        with path.open("rb") as file:
            still.http.post("/retrain", files={"file": (path.name, file, "application/zip")})
        before = len(still.cloud.tasks.ended)
        still.call("on_job_change", {"id": "tests"})
        soon(lambda: len(still.cloud.tasks.ended) > before, "the training does not end", 240)
        return ""

    assert idle(still, "adapt", drive, "task-*.log") == []
