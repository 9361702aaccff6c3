"""The subject network, trained for real on few made pictures: from fields to a graft, through a stop."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from malaria import grafting, shipped
from malaria.domain import ModelVersion, Progress, Role
from malaria.errors import Cancelled, Damaged
from malaria.grafting import Branch
from malaria.predict import Model
from malaria.subject import Subject
from tests.train.test_train import nih_named
from tests.unit.test_laboratories import fields

pytestmark = pytest.mark.train

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def plan(tmp_path: Path):  # type: ignore[no-untyped-def]
    from malaria.training.recipe import Stage
    from malaria.training.subject_run import RECIPE, Sizes, SubjectPlan

    roles = {f"C{i}P{i}": Role.VALIDATION if i < 4 else Role.TRAIN for i in range(1, 9)}
    roles |= {"bccd/a": Role.TRAIN, "bccd/b": Role.TRAIN, "bccd/c": Role.VALIDATION}
    return SubjectPlan(
        data=[nih_named(tmp_path / "cells", range(1, 9), 1)],
        laboratories={"bccd": fields(tmp_path / "bccd", "abc")},
        roles=roles,
        out=tmp_path / "models" / "subject",
        run=tmp_path / "run",
        cache=tmp_path / "cache",
        command="a test",
        recipe=replace(RECIPE, stages=(Stage(64, 2),), batch_size=16, warmup_steps=2),
        sizes=Sizes(learnt=40, cells=60, synthetic=10, others=24, checked=8, epoch=(64, 24)),
    )


def test_it_survives_a_stop_and_ends_in_a_graft(plan, models_dir: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.subject_run import train

    def stop_in_second_epoch(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Cancelled("enough for now")

    with pytest.raises(Cancelled):
        train(plan, NOW, stop_in_second_epoch)
    assert not plan.out.exists()
    made = list(plan.cache.glob("subject-*.npz"))
    epochs: set[int] = set()

    def watch(progress: Progress) -> None:
        assert progress.percent is None or 0 <= progress.percent <= 100
        if progress.epoch:
            epochs.add(progress.epoch)

    told = train(plan, NOW, watch)
    assert epochs == {2}, "the first epoch is not run again"
    assert list(plan.cache.glob("subject-*.npz")) == made, "nor are the pictures made again"
    assert told == json.loads((plan.out / "manifest.json").read_text())
    assert set(told["pictures"]) == {subject.name.lower() for subject in Subject}
    assert (told["pictures"]["cell"], told["pictures"]["nothing"]) == (70, 24)
    plain = {name for name in told["validation"] if "," not in name}
    assert plain == {"nih", "bccd"} | {s.name.lower() for s in Subject} - {"cell"}
    assert "nih, JPEG quality 15" in told["validation"]
    assert all(told["validation"][name]["refused"] <= 0.01 for name in told["validation"] if "," in name)
    assert told["data"]["cells"] and told["laboratories"]["bccd"]
    assert told["size_bytes"] < 200_000

    branch = grafting.kept(plan.out.parent)
    assert branch is not None
    info, folder = shipped.read_shipped(models_dir)
    file = tmp_path / "grafted.tflite"
    file.write_bytes(grafting.grafted((folder / "model.tflite").read_bytes(), branch))
    picture = np.full((info.input_size, info.input_size, 3), 200, np.uint8)
    subject = Model.load(file, info).score(picture).subject
    assert subject is not None
    assert subject.shape == (len(Subject),)
    (plan.out / "subject.tflite").write_bytes(b"another")
    with pytest.raises(Damaged, match="is not the file that its"):
        grafting.kept(plan.out.parent)


def test_the_exported_branch_says_what_the_network_says(tmp_path: Path) -> None:
    import keras

    from malaria.predict import interpreter
    from malaria.training import subject_network
    from malaria.training.subject_pictures import halved

    keras.utils.set_random_seed(3)
    network = subject_network.build()
    subject_network.export(network, tmp_path / "subject.tflite")
    pictures = np.random.default_rng(1).integers(0, 256, (4, 128, 128, 3), np.uint8)
    exact = pictures.reshape(4, 64, 2, 64, 2, 3).mean((2, 4), dtype=np.float32)
    assert np.abs(halved(pictures).astype(np.float32) - exact).max() <= 0.5
    wanted = np.asarray(keras.ops.softmax(network(exact)))
    runner = interpreter((tmp_path / "subject.tflite").read_bytes()).get_signature_runner("serve")
    for picture, told in zip(pictures, wanted, strict=True):
        assert runner(image=picture[np.newaxis])["subject"][0] == pytest.approx(told, abs=1e-5)


@pytest.fixture
def cells(plan):  # type: ignore[no-untyped-def]
    """The plan's cells, 64 pixels across."""
    from malaria.training import dataset
    from malaria.training.dataset import Layout

    return dataset.load([Layout(plan.data[0], plan.roles)], 64, plan.cache, lambda _: None)


def test_a_finished_network_gets_the_branch(  # type: ignore[no-untyped-def]
    cells, branch: Branch, shipped_info: ModelVersion, tmp_path: Path
) -> None:
    from malaria.training import networks
    from malaria.training.finish import finish

    info = replace(shipped_info, network="compact_cnn", input_size=64)
    done = finish(networks.build("compact_cnn"), cells, tmp_path / "done", info, lambda _: None, branch)
    assert done.screen == branch.screen
    told = Model.load(done.tflite, info).score(np.asarray(cells.pixels[0])).subject
    assert told is not None
    assert told.sum() == pytest.approx(1, abs=1e-5)
