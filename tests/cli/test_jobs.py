import json
import signal
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from malaria import synthetic
from malaria.cli import jobs
from malaria.domain import Job, JobState, Method, Progress, RetrainOptions, Verdict
from malaria.services import Services
from tests.cli.conftest import Run

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def added(services: Services, job_id: str, **how: object) -> Job:
    job = Job(job_id, job_id, "site.zip", f"uploads/{job_id}/site.zip", NOW, **how)  # type: ignore[arg-type]
    return services.jobs.add(job)


@pytest.mark.parametrize(
    ("state", "verdict", "code"),
    [
        (JobState.SUCCEEDED, Verdict.ACCEPTED, 0),
        (JobState.SUCCEEDED, Verdict.REJECTED, 3),
        (JobState.SUCCEEDED, Verdict.UNDECIDABLE, 4),
        (JobState.DUPLICATE, None, 5),
        (JobState.FAILED, None, 1),
        (JobState.CANCELLED, None, 1),
    ],
)
def test_watching_an_ended_job_ends_with_its_code(
    run: Run, services: Services, state: JobState, verdict: Verdict | None, code: int
) -> None:
    added(services, "abc", state=state, verdict=verdict, reason="as it was", finished=NOW)
    told = run("jobs", "watch", "abc")
    assert told.exit_code == code
    assert "as it was" in told.stdout


def test_the_list_is_newest_first_and_can_be_narrowed(run: Run, services: Services) -> None:
    assert "No jobs yet" in run("jobs", "list").stderr
    added(services, "first", state=JobState.FAILED, reason="bad ZIP", finished=NOW)
    later = Job(
        "second", "second", "b.zip", "uploads/second/b.zip", replace(services.jobs.get("first")).created
    )
    services.jobs.add(replace(later, created=datetime(2026, 1, 3, tzinfo=UTC), state=JobState.SUCCEEDED))
    listed = json.loads(run("jobs", "list", "--json").stdout)
    assert [job["id"] for job in listed] == ["second", "first"]
    assert [j["id"] for j in json.loads(run("jobs", "list", "--json", "--state", "failed").stdout)] == [
        "first"
    ]
    assert len(json.loads(run("jobs", "list", "--json", "--limit", 1).stdout)) == 1
    assert "b.zip" in run("jobs", "list").stdout


def test_a_job_is_found_by_the_start_of_its_id(run: Run, services: Services) -> None:
    added(services, "abc123", state=JobState.FAILED, finished=NOW)
    added(services, "abd456", state=JobState.FAILED, finished=NOW)
    assert json.loads(run("jobs", "show", "abc", "--json").stdout)["id"] == "abc123"
    several = run("jobs", "show", "ab")
    assert several.exit_code == 2
    assert "2 jobs begin with ab" in several.stderr
    unknown = run("jobs", "show", "zzz")
    assert unknown.exit_code == 2
    assert "jobs list" in unknown.stderr


def test_show_tells_verdict_reason_advice_and_what_was_refused(run: Run, services: Services) -> None:
    rule = {
        "name": "base sensitivity",
        "value": -0.03,
        "low": -0.05,
        "high": -0.02,
        "bound": -0.01,
        "passed": False,
    }
    figures = {"accuracy": 0.9, "sensitivity": 0.8, "specificity": 0.95, "auc": 0.97, "cells": 120}
    added(
        services,
        "abc",
        state=JobState.SUCCEEDED,
        verdict=Verdict.REJECTED,
        reason="Rejected. Sensitivity fell.",
        finished=NOW,
        started=NOW,
        report={
            "accepted": {"Parasitized": 60, "Uninfected": 70},
            "quarantined": [
                {"name": "evil\x1b[2J.png", "code": "unreadable-image", "reason": "It is damaged."}
            ],
            "duplicates": [],
            "overlap": [],
            "warnings": ["Patients are unknown."],
        },
        receipt={
            "criteria": [rule],
            "advice": "Check the labels.",
            "base": {"champion": figures, "challenger": figures},
            "site": None,
        },
    )
    told = run("jobs", "show", "abc")
    assert told.exit_code == 0
    for text in (
        "rejected",
        "Sensitivity fell",
        "Check the labels",
        "60 parasitized",
        "It is damaged",
        "0.8000",
        "base sensitivity",
        "broken",
    ):
        assert text in told.stdout
    assert "Patients are unknown." in told.stdout
    assert "\x1b" not in told.stdout


