"""The API as a function: requests of the gateway, new promotions, and a store that fails."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from malaria import shipped, synthetic
from malaria.domain import ModelVersion
from tests import stand_in
from tests.contract.clock import SetClock
from tests.functions.conftest import CONTEXT, Deployment, event

Start = Callable[[str], ModuleType]


def get(path: str) -> dict[str, Any]:
    return dict(event("http", PATH=path))


def post(path: str, field: str, content: bytes, name: str = "a.png") -> dict[str, Any]:
    """A form with one file, as the gateway passes it on."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
    asked = get(path)
    asked["requestContext"]["http"]["method"] = "POST"
    asked["headers"]["content-type"] = "multipart/form-data; boundary=x"
    body = head + content + b"\r\n--x--\r\n"
    return {**asked, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def predict() -> dict[str, Any]:
    return post("/predict", "file", next(iter(synthetic.generate(1, 1))).png())


def answer(told: dict[str, Any], status: int = 200) -> Any:
    assert told["statusCode"] == status, told
    return json.loads(told["body"])


@pytest.fixture
def another(models_dir: Path, shipped_info: ModelVersion, tmp_path: Path) -> tuple[ModelVersion, dict]:
    """A version that could be promoted: the shipped weights under another name."""
    info = replace(shipped_info, version="20990101-other")
    return info, {name: models_dir / shipped_info.version / name for name in ("model.tflite", "memory.npz")}


def test_a_picture_sent_through_the_gateway_is_answered(deployment: Deployment, started: Start) -> None:
    api = started("api")
    told = answer(api.handler(predict(), CONTEXT))
    assert told["prediction"] in ("Parasitized", "Uninfected", None)
    assert told["model_version"] == api.services.registry.newest().version
    assert answer(api.handler(get("/health"), CONTEXT))["status"] == "ok"


def test_one_id_goes_from_the_gateway_to_the_log(
    deployment: Deployment, started: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    api = started("api")
    asked = get("/health")
    asked["requestContext"]["requestId"] = "JKJaXmPLvHcESHA="
    headers = api.handler(asked, CONTEXT)["headers"]
    assert headers["x-request-id"] == "JKJaXmPLvHcESHA="
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    access = next(line for line in lines if line.get("name") == "malaria.api.access")
    assert access["correlation_id"] == "JKJaXmPLvHcESHA="


def test_the_log_tells_which_request_became_which_job(
    deployment: Deployment, started: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that the log of its training, which names the job, is found from the request, and back."""
    api = started("api")
    asked = post("/retrain", "file", synthetic.write(tmp_path / "x.zip", 8, 3).read_bytes(), "x.zip")
    asked["requestContext"]["requestId"] = "JKJaXmPLvHcESHB="
    job = answer(api.handler(asked, CONTEXT), 202)["task_id"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {"JKJaXmPLvHcESHB="} == {
        line["correlation_id"] for line in lines if line.get("message") == f"job {job} is queued"
    }


def figures(out: str) -> list[dict[str, Any]]:
    """The lines that CloudWatch takes figures from."""
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_figures_of_an_instance_and_its_pictures_are_in_its_log(
    deployment: Deployment, started: Start, capsys: pytest.CaptureFixture[str], shipped_info: ModelVersion
) -> None:
    api = started("api")
    for _ in range(2):
        answer(api.handler(predict(), CONTEXT))
    told = figures(capsys.readouterr().out)
    assert {line["deployment"] for line in told} == {deployment.cluster}
    assert [line["ColdStarts"] for line in told if "ColdStarts" in line] == [1.0, 0.0]
    pictures = [line for line in told if "Pictures" in line]
    assert [line["Pictures"] for line in pictures] == [1.0, 1.0]
    assert {line["model_version"] for line in pictures} == {shipped_info.version}
    assert all(line["FeatureDistance"] > 0 and line["ImageDeviation"] > 0 for line in pictures)


@pytest.mark.parametrize("path", ["/predict", "/models"])
def test_what_a_browser_asks_before_is_not_refused(
    deployment: Deployment, started: Start, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A refusal would keep pages of the origins that the settings name from asking at all."""
    monkeypatch.setenv("MALARIA_ACCESS", "keys")
    asked = get(path)
    asked["requestContext"]["http"]["method"] = "OPTIONS"
    asked["headers"] |= {"origin": "https://laboratory.example", "access-control-request-method": "POST"}
    assert started("api").handler(asked, CONTEXT)["statusCode"] == 204


def test_a_key_for_the_canary_is_made_where_one_is_sent(
    deployment: Deployment, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started("api").services.objects.list("private/canary") == []
    monkeypatch.setenv("MALARIA_AWS_CANARY", "true")
    monkeypatch.setenv("MALARIA_ACCESS", "keys")
    api = started("api")
    text = api.services.objects.get("private/canary.key").decode()
    asked = predict()
    assert api.handler(asked, CONTEXT)["statusCode"] == 401
    asked["headers"]["authorization"] = f"Bearer {text}"
    answer(api.handler(asked, CONTEXT))


def test_a_promotion_is_taken_up_within_half_a_minute_without_a_failed_request(
    deployment: Deployment, started: Start, another: tuple[ModelVersion, dict]
) -> None:
    api = started("api")
    api.freshness._clock = clock = SetClock()
    first = answer(api.handler(predict(), CONTEXT))["model_version"]
    info, files = another
    api.services.registry.publish(info, files)
    api.services.registry.promote(info.version, verdict="manual", actor="a person", reason="a test")
    clock.go(1)
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == first
    clock.go(25)
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == info.version
    api.services.registry.rollback(actor="a person", reason="a test")
    clock.go(-3600)  # a clock that was set back must not end the looking
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == first


def test_a_store_that_fails_later_fails_no_prediction(deployment: Deployment, started: Start) -> None:
    api = started("api")
    api.freshness._clock = clock = SetClock()
    before = answer(api.handler(predict(), CONTEXT))["model_version"]
    _empty(deployment)
    clock.go(60)
    assert answer(api.handler(predict(), CONTEXT))["model_version"] == before


def test_a_retraining_asked_for_is_queued_and_the_queue_is_told(
    deployment: Deployment, started: Start, tmp_path: Path
) -> None:
    api = started("api")
    cells = synthetic.write(tmp_path / "cells.zip", 8, seed=3).read_bytes()
    told = answer(api.handler(post("/retrain", "file", cells, "cells.zip"), CONTEXT), 202)
    assert deployment.messages() == [{"look": True}]
    assert deployment.tasks() == [], "the API itself may start none"
    at = answer(api.handler(get(f"/retrain/status/{told['task_id']}"), CONTEXT))
    assert (at["state"], at["attempt"]) == ("queued", 0)
    cancel = get(f"/retrain/tasks/{told['task_id']}")
    cancel["requestContext"]["http"]["method"] = "DELETE"
    assert answer(api.handler(cancel, CONTEXT))["state"] == "cancelled"


def test_ids_signed_by_one_instance_are_known_to_the_next(deployment: Deployment, started: Start) -> None:
    said = answer(started("api").handler(predict(), CONTEXT))
    confirm = get("/feedback")
    confirm["requestContext"]["http"]["method"] = "POST"
    label = {"prediction_id": said["prediction_id"], "label": "Parasitized", "by": "ada"}
    told = started("api").handler({**confirm, "body": json.dumps(label)}, CONTEXT)
    assert told["statusCode"] in (200, 201), told


ALONE = """
import json, sys
from functions.api.handler import handler, services
told = handler(json.loads(sys.stdin.read()), None)
loaded = sorted(set(sys.modules) & set(sys.argv[1].split(",")))
print(told["statusCode"], services.served.promotion.number, *loaded)
"""
NOT_LOADED = ("boto3", "botocore.client", "botocore.session", "s3transfer", "tensorflow", "keras", "scipy")


def alone(**environment: str) -> "subprocess.CompletedProcess[str]":
    """One prediction by a function that starts in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, ",".join(NOT_LOADED)],
        input=json.dumps(predict()),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(done: "subprocess.CompletedProcess[str]") -> list[str]:
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1].split()


def test_a_prediction_loads_nothing_of_boto3(deployment: Deployment) -> None:
    assert last_line(alone()) == ["200", "1"]


@pytest.fixture
def outage(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[stand_in.Outage]:
    """The store fails, from before the function starts. The key that signs is a setting, else none could be
    given out."""
    monkeypatch.setenv("MALARIA_SIGNING_KEY", "k" * 32)
    failing = stand_in.Outage(stand_in.moto())
    with stand_in.served(failing) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield failing


def test_where_the_log_cannot_be_read_at_first_the_model_in_the_image_answers(
    outage: stand_in.Outage,
) -> None:
    assert last_line(alone()) == ["200", "0"]


def test_the_model_in_the_image_is_not_brought_from_the_store(
    deployment: Deployment, started: Start, shipped_info: ModelVersion
) -> None:
    started("api")
    home = Path(os.environ["MALARIA_HOME"])
    laid = home / "cache" / shipped_info.version / "model.tflite"
    assert laid.is_symlink(), "a download would have put a file in its place"


def test_once_the_log_can_be_read_what_was_promoted_serves(outage: stand_in.Outage, started: Start) -> None:
    api = started("api")
    api.freshness._clock = clock = SetClock()
    clock.time = api.freshness._looked
    assert api.services.served.promotion.verdict == "bundled"
    outage.lasts = False
    shipped.install_shipped(api.services.registry, shipped.folder(api.services.settings.shipped))
    answer(api.handler(predict(), CONTEXT))
    assert api.services.served.promotion.verdict == "bundled", "the next look is not due yet"
    clock.go(30)
    assert answer(api.handler(get("/status"), CONTEXT))["promotion"]["number"] == 1


def _empty(deployment: Deployment) -> None:
    """Take everything out of the bucket of models."""
    s3 = deployment.clients.of("s3")
    for one in s3.list_object_versions(Bucket=deployment.models).get("Versions", ()):
        s3.delete_object(Bucket=deployment.models, Key=one["Key"], VersionId=one["VersionId"])
