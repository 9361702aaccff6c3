"""The images of trainings, started as ECS and as SageMaker start them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from malaria import synthetic
from malaria.adapters.aws_clients import Clients
from malaria.adapters.sagemaker_launcher import SageMakerLauncher
from malaria.domain import Job, JobState, Method, RetrainOptions
from malaria.opt_ml import TRAIN
from tests import stand_in
from tests.cloud.conftest import Deployed, soon
from tests.contract.conftest import deployed as told_of
from tests.contract.fake_aws import FakeSageMaker
from tests.flow.sites import Site
from tests.images.buildah import Image
from tests.images.conftest import Apart

TAKEN_UP = 45.0
"""Seconds in which a warm environment takes up a promotion: it looks every 20."""
NOBODY = "65534"
HOME = "import os; home = os.path.expanduser('~'); print(home, os.listdir(home), os.access(home, os.W_OK))"
ADAPT = RetrainOptions(method=Method.ADAPT)


def test_from_upload_to_served_model_everything_runs_in_its_image(
    stack: Deployed, adapt: Image, site: Site, tmp_path: Path
) -> None:
    picture = site.cells[0][1]
    before = stack.predict(picture)["model_version"]
    stack.put(site.zip(tmp_path / "site.zip"), "site.zip")
    job = stack.ended("site.zip", 400)
    assert (job["state"], job["verdict"]) == ("succeeded", "accepted"), job["reason"]
    assert job["version"] != before
    soon(
        lambda: stack.predict(picture)["model_version"] == job["version"],
        "the new model is not served",
        TAKEN_UP,
    )


@dataclass(frozen=True)
class OptMl:
    """What SageMaker lays before a training job."""

    root: Path

    def lay(self, asked: dict) -> None:
        for folder in ("input/config", "input/data", "model", "output"):
            (self.root / folder).mkdir(parents=True)
        files = {
            "hyperparameters.json": asked["HyperParameters"],
            "resourceconfig.json": {"current_host": "algo-1", "hosts": ["algo-1"]},
            "inputdataconfig.json": {},
        }
        for file, content in files.items():
            (self.root / "input" / "config" / file).write_text(json.dumps(content))

    @property
    def failure(self) -> str | None:
        path = self.root / "output" / "failure"
        return path.read_text() if path.exists() else None


def by_sagemaker(image: Image, apart: Apart, job: Job, ml: OptMl) -> "subprocess.CompletedProcess[str]":
    """Run a job as a training job that the project's own launcher asks for."""
    fake = FakeSageMaker()
    with stand_in.served(fake) as address:
        clients = Clients(address)
        SageMakerLauncher(clients, told_of(), apart.told).launch(job.id, 1, job.options.method)
        clients.close()
    (asked,) = fake.asked
    ml.lay(asked)
    environment = {**apart.environment, **asked["Environment"], "TRAINING_JOB_NAME": asked["TrainingJobName"]}
    return image.run(TRAIN, environment=environment, volumes={ml.root: "/opt/ml"})


def submitted(apart: Apart, upload: Path) -> Job:
    return apart.services.trigger.submit(upload, name=upload.name, identity=None, options=ADAPT, actor="test")


@pytest.fixture
def ml(tmp_path: Path) -> OptMl:
    return OptMl(tmp_path / "opt-ml")


def test_a_training_job_of_sagemaker_comes_to_its_end(
    adapt: Image, apart: Apart, ml: OptMl, tmp_path: Path
) -> None:
    job = submitted(apart, synthetic.write(tmp_path / "cells.zip", 60, seed=5))
    done = by_sagemaker(adapt, apart, job, ml)
    ended = apart.services.jobs.get(job.id)
    assert (done.returncode, ml.failure) == (0, None), done.stdout
    assert ended.state == JobState.SUCCEEDED, ended.reason
    assert apart.services.registry.version(str(ended.version)).lineage["method"] == "adapt"


def test_a_poisoned_zip_fails_the_training_job_and_says_why(
    adapt: Image, apart: Apart, ml: OptMl, tmp_path: Path
) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    job = submitted(apart, tmp_path / "bad.zip")
    done = by_sagemaker(adapt, apart, job, ml)
    ended = apart.services.jobs.get(job.id)
    assert done.returncode == 1, done.stdout
    assert (ended.state, ml.failure) == (JobState.FAILED, ended.reason)
    assert "ZIP" in ended.reason


def test_a_job_that_nobody_knows_is_an_error_of_the_task(adapt: Image, apart: Apart) -> None:
    done = adapt.run("--job", "nowhere", "--attempt", "1", environment=apart.environment, user=NOBODY)
    assert done.returncode == 1
    assert "There is no task 'nowhere'." in done.stdout


def test_the_small_image_has_no_tensorflow(adapt: Image) -> None:
    code = "import importlib.util as u; print([n for n in ('tensorflow', 'keras') if u.find_spec(n)])"
    assert adapt.python(code) == "[]"


def test_a_task_finds_an_empty_home_that_it_may_write_to(adapt: Image) -> None:
    assert adapt.python(HOME, user=NOBODY) == "/tmp [] True"