def test_the_receipt_is_printed_as_a_page_or_as_json(run: Run, services: Services) -> None:
    told = {
        "verdict": "undecidable",
        "reason": "Undecidable. Too few.",
        "criteria": [],
        "advice": "Bring more.",
    }
    verdict = Verdict.UNDECIDABLE
    added(services, "abc", state=JobState.SUCCEEDED, verdict=verdict, receipt=told, champion="v1")
    page = run("jobs", "receipt", "abc")
    assert page.exit_code == 0 and page.stdout.startswith("# Undecidable\n")
    assert "## What would help\n\nBring more.\n" in page.stdout
    assert json.loads(run("jobs", "receipt", "abc", "--json").stdout) == told
    added(services, "def", state=JobState.QUEUED)
    none = run("jobs", "receipt", "def")
    assert none.exit_code != 0 and "has no receipt: it is queued" in none.stderr


def test_a_waiting_job_is_cancelled_once(run: Run, services: Services) -> None:
    added(services, "abc")
    assert run("jobs", "cancel", "abc").exit_code == 0
    assert services.jobs.get("abc").state == JobState.CANCELLED
    again = run("jobs", "cancel", "abc")
    assert again.exit_code == 1
    assert again.stderr.startswith("error: ")


def test_a_dead_job_is_not_listed_as_running(run: Run, services: Services) -> None:
    dead = f"{2**22 + 1}:1"  # no process has such a number
    added(
        services,
        "abc",
        state=JobState.RUNNING,
        handle=dead,
        attempt=5,
        started=NOW,
        progress=Progress("train"),
    )
    (listed,) = json.loads(run("jobs", "list", "--json").stdout)
    assert listed["state"] == "failed"
    assert listed["reason"]


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (None, (), "There is no file"),
        (b"no archive", (), "is not a ZIP"),
        ("zip", ("--epochs", 0), "epochs"),
        ("zip", ("--learning-rate", 7), "learning_rate"),
        ("zip", ("--network", "resnet"), "network"),
    ],
)
def test_a_retraining_that_cannot_be_is_refused_before_a_job_exists(
    run: Run, services: Services, tmp_path: Path, content: object, arguments: tuple[object, ...], says: str
) -> None:
    archive = tmp_path / "site.zip"
    if isinstance(content, bytes):
        archive.write_bytes(content)
    elif content == "zip":
        synthetic.write(archive, 2, 1)
    told = run("retrain", archive, *arguments)
    assert told.exit_code == 2
    assert says in told.stderr
    assert services.jobs.list() == []


def waiting(services: Services) -> int:
    """Take the lease, so that what is handed in has to wait."""
    token = services.jobs.acquire("test", 120)
    assert token is not None
    return token


def test_options_come_from_the_zip_and_the_command_line_overrides_them(
    run: Run, services: Services, tmp_path: Path
) -> None:
    archive = synthetic.write(tmp_path / "site.zip", 4, 1)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("retrain.json", json.dumps({"method": "full", "epochs": 9, "note": "from the ZIP"}))
    token = waiting(services)
    told = run("retrain", archive, "--detach", "--epochs", 2, "--actor", "Ada")
    assert told.exit_code == 0, told.stderr
    job = services.jobs.get(told.stdout.strip())
    assert job.options == RetrainOptions(method=Method.FULL, epochs=2, note="from the ZIP")
    assert (job.actor, job.name, job.state) == ("Ada", "site.zip", JobState.QUEUED)
    services.jobs.release(token)


def test_ctrl_c_ends_the_watching_and_not_the_job(start, services: Services, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    token = waiting(services)
    process = start("retrain", synthetic.write(tmp_path / "site.zip", 4, 1))
    deadline = time.monotonic() + 30
    while not services.jobs.list() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The job goes on" in stderr
    assert "Traceback" not in stderr
    (job,) = services.jobs.list()
    assert job.state == JobState.QUEUED
    services.jobs.release(token)


@pytest.mark.slow
def test_a_small_upload_is_followed_to_its_verdict_by_a_real_run(
    run: Run, services: Services, tmp_path: Path
) -> None:
    archive = synthetic.write(tmp_path / "ten.zip", 10, 5)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("Uninfected/broken.png", b"no picture")
    told = run("retrain", archive, "--method", "adapt")
    (job,) = services.jobs.list()
    assert job.verdict in (Verdict.UNDECIDABLE, Verdict.REJECTED), "ten cells are too few to be accepted"
    assert told.exit_code == jobs.EXIT_CODES[job.verdict], told.stderr + told.stdout
    assert job.verdict.value in told.stdout
    assert "broken.png" in told.stdout
    assert "ingest" in told.stderr, "a pipe gets plain lines of progress"
    assert job.version in {info.version for info in services.registry.versions()}
    again = run("retrain", archive, "--json")
    assert json.loads(again.stdout)["state"] == "duplicate"
    assert again.exit_code == jobs.DUPLICATE
