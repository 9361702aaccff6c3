"""Retraining over HTTP: hand in, follow, cancel. The job is real, its process is played."""

import io
import json
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria.api.app import create_app
from malaria.domain import Job, JobState, Method, Progress, Verdict
from tests.api.asking import good, problem
from tests.api.conftest import System, make
from tests.api.server import client

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def hand_in(http: httpx.Client, packed: bytes, name: str = "site.zip", **more: Any) -> httpx.Response:
    return http.post("/retrain", files={"file": (name, packed, "application/zip")}, **more)


def with_options(upload: bytes, told: Any) -> bytes:
    out = io.BytesIO(upload)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("retrain.json", told if isinstance(told, str) else json.dumps(told))
    return out.getvalue()


def launched(system: System, count: int) -> list[tuple[str, int]]:
    """What was launched, once there are so many: the launch follows the answer."""
    deadline = time.monotonic() + 10
    while len(system.launcher.launched) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return system.launcher.launched


def test_an_upload_is_kept_queued_and_launched(own: System, upload: bytes) -> None:
    answer = hand_in(own.http, upload, data={"method": "adapt", "epochs": "3", "note": "new stain"})
    told = good(answer, 202)
    assert told["state"] == "queued"
    assert answer.headers["location"] == told["links"]["self"] == f"/retrain/status/{told['task_id']}"
    job = own.services.jobs.get(told["task_id"])
    assert own.services.objects.get(job.upload) == upload
    assert job.name == "site.zip"
    assert job.options.method is Method.ADAPT
    assert (job.options.epochs, job.options.note) == (3, "new stain")
    assert launched(own, 1) == [(job.id, 1)]

    status = good(own.http.get(answer.headers["location"]))
    assert status["task_id"] == job.id
    assert status["options"]["epochs"] == 3
    assert (status["verdict"], status["losses"], status["attempt"]) == (None, [], 1)
    assert status["links"]["cancel"] == f"/retrain/tasks/{job.id}"


def test_options_of_the_form_come_before_those_of_the_zip(own: System, upload: bytes) -> None:
    packed = with_options(upload, {"method": "full", "epochs": 7, "learning_rate": 0.001, "note": "zip"})
    told = good(hand_in(own.http, packed, data={"epochs": "9"}), 202)
    assert told["options"] == {
        "method": "full",
        "epochs": 9,
        "batch_size": None,
        "learning_rate": 0.001,
        "network": None,
        "note": "zip",
    }


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"method": "magic"}, "method"),
        ({"epochs": "0"}, "epochs"),
        ({"epochs": "201"}, "epochs"),
        ({"epochs": "three"}, "epochs"),
        ({"batch_size": "513"}, "batch_size"),
        ({"learning_rate": "2"}, "learning_rate"),
        ({"learning_rate": "nan"}, "learning_rate"),
        ({"network": "resnet"}, "network"),
        ({"note": "x" * 1001}, "note"),
        ({"epoch": "3"}, "'epochs'"),
    ],
)
def test_bad_options_are_refused_before_there_is_a_job(
    shared: System, upload: bytes, form: dict[str, str], field: str
) -> None:
    answer = hand_in(shared.http, upload, data=form)
    assert answer.status_code == 422
    assert field in problem(answer, 422, answer.json()["code"])["detail"]
    assert shared.services.jobs.list() == []
    assert shared.services.objects.list("uploads/") == []


@pytest.mark.parametrize("told", ["{", "[]", {"epochs": 1000}, {"epohcs": 3}, {"method": 5}])
def test_a_bad_retrain_json_is_refused(shared: System, upload: bytes, told: Any) -> None:
    detail = problem(hand_in(shared.http, with_options(upload, told)), 422, "bad-options")["detail"]
    assert "retrain.json" in detail
    assert shared.services.jobs.list() == []


@pytest.mark.parametrize("data", [b"", b"not a ZIP", b"\x89PNG\r\n\x1a\n"])
def test_what_is_not_a_zip_is_refused(shared: System, data: bytes) -> None:
    problem(hand_in(shared.http, data), 422, "bad-archive")
    assert shared.services.jobs.list() == []


