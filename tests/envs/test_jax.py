"""Trainings that write no .tflite need Keras and a backend only: here JAX, with no TensorFlow about."""

import json
from pathlib import Path

import pytest

from malaria import synthetic
from tests.envs.environments import make

pytestmark = pytest.mark.envs

FITTED_BY = "fitted-by.json"

RECIPE = """
network = "compact_cnn"
stages = [{ size = 32, epochs = 2 }]
batch_size = 16
average = 0.9
normalised = 1.0

[shares]
plain = 1.0
surrounded = 0.5
transplanted = 0.5

[changes]
lamp = 0.3
jpeg_share = 0.2
"""
"""All that a network that ships is made by: what of it is Keras' own has to run on any backend."""


def test_cross_validation_runs_on_jax_where_there_is_no_tensorflow(tmp_path: Path) -> None:
    env = make(tmp_path / "env", "jax")
    lacking = env.run("python", "-c", "import tensorflow")
    assert "No module named 'tensorflow'" in lacking.stderr
    recipe, out = tmp_path / "recipe.toml", tmp_path / "out"
    recipe.write_text(RECIPE)
    asked = ["--data", str(synthetic.write(tmp_path / "cells", 160, 3)), "--recipe", str(recipe)]
    kept = ["--out", str(out), "--run", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    done = env.run(
        "malaria", "cross-validate", *asked, *kept, "--folds", "2", "--no-leaky", "--json", backend="jax"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((out / "report.json").read_text())
    assert told["kept_apart"]
    fitted = [
        one for path in sorted((tmp_path / "run").rglob(FITTED_BY)) for one in json.loads(path.read_text())
    ]
    assert [one["packages"]["backend"] for one in fitted] == ["jax", "jax"], "one a fold"
