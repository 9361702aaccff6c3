"""Large ZIPs: a form is asked for, the ZIP is sent where it says, and a job begins."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from malaria.domain import JobState, Method
from tests.api.asking import good, problem
from tests.api.conftest import System
from tests.api.test_retrain import launched, with_options


def opened(http: httpx.Client, **told: Any) -> dict[str, Any]:
    answer = http.post("/uploads", json=told)
    found: dict[str, Any] = good(answer, 201)
    assert answer.headers["location"] == found["links"]["self"] == f"/uploads/{found['upload_id']}"
    return found


def send(http: httpx.Client, form: dict[str, Any], packed: bytes) -> httpx.Response:
    files = {"file": ("any name.zip", packed, "application/zip")}
    return http.post(form["url"], data=form["fields"], files=files)


def test_a_large_upload_from_form_to_job(own: System, upload: bytes) -> None:
    form = opened(own.http, name="C:\\lab\\site.zip", method="adapt", note="new stain")
    assert form["max_bytes"] == own.services.settings.max_upload_bytes
    waiting = good(own.http.get(form["links"]["self"]))
    assert (waiting["state"], waiting["task"], waiting["name"]) == ("waiting", None, "site.zip")

    told = good(send(own.http, form, with_options(upload, {"method": "full", "epochs": 3})), 202)
    job = own.services.jobs.get(told["task_id"])
    assert (job.name, job.options.method, job.options.epochs) == ("site.zip", Method.ADAPT, 3)
    assert job.options.note == "new stain"
    assert launched(own, 1) == [(job.id, 1)]
    received = good(own.http.get(form["links"]["self"]))
    assert (received["state"], received["task"]["task_id"]) == ("received", job.id)


def test_of_one_form_comes_one_job(own: System, upload: bytes) -> None:
    form = opened(own.http)
    ids = {good(send(own.http, form, upload), 202)["task_id"] for _ in range(2)}
    assert len(ids) == len(own.services.jobs.list()) == 1
    other = opened(own.http)
    assert good(send(own.http, other, upload), 202)["task_id"] not in ids


def test_a_zip_that_cannot_be_used_is_a_job_that_failed(own: System) -> None:
    form = opened(own.http)
    told = good(send(own.http, form, b"PK\x03\x04 and no more"), 202)
    job = own.services.jobs.get(told["task_id"])
    assert job.state is JobState.FAILED
    assert job.reason


def test_a_form_ends(own: System, upload: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    form, late = opened(own.http), own.services.clock.now() + timedelta(hours=2)
    done = opened(own.http)
    first = good(send(own.http, done, upload), 202)["task_id"]
    monkeypatch.setattr(type(own.services.clock), "now", lambda _: late)
    assert good(own.http.get(form["links"]["self"]))["state"] == "expired"
    assert "Ask for another" in problem(send(own.http, form, upload), 409, "conflict")["detail"]
    assert good(send(own.http, done, upload), 202)["task_id"] == first, (
        "a repetition is answered all the same"
    )


@pytest.mark.parametrize("told", [{"epochs": 0}, {"method": "magic"}, {"epoch": 3}, {"name": "x" * 300}])
def test_wrong_options_are_refused_before_anything_is_sent(shared: System, told: dict[str, Any]) -> None:
    problem(shared.http.post("/uploads", json=told), 422, "invalid-request")
    assert shared.services.objects.list("tickets/") == []


def test_options_that_no_range_bounds_are_refused_too(shared: System) -> None:
    problem(shared.http.post("/uploads", json={"network": "resnet"}), 422, "bad-options")


@pytest.mark.parametrize("upload_id", ["0" * 32, "x", "..%2F..%2Fprivate", "0" * 31 + "G"])
def test_an_unknown_upload_is_not_found(http: httpx.Client, upload_id: str, upload: bytes) -> None:
    problem(http.get(f"/uploads/{upload_id}"), 404, "not-found")
    if "%2F" not in upload_id:
        problem(send(http, {"url": f"/uploads/{upload_id}", "fields": {}}, upload), 404, "not-found")