def test_wrong_forms_are_refused(http: httpx.Client, upload: bytes) -> None:
    wrong = http.post("/retrain", files={"zip": ("a.zip", upload)})
    assert "'file'" in problem(wrong, 422, "invalid-request")["detail"]
    problem(http.post("/retrain", json={"file": "a.zip"}), 415, "unsupported-media-type")


def test_an_upload_beyond_the_limit_is_refused(home: Path, models_dir: Path, upload: bytes) -> None:
    services, _ = make(home, models_dir, max_upload_bytes=len(upload) - 1)
    with client(create_app(services)) as http:
        problem(hand_in(http, upload), 413, "upload-too-large")
        problem(hand_in(http, bytes(len(upload) + 2**17)), 413, "upload-too-large")
    assert services.jobs.list() == []


def test_each_upload_is_a_job_unless_its_key_says_that_it_is_a_repetition(own: System, upload: bytes) -> None:
    ids = [good(hand_in(own.http, upload), 202)["task_id"] for _ in range(2)]
    key = {"Idempotency-Key": "once"}
    ids += [good(hand_in(own.http, upload, headers=key), 202)["task_id"] for _ in range(2)]
    assert len(set(ids)) == 3
    assert ids[2] == ids[3]
    other = with_options(upload, {"note": "other content, so nothing is lost"})
    assert good(hand_in(own.http, other, headers=key), 202)["task_id"] not in ids
    assert len(own.services.jobs.list()) == 4


def test_names_are_taken_without_folders_and_control_characters(own: System, upload: bytes) -> None:
    for sent, kept in (("C:\\lab\\a.zip", "a.zip"), ("../../b.zip", "b.zip"), ("ä\u202e.zip", "ä\ufffd.zip")):
        told = good(hand_in(own.http, upload, name=sent), 202)
        assert good(own.http.get(told["links"]["self"]))["name"] == kept


@pytest.mark.parametrize(
    "ask", ["/retrain/status/{}", "/retrain/status/{}/receipt", "DELETE /retrain/tasks/{}"]
)
@pytest.mark.parametrize("task", ["no-such-task", "0" * 16, "%00", "ä"])
def test_an_unknown_task_is_not_found(http: httpx.Client, ask: str, task: str) -> None:
    method, _, address = ask.rpartition(" ")
    problem(http.request(method or "GET", address.format(task)), 404, "unknown-task")


def add(system: System, number: int, **how: Any) -> Job:
    job = Job(f"{number:016x}", f"identity {number}", f"{number}.zip", f"uploads/{number}", AT)
    return system.services.jobs.add(replace(job, **how))


def test_a_run_tells_where_it_stands(own: System) -> None:
    figures: dict[str, Any] = {
        "loss": 0.5,
        "validation_loss": 0.6,
        "accuracy": 0.8,
        "validation_accuracy": 0.7,
    }
    curve = (Progress("fit", epoch=1, **figures),)
    at = Progress("fit", percent=40.0, eta=12.5, epoch=2, epochs=5, message="batch 3")
    job = add(own, 1, state=JobState.RUNNING, started=AT, progress=at, epochs=curve, attempt=1)
    told = good(own.http.get(f"/retrain/status/{job.id}"))
    expected = {"state": "running", "step": "fit", "percent": 40.0, "eta_seconds": 12.5, "message": "batch 3"}
    assert {key: told[key] for key in expected} == expected
    assert (told["epoch"], told["epochs"]) == (2, 5)
    assert told["losses"] == [{"epoch": 1, **figures}]
    assert good(own.http.get("/status"))["training"] == {"running": [job.id], "queued": 0}


def test_a_verdict_comes_with_its_reasons_and_figures(own: System) -> None:
    receipt = {"criteria": [{"name": "site", "text": "Balanced accuracy rose."}], "advice": ""}
    job = add(
        own,
        2,
        state=JobState.SUCCEEDED,
        verdict=Verdict.ACCEPTED,
        reason="Accepted. Balanced accuracy rose.",
        receipt=receipt,
        report={"accepted": {"Parasitized": 3, "Uninfected": 3}},
        champion="20260101-aaaaaaaa",
        version="20260102-bbbbbbbb",
        finished=AT,
        progress=Progress("done", percent=100.0, eta=0.0),
    )
    told = good(own.http.get(f"/retrain/status/{job.id}"))
    assert (told["state"], told["verdict"], told["percent"]) == ("succeeded", "accepted", 100.0)
    assert told["reasons"] == ["Balanced accuracy rose."]
    assert told["receipt"] == receipt
    assert told["ingest"]["accepted"] == {"Parasitized": 3, "Uninfected": 3}
    assert (told["champion"], told["version"]) == ("20260101-aaaaaaaa", "20260102-bbbbbbbb")
    assert told["links"] == {
        "self": f"/retrain/status/{job.id}",
        "model": "/models/20260102-bbbbbbbb",
        "receipt": f"/retrain/status/{job.id}/receipt",
    }
    assert told["finished"] == "2026-01-02T03:04:00Z"


