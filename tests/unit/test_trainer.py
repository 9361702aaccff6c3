"""The entry point of a training: how it is told its job, and how it says what became of it."""

import json
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from malaria import opt_ml, synthetic, trainer, wiring
from malaria.domain import Job, JobState, Method, RetrainOptions
from malaria.errors import BadOptions
from malaria.services import Services
from malaria.settings import Settings
from malaria.task_logs import Structured


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The entry point takes signals and the log for itself, as it may in a process of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def laptop(home: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """A system that a process of its own finds by its environment."""
    monkeypatch.setenv("MALARIA_HOME", str(home))
    monkeypatch.setenv("MALARIA_SHIPPED", str(models_dir))
    return wiring.local(home, Settings(home=home, shipped=models_dir))


def submitted(services: Services, folder: Path) -> Job:
    upload = synthetic.write(folder / "cells.zip", 24, seed=1)
    options = RetrainOptions(method=Method.ADAPT)
    return services.trigger.submit(upload, name="cells.zip", identity=None, options=options, actor="test")


def tell(root: Path, **parameters: str) -> None:
    path = root / "input" / "config" / "hyperparameters.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(parameters))


def failure(root: Path) -> str | None:
    path = root / "output" / "failure"
    return path.read_text() if path.exists() else None


@pytest.mark.parametrize("told", ["arguments", "environment", "sagemaker"])
def test_however_it_is_told_the_job_it_runs_it(
    laptop: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    job, argv = submitted(laptop, tmp_path), list[str]()
    if told == "arguments":
        argv = ["--job", job.id, "--attempt", "2"]
    elif told == "environment":
        monkeypatch.setenv("MALARIA_JOB", job.id)
        monkeypatch.setenv("MALARIA_ATTEMPT", "2")
    else:
        tell(tmp_path / "ml", job=job.id, attempt="2")
        argv = ["train"]
    assert trainer.main(argv, tmp_path / "ml") == trainer.DONE
    ended = laptop.jobs.get(job.id)
    assert (ended.state, ended.attempt) == (JobState.SUCCEEDED, 2)
    assert failure(tmp_path / "ml") is None


def failing(services: Services, folder: Path) -> Job:
    (folder / "bad.zip").write_bytes(b"no zip")
    return services.trigger.submit(
        folder / "bad.zip", name="bad.zip", identity=None, options=RetrainOptions(), actor="test"
    )


def test_a_job_whose_row_says_that_it_failed_is_no_failure_of_the_process(
    laptop: Services, tmp_path: Path
) -> None:
    job = failing(laptop, tmp_path)
    assert trainer.main(["--job", job.id], tmp_path / "ml") == trainer.DONE
    assert laptop.jobs.get(job.id).state == JobState.FAILED
    assert failure(tmp_path / "ml") is None


def test_to_sagemaker_a_job_that_failed_is_a_failed_training_job(laptop: Services, tmp_path: Path) -> None:
    job = failing(laptop, tmp_path)
    tell(tmp_path / "ml", job=job.id, attempt="1")
    assert trainer.main(["train"], tmp_path / "ml") == trainer.FAILED
    ended = laptop.jobs.get(job.id)
    assert (ended.state, failure(tmp_path / "ml")) == (JobState.FAILED, ended.reason)
    assert "ZIP" in ended.reason


def test_a_job_that_nobody_knows_is_told_to_sagemaker(laptop: Services, tmp_path: Path) -> None:
    tell(tmp_path / "ml", job="nowhere", attempt="1")
    assert trainer.main(["train"], tmp_path / "ml") == trainer.FAILED
    assert failure(tmp_path / "ml") == "There is no task 'nowhere'."


def test_a_job_that_no_longer_waits_is_left_alone(laptop: Services, tmp_path: Path) -> None:
    job = submitted(laptop, tmp_path)
    laptop.trigger.cancel(job.id)
    tell(tmp_path / "ml", job=job.id, attempt="1")
    assert trainer.main(["train"], tmp_path / "ml") == trainer.LATER
    assert "no longer waits" in str(failure(tmp_path / "ml"))
    assert trainer.main(["--job", job.id]) == trainer.LATER


def test_without_hyperparameters_it_says_what_is_missing(laptop: Services, tmp_path: Path) -> None:
    assert trainer.main(["train"], tmp_path / "ml") == trainer.FAILED
    assert "hyperparameters.json does not tell a job" in str(failure(tmp_path / "ml"))
    tell(tmp_path / "ml", job="x")
    with pytest.raises(BadOptions, match="attempt"):
        opt_ml.arguments(tmp_path / "ml")


def test_hyperparameters_written_as_json_twice_are_read(tmp_path: Path) -> None:
    """As SageMaker's own Python library writes them."""
    tell(tmp_path, job='"abc"', attempt='"2"')
    assert opt_ml.arguments(tmp_path) == ["--job", "abc", "--attempt", "2"]


def test_what_goes_wrong_unexpectedly_is_told_without_its_content(
    laptop: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MALARIA_ATTEMPT", "patient-17")
    tell(tmp_path / "ml", job="x", attempt="1")
    with caplog.at_level(logging.ERROR, "malaria.trainer"):
        assert trainer.main(["train"], tmp_path / "ml") == trainer.FAILED
    assert failure(tmp_path / "ml") == "ValueError; see the log."
    assert "Traceback" in caplog.text


def test_a_reason_is_cut_to_what_sagemaker_shows(tmp_path: Path) -> None:
    opt_ml.tell_failure(tmp_path, "é" * 5000)
    assert failure(tmp_path) == "é" * 1024


def test_a_training_that_takes_too_long_fails_and_is_not_begun_again(
    laptop: Services, tmp_path: Path
) -> None:
    import threading

    job, stop = submitted(laptop, tmp_path), threading.Event()
    stop.set()  # a platform that ends it asks it to stop, too
    trainer.run(laptop, job.id, 1, stop, longest=0.0)
    ended = laptop.jobs.get(job.id)
    assert ended.state == JobState.FAILED
    assert "took longer than" in ended.reason


def test_on_aws_a_run_is_given_less_than_the_platform_would_give(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trainer._longest() is None
    monkeypatch.setenv("MALARIA_AWS_MODELS_BUCKET", "models")
    for allowed, longest in ((14_400, 14_280), (60, 30)):
        monkeypatch.setenv("MALARIA_AWS_MAX_RUNTIME", str(allowed))
        assert trainer._longest() == longest


def test_lines_of_the_log_name_the_job() -> None:
    record = logging.LogRecord("malaria.retrain", logging.INFO, "", 1, "text", None, None)
    assert " INFO job 100%s malaria.retrain text" in logging.Formatter(trainer._line("100%s")).format(record)


def test_in_a_container_a_line_is_json_that_names_the_job_by_which_others_do() -> None:
    record = logging.LogRecord("malaria.retrain", logging.ERROR, "", 1, "went %s", ("wrong\n",), None)
    try:
        raise ValueError("why")
    except ValueError:
        record.exc_info = sys.exc_info()
    text = Structured("a1").format(record)
    assert "\n" not in text
    told = json.loads(text)
    assert (told["level"], told["message"], told["service"]) == ("ERROR", "went wrong\n", "training")
    assert told["job"] == told["correlation_id"] == "a1"
    assert "ValueError: why" in told["exception"]
