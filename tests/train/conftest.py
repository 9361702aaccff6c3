"""Networks that several tests of the training tier share: fitting them takes minutes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from malaria.domain import Progress
from malaria.options import COMPACT, ENSEMBLE, MOBILENET
from tests.conftest import made_once

SIZE = 64
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def quiet(_: Progress) -> None:
    pass


@contextmanager
def stepwise() -> Iterator[None]:
    """Each operation by itself: to build a graph takes longer than the few steps of these trainings.

    In graphs train the commands of tests/cli, and the training image.
    """
    import keras

    always = property(lambda _: True, lambda _, asked: None)  # as Keras sets it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "run_eagerly", always)
        yield


@pytest.fixture(scope="package", autouse=True)
def _stepwise() -> Iterator[None]:
    with stepwise():
        yield


@pytest.fixture(scope="session")
def ships(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shipped models, one of each network, trained for an epoch on few synthetic cells."""
    with made_once(tmp_path_factory, "networks") as (folder, to_make):
        if to_make:
            with stepwise():
                _train_all(folder)
    return folder / "models"


def _train_all(folder: Path) -> None:
    from malaria.training.plan import Plan
    from malaria.training.recipe import Recipe, Stage
    from malaria.training.run import train
    from tests.train.test_train import nih_named

    def trained(network: str, *members: Path) -> Path:
        plan = Plan(
            data=[nih_named(folder / "development", range(1, 9), 1)],
            held_out=[nih_named(folder / "held-out", range(21, 25), 2)],
            out=folder / "models",
            run=folder / f"run-{network}",
            cache=folder / "cache",
            recipe=Recipe(network=network, stages=(Stage(SIZE, 1),), batch_size=16, normalised=1.0),
            backbone_weights=None,
            command="a test",
            members=members,
        )
        return folder / "models" / train(plan, NOW, quiet).version / "network.keras"

    trained(ENSEMBLE, trained(MOBILENET), trained(COMPACT))