def test_the_receipt_is_a_page_to_read_or_json(own: System) -> None:
    text = "Base sensitivity -3.0 points: it may fall by 1.2."
    rule = {"name": "base sensitivity", "value": -0.03, "low": -0.05, "high": -0.02, "bound": -0.012}
    told = {
        "verdict": "rejected",
        "reason": f"Rejected. {text}",
        "criteria": [{**rule, "passed": False, "text": text}],
        "advice": "Check the labels.",
        "changed": {"base": {"cells": 2918, "gained": 2, "lost": 40}},
        "look": 7,
    }
    verdict = Verdict.REJECTED
    job = add(own, 3, state=JobState.SUCCEEDED, verdict=verdict, receipt=told, champion="v1", version="v2")
    link = good(own.http.get(f"/retrain/status/{job.id}"))["links"]["receipt"]
    page = own.http.get(link, headers={"accept": "*/*"})
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/markdown")
    assert page.text.startswith("# Rejected") and "Accept" in page.headers["vary"].split(", ")
    assert "| base sensitivity | -0.0300 | -0.0500 to -0.0200 | -0.0120 | **broken** |" in page.text
    assert "number 7" in page.text and "40 by the champion alone" in page.text
    assert good(own.http.get(link, headers={"accept": "application/json"})) == told


def test_a_job_without_a_verdict_has_no_receipt(own: System) -> None:
    job = add(own, 4, state=JobState.FAILED, reason="No ZIP.")
    told = problem(own.http.get(f"/retrain/status/{job.id}/receipt"), 404, "not-found")
    assert "has no receipt: it is failed. No ZIP." in told["detail"]
    assert "receipt" not in good(own.http.get(f"/retrain/status/{job.id}"))["links"]


def test_the_list_is_newest_first_and_can_be_narrowed(own: System) -> None:
    for number in range(5):
        state = JobState.FAILED if number % 2 else JobState.SUCCEEDED
        add(own, number, state=state, created=AT.replace(minute=number), finished=AT)
    names = [task["name"] for task in good(own.http.get("/retrain/tasks"))["tasks"]]
    assert names == ["4.zip", "3.zip", "2.zip", "1.zip", "0.zip"]
    failed = good(own.http.get("/retrain/tasks", params={"state": "failed", "limit": 1}))["tasks"]
    assert [task["name"] for task in failed] == ["3.zip"]
    problem(own.http.get("/retrain/tasks", params={"state": "lost"}), 422, "invalid-request")
    problem(own.http.get("/retrain/tasks", params={"limit": 0}), 422, "invalid-request")


def test_a_waiting_job_is_cancelled_at_once_a_running_one_is_asked_to_stop(own: System) -> None:
    waiting, running = add(own, 1), add(own, 2, state=JobState.RUNNING, handle="memory:x:1")
    assert good(own.http.delete(f"/retrain/tasks/{waiting.id}"), 200)["state"] == "cancelled"
    problem(own.http.delete(f"/retrain/tasks/{waiting.id}"), 409, "job-finished")
    assert good(own.http.delete(f"/retrain/tasks/{running.id}"), 202)["state"] == "running"
    assert good(own.http.get(f"/retrain/status/{running.id}"))["cancel_requested"] is True


def test_status_tells_what_an_upload_must_bring(home: Path, models_dir: Path) -> None:
    services, _ = make(home, models_dir, min_site_cells=30, min_site_per_class=7)
    with client(create_app(services)) as http:
        needs = good(http.get("/status"))["needs"]
    assert (needs["judged_cells"], needs["judged_each"], needs["judged_groups"]) == (30, 7, 2)
    assert (needs["learnt_each"], needs["judged_share"]) == (5, 0.2)
