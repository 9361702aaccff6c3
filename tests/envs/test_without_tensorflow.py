"""What a newcomer has: serving and adapt, no TensorFlow. Predict, and retrain for real."""

import json
import zipfile
from pathlib import Path

import pytest

from malaria import synthetic
from malaria.tours.demo import other_stain
from tests.envs.environments import Environment, make

pytestmark = pytest.mark.envs


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make(tmp_path_factory.mktemp("light") / "env", "serve", "adapt")


def laboratory(path: Path, cells: int) -> Path:
    """Synthetic cells under another stain, as a laboratory sends them."""
    made = list(synthetic.generate(cells, 77))
    with zipfile.ZipFile(path, "w") as archive:
        for cell in made:
            archive.writestr(f"{cell.label.text}/{cell.name}", other_stain(cell))
        listed = "".join(f"{cell.name},{cell.patient}\n" for cell in made)
        archive.writestr("patients.csv", "file,patient\n" + listed)
    return path


@pytest.mark.parametrize("module", ["tensorflow", "keras", "boto3", "pytest"])
def test_the_environment_lacks(env: Environment, module: str) -> None:
    done = env.run("python", "-c", f"import {module}")
    assert done.returncode == 1
    assert f"No module named '{module}'" in done.stderr


def test_it_predicts(env: Environment, tmp_path: Path) -> None:
    synthetic.write(tmp_path / "cells", 8, 4)
    done = env.run("malaria", "predict", str(tmp_path / "cells"), "--json", home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    results = told["results"] if isinstance(told, dict) else told
    assert len(results) == 8
    for one in results:
        assert one["prediction"] in ("Parasitized", "Uninfected")


def test_it_adapts(env: Environment, tmp_path: Path) -> None:
    home, upload = tmp_path / "home", laboratory(tmp_path / "laboratory.zip", 240)
    done = env.run("malaria", "retrain", str(upload), "--method", "adapt", home=home)
    listed = env.run("malaria", "jobs", "list", "--json", home=home)
    jobs = json.loads(listed.stdout)
    [job] = jobs["jobs"] if isinstance(jobs, dict) else jobs
    assert job["state"] == "succeeded", done.stderr
    assert job["verdict"] in ("accepted", "rejected", "undecidable")
    assert done.returncode == {"accepted": 0, "rejected": 3, "undecidable": 4}[job["verdict"]]
    versions = env.run("malaria", "models", "list", "--json", home=home)
    assert job["version"] in versions.stdout


def test_full_says_what_brings_tensorflow(env: Environment, tmp_path: Path) -> None:
    home, upload = tmp_path / "home", laboratory(tmp_path / "laboratory.zip", 60)
    done = env.run("malaria", "retrain", str(upload), "--method", "full", home=home)
    assert done.returncode not in (0, 3, 4)
    assert "--extra train" in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr


def test_train_says_what_brings_tensorflow(env: Environment, tmp_path: Path) -> None:
    synthetic.write(tmp_path / "cells", 8, 4)
    sources = ["--data", str(tmp_path / "cells"), "--held-out", str(tmp_path / "cells")]
    done = env.run("malaria", "train", *sources, home=tmp_path / "home")
    assert done.returncode != 0
    assert "--extra train" in " ".join((done.stdout + done.stderr).split())
