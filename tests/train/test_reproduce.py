"""Trainings repeated from their manifests, on few synthetic cells: in two steps, joined, through a stop."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from malaria.digests import sha256
from malaria.domain import Label, ModelVersion, Progress
from malaria.errors import BadOptions
from malaria.lineage import Step, files_of, steps
from malaria.predict import Model
from malaria.promote import Registry
from malaria.reproduction import Given, matched, tasks
from malaria.services import Services
from tests.cli.conftest import Run, run
from tests.train.test_train import nih_named
from tests.unit.test_laboratories import fields

__all__ = ["run"]  # the fixture

pytestmark = pytest.mark.train

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TOLERANCE = 1e-5
"""Largest difference in probability that threads may bring on one machine; seen: none."""


def quiet(progress: Progress) -> None:
    assert progress.percent is None or 0 <= progress.percent <= 100


@dataclass(frozen=True)
class Made:
    """folder: of data and models. second goes on from first and is taught by it; joined is of both."""

    folder: Path
    first: ModelVersion
    second: ModelVersion
    joined: ModelVersion

    def publish(self, registry: Registry) -> None:
        """Keep them as `train --publish` does."""
        for info in (self.first, self.second, self.joined):
            files = {name: self.folder / "models" / info.version / name for name in FILES}
            registry.publish(info, files)

    @property
    def given(self) -> list[Given]:
        folder = self.folder
        return [
            Given("data", "development", folder / "development"),
            Given("data", "a-later-one", folder / "a-later-one"),
            Given("held-out", "held-out", folder / "held-out"),
            Given("laboratory", "bccd", folder / "bccd"),
            Given("without", "without.csv", folder / "without.csv"),
        ]

    def options(self, *without: str) -> list[str]:
        """The given files as options of a command."""
        told = [
            (one, f"{one.name}={one.path}" if one.option == "laboratory" else str(one.path))
            for one in self.given
        ]
        return [
            word for one, value in told if one.option not in without for word in (f"--{one.option}", value)
        ]


FILES = ("model.tflite", "memory.npz", "network.keras")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    from malaria.training.plan import Plan
    from malaria.training.recipe import Recipe, Shares, Stage
    from malaria.training.run import train

    folder = tmp_path_factory.mktemp("repeated")
    development = nih_named(folder / "development", range(1, 9), 1)
    nih_named(folder / "a-later-one", range(11, 15), 5)  # of a name that sorting would put first
    nih_named(folder / "held-out", range(21, 25), 2)
    listed = [picture.stem for picture in sorted((development / "Uninfected").iterdir())[::4]]
    lines = "".join(f"Uninfected,{cell},-\n" for cell in listed)
    (folder / "without.csv").write_text(f"original_label,cell,patient\n{lines}")
    plan = Plan(
        data=[development, folder / "a-later-one"],
        held_out=[folder / "held-out"],
        out=folder / "models",
        run=folder / "run-1",
        cache=folder / "cache",
        recipe=Recipe("compact_cnn", stages=(Stage(64, 1),), batch_size=16, average=0.9),
        backbone_weights=None,
        command="a test",
    )
    first = train(plan, NOW, quiet)
    weights = plan.out / first.version / "network.keras"
    shares = Shares(1, 0.5, 0.5, 0.2, 0.5, 0.5, transplants=16)
    mixed = replace(plan.recipe, start_share=0.2, shares=shares)
    further = replace(
        plan,
        recipe=mixed,
        run=folder / "run-2",
        start=weights,
        teacher=Model.load(weights.with_name("model.tflite"), first),
        laboratories={"bccd": fields(folder / "bccd", map(str, range(12)))},
        without=[folder / "without.csv"],
        without_label=Label.UNINFECTED,
    )
    second = train(further, NOW, quiet)
    members = [plan.out / info.version / "network.keras" for info in (second, first)]
    joined = train(replace(plan, members=members, run=folder / "run-3"), NOW, quiet)
    return Made(folder, first, second, joined)


@pytest.fixture
def asked(made: Made, services: Services, tmp_path: Path) -> Callable[[ModelVersion], Any]:
    """What is asked for to repeat a version that is kept in a store, as it is read from there."""
    made.publish(services.registry)

    def of(info: ModelVersion) -> Any:
        from malaria.training.rerun import Rerun

        kept = services.at_hand.version(info.version)
        order = tasks(services.at_hand, kept)
        read = files_of(task.step for task in order)
        files = matched(read, [one for one in made.given if one.option in {file.option for file in read}])
        out, run, cache = tmp_path / "out", tmp_path / "run", tmp_path / "cache"
        return Rerun(services.at_hand, kept, order, files, out, run, cache, "malaria reproduce")

    return of


def test_what_a_training_records_is_enough_to_repeat_it(made: Made) -> None:
    one, two = steps(made.second)
    cells = [("data", "development"), ("data", "a-later-one"), ("held-out", "held-out")]
    assert [(f.option, f.name) for f in one.files()] == cells
    assert [(f.option, f.name) for f in two.files()] == [
        *cells,
        ("laboratory", "bccd"),
        ("without", "without.csv"),
    ]
    assert two.story["without_label"] == "Uninfected"
    assert {"python", "keras", "numpy", "pillow"} <= set(two.packages)
    assert set(two.project) == {"version", "commit", "changed"}
    assert two.story["machine"]["cores"] >= 1


def test_two_steps_are_repeated_through_a_stop_and_come_out_alike(
    made: Made, asked: Callable[[ModelVersion], Any], tmp_path: Path
) -> None:
    from malaria.training.rerun import rerun

    seen: list[Progress] = []

    def stop_in_the_second(progress: Progress) -> None:
        seen.append(progress)
        if progress.step == "2 of 2, train":
            raise KeyboardInterrupt

    what = asked(made.second)
    assert [task.name for task in what.tasks] == [made.first.version, made.second.version]
    with pytest.raises(KeyboardInterrupt):
        rerun(what, NOW, stop_in_the_second)
    assert "1 of 2, train" in {at.step for at in seen}
    assert not what.out.exists(), "nothing half-written"
    assert not list(what.run.rglob("partial-*"))

    again: set[str] = set()
    info, found = rerun(what, NOW, lambda progress: again.add(progress.step))
    assert "1 of 2, train" not in again, "what is done is not trained again"
    assert "2 of 2, train" in again
    assert max(one.largest for one in found.apart.values()) <= TOLERANCE
    assert found.same_content
    assert found.equal, "names within the file do not depend on what the process built before"
    assert info.digest == made.second.digest
    assert [one.equal for one in found.repeated] == [True, True]
    assert {pair.of for pair in found.pairs} == set(made.second.metrics)
    assert all(pair.points == 0 and pair.within in (True, None) for pair in found.pairs)
    assert found.cells[0] == found.cells[1] == found.cells[2] > 0
    assert (found.packages, found.project) == ({}, {})
    assert found.operating["threshold"] == (made.second.threshold, info.threshold)
    assert all(then == now for then, now in found.operating.values())
    assert len(found.operating) == 5
    files = {path.name for path in (what.out / info.version).iterdir()}
    assert files == {*FILES, "manifest.json"}

    kept = shutil.copytree(made.folder / "models", tmp_path / "models")
    before = sha256(kept)
    assert rerun(replace(what, out=kept), NOW, quiet)[0].version == made.second.version
    assert sha256(kept) == before, "a version of the same name stays as it is"


def test_an_ensemble_is_joined_again_by_the_command_which_reports(
    made: Made, services: Services, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.publish(services.registry)
    before = services.registry.versions()
    monkeypatch.chdir(tmp_path)
    words = (made.joined.version, *made.options("laboratory", "without"), "--out", "again", "--json")
    told = run("reproduce", *words)
    assert told.exit_code == 0, told.stderr
    assert "only compared now" not in told.stderr
    assert services.registry.versions() == before, "what is repeated is kept nowhere but in its folder"
    found = json.loads(told.stdout)
    assert found["equal"]
    assert found["sentence"] == "The very same file, bit for bit."
    report = json.loads(Path("again/report.json").read_text())
    assert report["pairs"] == found["pairs"]
    assert report["made"]["digest"] == made.joined.digest
    text = Path("again/report.md").read_text()
    assert f"# Version {made.joined.version}, trained again" in text
    assert Path("runs", f"reproduce-{made.joined.version}", "reproduce.json").exists()

    compared = run("reproduce", *words)
    assert compared.exit_code == 0, compared.stderr
    assert "was only compared now. To train again, delete runs/reproduce-" in compared.stderr
    assert json.loads(compared.stdout) == found

    more = ("--run", f"runs/reproduce-{made.joined.version}", *made.options())
    other = run("reproduce", made.joined.version, "--anew", *more)
    assert other.exit_code == 1
    assert "holds another repetition" in other.stderr


def test_a_changed_file_is_refused_before_any_work(
    made: Made, services: Services, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.publish(services.registry)
    monkeypatch.chdir(tmp_path)
    changed = shutil.copytree(made.folder / "development", tmp_path / "development")
    next(changed.rglob("*.png")).unlink()
    words = [str(changed) if word.endswith("/development") else word for word in made.options("without")]
    told = run("reproduce", made.second.version, *words)
    assert told.exit_code == 2
    assert f"{changed} differs" in told.stderr
    assert "without.csv is missing" in told.stderr
    assert not Path("runs").exists()
    assert not Path("reproduced").exists()


def test_two_files_of_one_name_are_refused_before_any_work(
    made: Made, asked: Callable[[ModelVersion], Any], tmp_path: Path
) -> None:
    from malaria.training.rerun import rerun

    what = asked(made.joined)
    later = next(file for file in what.files if file.name == "a-later-one")
    moved = {**what.files, later: shutil.copytree(what.files[later], tmp_path / "elsewhere" / "development")}
    with pytest.raises(BadOptions, match="Two files are called development; rename one"):
        rerun(replace(what, files=moved), NOW, quiet)
    assert not what.run.exists()
    assert not what.out.exists()


def test_a_recipe_that_is_no_longer_known_is_told() -> None:
    from malaria.training.rerun import recipe_of

    def step(**recipe: object) -> Step:
        return Step("v", "d", {"recipe": {"network": "compact_cnn", **recipe}})

    old = recipe_of(step(changes={"zoom": 0.1, "body": 0.0, "body_share": 0}, gone=0))
    assert (old.network, old.changes.zoom, old.changes.shift) == ("compact_cnn", 0.1, 0.06)
    assert old.momentum == 0.99
    begun = Step("v", "d", {"recipe": {}, "inputs": [["backbone-weights", "w.h5"]]})
    assert recipe_of(begun).momentum == 0.999, "Keras' own, before recipes told it"
    told = Step("v", "d", {"recipe": {"momentum": 0.99}, "inputs": [["backbone-weights", "w.h5"]]})
    assert recipe_of(told).momentum == 0.99
    with pytest.raises(
        BadOptions, match=r"sets body_share to 0\.2, which this version of the project does not"
    ):
        recipe_of(step(changes={"body_share": 0.2}))


def test_seconds_left_count_the_trainings_that_follow() -> None:
    from malaria.training.rerun import part

    told: list[Progress] = []
    report = part(told.append, 0, [10.0, 30.0])
    report(Progress("train", percent=50.0, eta=60.0))
    report(Progress("decode", percent=50.0))
    assert (told[0].step, told[0].eta) == ("1 of 2, train", 60.0 + 3 * 120.0)
    assert told[1].eta is None
    part(told.append, 1, [10.0, 30.0])(Progress("train", percent=50.0, eta=60.0))
    assert told[2].eta == 60.0
