"""What a training keeps elsewhere, so that a later attempt on another machine goes on."""

import logging
from pathlib import Path

import pytest

from malaria.adapters.objects import local
from malaria.checkpoints import Checkpoints
from malaria.errors import Busy
from malaria.ports import ObjectStore


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return local(tmp_path / "objects", synced=False)


def epoch(run: Path, number: int) -> None:
    """As `fit` leaves a run folder."""
    run.mkdir(parents=True, exist_ok=True)
    for older in run.glob("epoch-*.keras"):
        older.unlink()
    (run / f"epoch-{number:03}.keras").write_bytes(b"weights %d" % number)
    with (run / "history.csv").open("a") as file:
        file.write(f"{number}\n")


def test_another_machine_goes_on_from_the_newest(objects: ObjectStore, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "fit-1", tmp_path / "b" / "fit-1"
    for number in (1, 2):
        epoch(first, number)
        Checkpoints(objects, "job").keep(first)
    Checkpoints(objects, "job").bring(second)
    assert {path.name: path.read_bytes() for path in second.iterdir()} == {
        "epoch-002.keras": b"weights 2",
        "history.csv": b"1\n2\n",
    }


def test_its_own_checkpoint_comes_first(objects: ObjectStore, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "fit-1", tmp_path / "b" / "fit-1"
    epoch(first, 1)
    epoch(second, 3)
    Checkpoints(objects, "job").keep(first)
    Checkpoints(objects, "job").bring(second)
    assert [path.name for path in second.glob("epoch-*")] == ["epoch-003.keras"]


@pytest.mark.parametrize(("job", "run"), [("other", "fit-1"), ("job", "fit-2")])
def test_those_of_another_job_or_recipe_are_not_gone_on_from(
    objects: ObjectStore, tmp_path: Path, job: str, run: str
) -> None:
    epoch(tmp_path / "a" / "fit-1", 1)
    Checkpoints(objects, "job").keep(tmp_path / "a" / "fit-1")
    Checkpoints(objects, job).bring(tmp_path / "b" / run)
    assert list((tmp_path / "b" / run).iterdir()) == []


class Down:
    """A store that cannot be reached."""

    def __getattr__(self, _: str) -> object:
        def fail(*_: object) -> None:
            raise Busy("the store cannot be reached")

        return fail


def test_a_store_that_fails_costs_the_run_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = tmp_path / "fit-1"
    checkpoints = Checkpoints(Down(), "job")  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        checkpoints.bring(run)
        epoch(run, 1)
        checkpoints.keep(run)
    assert "begins anew" in caplog.text and "could not be kept" in caplog.text
    assert (run / "epoch-001.keras").exists()
