"""Before any route: who may ask from where, ids, headers, and errors that nobody foresaw."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria.adapters import objects
from malaria.api.app import create_app
from malaria.predict import Served
from malaria.promote import Registry
from tests.api.asking import good, predict, problem
from tests.api.conftest import System, make
from tests.api.server import client


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.9", ""]
)
def test_a_foreign_host_gets_nothing(http: httpx.Client, host: str) -> None:
    problem(http.get("/health", headers={"host": host}), 421, "unknown-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:8000"])
def test_the_loopback_names_are_answered(http: httpx.Client, host: str) -> None:
    good(http.get("/health", headers={"host": host}))


def test_other_hosts_can_be_allowed(home: Path, models_dir: Path) -> None:
    services, _ = make(home, models_dir, allowed_hosts=("*",))
    with client(create_app(services)) as http:
        good(http.get("/health", headers={"host": "lab.example"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000", "host": "localhost:8000"},
        {"origin": "http://localhost", "host": "localhost:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    ],
)
def test_pages_of_other_sites_change_nothing(shared: System, upload: bytes, headers: dict[str, str]) -> None:
    file = {"file": ("a.zip", upload)}
    problem(shared.http.post("/retrain", files=file, headers=headers), 403, "cross-site")
    problem(shared.http.delete("/retrain/tasks/x", headers=headers), 403, "cross-site")
    problem(shared.http.post("/models/rollback", json={}, headers=headers), 403, "cross-site")
    problem(predict(shared.http, b"", headers=headers), 403, "cross-site")
    assert shared.services.jobs.list() == []
    good(shared.http.get("/health", headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8000", "host": "localhost:8000"},
        {"origin": "http://localhost", "host": "localhost:80", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_pages_of_our_own_and_programs_may(http: httpx.Client, png: bytes, headers: dict[str, str]) -> None:
    good(predict(http, png, headers=headers))


def test_every_answer_carries_its_id_and_its_guards(http: httpx.Client) -> None:
    answers = [http.get("/health"), http.get("/nowhere"), http.get("/docs"), http.put("/predict")]
    answers.append(http.get("/health", headers={"host": "evil.example"}))
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_a_callers_id_is_kept_where_it_is_safe(http: httpx.Client) -> None:
    assert http.get("/health", headers={"x-request-id": "lab-7.a_B"}).headers["x-request-id"] == "lab-7.a_B"
    for unsafe in ("a b", "x" * 129, '"}', "a;b"):
        assert http.get("/health", headers={"x-request-id": unsafe}).headers["x-request-id"] != unsafe


def test_the_log_has_a_line_for_each_request(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    def logged() -> list[Any]:
        lines = [json.loads(r.getMessage()) for r in caplog.records if r.name == "malaria.api.access"]
        return [line for line in lines if line["id"] == "look-for-me"]

    with caplog.at_level(logging.INFO, "malaria.api.access"):
        http.get("/retrain/status/secret-name", headers={"x-request-id": "look-for-me"})
        deadline = time.monotonic() + 10  # the line is written once the answer has gone out
        while not logged() and time.monotonic() < deadline:
            time.sleep(0.01)
    [mine] = logged()
    assert (mine["method"], mine["status"]) == ("GET", 404)
    assert mine["route"] == "/retrain/status/{task_id}"
    assert mine["ms"] >= 0


def test_unknown_addresses_and_methods_are_problems(http: httpx.Client) -> None:
    assert "/docs" in problem(http.get("/no/such"), 404, "not-found")["detail"]
    wrong = http.get("/predict")
    problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"
    problem(http.get("/docs/assets/no.js"), 404, "not-found")
    problem(http.get("/docs/assets/..%2f__init__.py"), 404, "not-found")


@pytest.fixture
def broken(home: Path, models_dir: Path) -> Iterator[httpx.Client]:
    """A server in which one route fails as no one foresaw."""
    services, _ = make(home, models_dir)
    app = create_app(services)

    @app.get("/broken")
    def fail() -> None:
        raise ZeroDivisionError("a secret of the inside")

    with client(app) as http:
        yield http


def test_an_unforeseen_error_is_a_problem_with_an_id_that_is_logged(
    broken: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = broken.get("/broken")
    told = problem(answer, 500, "internal-error")
    assert told["request_id"] in told["detail"]
    assert "secret" not in answer.text
    logged = [r for r in caplog.records if told["request_id"] in r.getMessage() and r.exc_info]
    assert logged, "its traceback is in the log, under that id"
    good(broken.get("/health"))


def test_without_a_model_it_is_degraded_and_says_so(home: Path, models_dir: Path, png: bytes) -> None:
    services, _ = make(home, models_dir)
    empty = Registry(objects.memory(), services.clock)
    bare = replace(services, registry=empty, served=Served(empty, home / "none"))
    with client(create_app(bare)) as http:
        told = good(http.get("/health"))
        assert (told["status"], told["model_loaded"], told["model_version"]) == ("degraded", False, None)
        assert told["reason"]
        assert good(http.get("/status"))["promotion"] is None
        answer = predict(http, png)
        problem(answer, 503, "model-unusable")
        assert answer.headers["retry-after"]
        problem(http.get("/model/info"), 503, "model-unusable")
        assert good(http.get("/models")) == {"served": None, "models": [], "promotions": []}


def test_counts_are_of_this_process(own: System, png: bytes) -> None:
    before = good(own.http.get("/health"))
    assert (before["total_predictions"], before["counts_since"]) == (0, "process")
    good(predict(own.http, png))
    predict(own.http, b"")
    files = [("files", ("a.png", png)), ("files", ("b.png", png)), ("files", ("c.png", b""))]
    good(own.http.post("/predict/batch", files=files))
    after = good(own.http.get("/status"))
    assert after["total_predictions"] == 3
    assert after["predictions"]["failed"] == 2
    assert after["uptime_seconds"] > before["uptime_seconds"]
