"""The older interpreter, tflite-runtime on Python 3.11 with NumPy 1, answers as ai-edge-litert does."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from malaria import branches, shipped, synthetic
from malaria import head as heads
from malaria.domain import ModelVersion
from malaria.options import COMPACT
from malaria.preprocess import to_square
from malaria.subject import OUTPUT
from tests.conftest import made_once
from tests.envs.environments import ROOT, Environment, make

pytestmark = pytest.mark.envs

NETWORKS = sorted(shipped.listing(ROOT / "models").networks)
"""Of each one model ships, in float32."""

TOLERANCE = 1e-5
"""Of probabilities: the same graph in float32 on kernels of other years, which add in another order."""
OF_FEATURES = 5e-5
"""Of embedding and activations, relative to the largest value: logarithms and exponentials, by which a
picture is brought to one density in all but compact_cnn, are other approximations in other years."""

ROUNDED = 0.1
"""Of probabilities in int8: kernels of other years round otherwise, by a step of 255 at each layer."""

SCORE = """
import json, sys
from pathlib import Path
import numpy
from malaria import preprocess, wiring
from malaria.predict import Model
from malaria.settings import Settings

network, *paths = sys.argv[1:]
home, cells, *files = map(Path, paths)
model = wiring.local(home, Settings(home=home, network=network)).served.model
if files:
    model = Model.load(files[0], model.info)
pictures = [path.read_bytes() for path in sorted(cells.rglob("*.png"))]
found = [model.score(preprocess.pixels(data, model.info.input_size)) for data in pictures]
loaded = {name.split(".")[0] for name in sys.modules}
used = sorted(loaded & {"tflite_runtime", "ai_edge_litert", "tensorflow"})
print(json.dumps({
    "network": model.info.network,
    "interpreter": used,
    "numpy": numpy.__version__,
    "probabilities": [s.probability for s in found],
    "embeddings": [s.embedding.tolist() for s in found],
    "subjects": [s.subject.tolist() for s in found],
    "activations": [s.activation.ravel().tolist() for s in found],
}))
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One environment for all of these."""
    with made_once(tmp_path_factory, "tflite-runtime") as (folder, fresh):
        env = folder / "env"
        return make(env, "tflite-runtime", python="3.11") if fresh else Environment(env)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    return synthetic.write(tmp_path / "cells", 40, 12)


def score(env: Environment, network: str, home: Path, cells: Path, *files: Path) -> dict[str, Any]:
    """What the model that ships of a network says of cells in an environment, or a file of the network."""
    done = env.run("python", "-c", SCORE, network, str(home), str(cells), *map(str, files))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def both(
    old: Environment, network: str, tmp_path: Path, cells: Path, *files: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What this environment and the old one say, each by its own interpreter."""
    now = score(Environment(Path(sys.prefix)), network, tmp_path / "home-now", cells, *files)
    then = score(old, network, tmp_path / "home-then", cells, *files)
    assert now["network"] == then["network"] == network
    assert now["interpreter"] == ["ai_edge_litert"]
    assert then["interpreter"] == ["tflite_runtime"]
    assert then["numpy"].startswith("1.")
    assert len(then["probabilities"]) == 40
    assert np.array(then["subjects"]) == pytest.approx(np.array(now["subjects"]), abs=TOLERANCE)
    return now, then


@pytest.mark.parametrize("network", NETWORKS)
def test_both_interpreters_give_the_same_answers_of_every_model_that_ships(
    network: str, old: Environment, tmp_path: Path, cells: Path
) -> None:
    compare(*both(old, network, tmp_path, cells))


def test_both_interpreters_give_the_same_answers_of_exports(
    old: Environment, tmp_path: Path, cells: Path, shipped_tflite: bytes, shipped_info: ModelVersion
) -> None:
    from malaria.training.quantise import int8

    half, small = tmp_path / "float16.tflite", tmp_path / "int8.tflite"
    half.write_bytes(branches.beside(shipped_tflite, OUTPUT, heads.halved))
    shown = [to_square(cell.image, shipped_info.input_size) for cell in synthetic.generate(40, 12)]
    small.write_bytes(branches.beside(shipped_tflite, OUTPUT, lambda rest: int8(rest, shown)))
    compare(*both(old, shipped_info.network, tmp_path, cells, half))
    now, then = both(old, shipped_info.network, tmp_path, cells, small)
    assert then["probabilities"] == pytest.approx(now["probabilities"], abs=ROUNDED)


def compare(now: dict[str, Any], then: dict[str, Any]) -> None:
    of_features = TOLERANCE if now["network"] == COMPACT else OF_FEATURES
    assert then["probabilities"] == pytest.approx(now["probabilities"], abs=TOLERANCE)
    for what in ("embeddings", "activations"):
        for left, right in zip(then[what], now[what], strict=True):
            assert left == pytest.approx(right, abs=of_features * max(1.0, *map(abs, right)))
