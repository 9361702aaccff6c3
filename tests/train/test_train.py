"""Training for real, on few synthetic cells and few steps: from pictures to a served file, through a kill."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from malaria import codec, memory, roles, synthetic
from malaria.domain import Progress, Role
from malaria.errors import Cancelled, Conflict, PatientOverlap
from malaria.ports import Report
from malaria.predict import Model

pytestmark = pytest.mark.train

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def nih_named(folder: Path, patients: range, seed: int) -> Path:
    """Synthetic cells under NIH-style names, 8 to a patient."""
    made = synthetic.generate(8 * len(patients), seed)
    for i, cell in enumerate(made):
        patient = patients[i // 8]
        target = folder / cell.label.text / f"C{patient}P{patient}thinF_IMG_1_cell_{i}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cell.png())
    return folder


@pytest.fixture
def plan(tmp_path: Path):  # type: ignore[no-untyped-def]
    from malaria.training.plan import Plan
    from malaria.training.recipe import Recipe, Stage

    return Plan(
        data=[nih_named(tmp_path / "development", range(1, 9), 1)],
        held_out=[nih_named(tmp_path / "held-out", range(21, 25), 2)],
        out=tmp_path / "models",
        run=tmp_path / "run",
        cache=tmp_path / "cache",
        recipe=Recipe(stages=(Stage(64, 1), Stage(96, 1)), batch_size=16),
        backbone_weights=None,
        command="a test",
    )


def quiet(progress: Progress) -> None:
    assert progress.percent is None or 0 <= progress.percent <= 100


def test_training_survives_a_stop_and_ends_in_a_served_file(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.run import train

    def stop_in_second_epoch(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Cancelled("enough for now")

    with pytest.raises(Cancelled):
        train(plan, NOW, stop_in_second_epoch)
    assert [path.name for path in plan.run.glob("epoch-*")] == ["epoch-001.keras"]
    assert not (plan.out / "shipped.json").exists()

    epochs: set[int] = set()

    def watch(progress: Progress) -> None:
        if progress.epoch:
            epochs.add(progress.epoch)

    info = train(plan, NOW, watch)
    assert epochs == {2}, "the first epoch is not run again"
    folder = plan.out / info.version
    assert codec.version_from_json(json.loads((folder / "manifest.json").read_text())) == info
    history = (plan.run / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "0", "1"]

    kept = memory.load(folder / "memory.npz")
    assert len(kept) == 96
    assert set(kept.roles.tolist()) == {"train", "validation", "gate", "test"}
    model = Model.load(folder / "model.tflite", info)
    scored = model.score(np.zeros((96, 96, 3), np.uint8))
    assert scored.activation.shape == (6, 6)
    assert set(info.metrics) == {"validation", "gate"}, "test patients are not looked at"


def test_another_recipe_does_not_go_on_in_the_same_run(plan) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from malaria.training.run import train

    plan.run.mkdir()
    (plan.run / "training.json").write_text(json.dumps({"network": "another"}))
    with pytest.raises(Conflict, match="another recipe"):
        train(replace(plan), NOW, quiet)


@pytest.mark.parametrize("listed", [False, True])
def test_a_patient_on_both_sides_stops_everything(plan, tmp_path: Path, listed: bool) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from malaria.training.plan import roles_of
    from malaria.training.run import train

    if listed:
        plan.out.mkdir(parents=True)
        roles.save(roles_of(plan), plan.out / "roles.json")
    both = replace(plan, held_out=[*plan.held_out, nih_named(tmp_path / "again", range(8, 9), 3)])
    with pytest.raises(PatientOverlap, match="C8P8"):
        train(both, NOW, quiet)


def test_seconds_left_weigh_steps_by_their_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    from malaria.training import pace

    now, told = [0.0], list[Progress]()
    monkeypatch.setattr("malaria.training.pace.time.monotonic", lambda: now[0])
    ticker = pace.Ticker([64**2, 64**2, 128**2], 10, 1, told.append)  # the first epoch was run before
    ticker.on_epoch_begin(1)
    now[0] = 1.0
    ticker.on_train_batch_end(0, {"loss": 0.7})  # this one built the graph as well
    now[0] = 5.0
    ticker.on_train_batch_end(4, {"loss": 0.5})
    now[0] = 10.0
    ticker.on_epoch_end(1, {"val_loss": 0.4, "accuracy": 0.8, "val_accuracy": 0.7})
    ticker.on_epoch_begin(2)
    now[0] = 50.0
    ticker.on_epoch_end(2)
    assert [p.eta for p in told] == pytest.approx([45.0, 40.0, 0.0])
    assert [p.percent for p in told] == [25.0, pytest.approx(100 / 3), 100.0]
    assert [(p.epoch, p.epochs) for p in told] == [(2, 3), (2, 3), (3, 3)]
    assert (told[0].loss, told[1].validation_loss) == (0.5, 0.4)
    assert (told[1].accuracy, told[1].validation_accuracy) == (0.8, 0.7)


def test_an_epoch_that_is_run_again_has_one_line_of_history(tmp_path: Path) -> None:
    from malaria.training import fit

    for epoch, loss in ((0, 0.7), (1, 0.5), (1, 0.4), (2, 0.3)):  # killed before the second's checkpoint
        fit._log(tmp_path, epoch, {"loss": [loss], "auc": [0.9]})
    assert (tmp_path / "history.csv").read_text().split() == [
        "epoch,auc,loss",
        "0,0.9,0.7",
        "1,0.9,0.4",
        "2,0.9,0.3",
    ]


@pytest.mark.parametrize("held", [False, True])
def test_the_learning_rate_warms_up_and_falls_over_all_steps(held: bool) -> None:
    import keras

    from malaria.training.pace import Pace
    from malaria.training.recipe import Recipe, Stage

    recipe = Recipe(stages=(Stage(64, 2),), learning_rate=0.1, warmup_steps=100)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4], [0.5, 0.25])
    seen: list[float] = []

    def note(batch: int, logs: object) -> None:
        seen.append(float(network.optimizer.learning_rate))

    network = keras.Sequential([keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(schedule if held else 1.0), "mse")
    told = [Pace(recipe, steps=4), keras.callbacks.LambdaCallback(on_train_batch_begin=note)]
    for _ in range(2):
        network.fit(np.ones((4, 1)), np.ones(4), batch_size=1, verbose=0, callbacks=told)
    if held:
        assert seen == [0.5] * 5 + [0.25] * 3, "an older checkpoint goes on by its own schedule"
    else:
        up, down = seen[:3], seen[2:]  # a quarter of the eight steps
        assert up == pytest.approx([0.001, 0.0505, 0.1])
        assert down == sorted(down, reverse=True) and down[-1] < 0.01


def test_a_robust_loss_lets_a_doubted_label_pull_less() -> None:
    from keras import ops

    from malaria.training import losses

    label, logit = np.array([[1.0]]), np.array([[-4.0], [-3.99]])  # surely wrong, and a little less so
    pulls = {}
    for q in (0.0, 0.01, 0.7):
        lost = [float(losses.of(q, 0.0)(label, ops.convert_to_tensor(one[None]))) for one in logit]
        pulls[q] = (lost[0] - lost[1]) / 0.01
    assert pulls[0.01] == pytest.approx(pulls[0.0], rel=0.1), "near 0 it is cross-entropy"
    assert pulls[0.7] < 0.2 * pulls[0.0]


def test_averaged_weights_take_the_place_of_the_last(tmp_path: Path) -> None:
    import keras

    from malaria.training import fit, networks
    from malaria.training.dataset import Layout, load
    from malaria.training.recipe import Recipe, Stage

    source = Layout(
        nih_named(tmp_path / "cells", range(1, 5), 1), {f"C{i}P{i}": Role.TRAIN for i in range(9)}
    )
    cells = load([source], 64, tmp_path / "cache", quiet)
    moved = {}
    for momentum in (0.0, 0.9, 0.99):
        keras.utils.set_random_seed(7)
        network = networks.build("compact_cnn", momentum=0.5)
        before = [weights.numpy().copy() for weights in network.trainable_variables]
        recipe = Recipe(
            "compact_cnn", stages=(Stage(64, 2),), batch_size=8, average=momentum, learning_rate=1e-2
        )
        run = tmp_path / f"run-{momentum}"
        fitted = fit.fit(network, recipe, lambda _: cells, lambda _: cells, run, quiet)
        told = list(csv.DictReader((run / "history.csv").read_text().splitlines()))[-1]
        logits = fitted.predict(np.asarray(cells.pixels, np.float32), verbose=0)[:, 0]
        goal = fit.parasites(recipe).loss(cells.labels[:, None].astype(np.float32), logits[:, None])
        assert float(goal) == pytest.approx(float(told["val_loss"]), rel=1e-4), "told of what is kept"
        now = fitted.trainable_variables
        moved[momentum] = sum(float(np.abs(w.numpy() - b).sum()) for w, b in zip(now, before, strict=True))
    assert 0 < moved[0.99] < 0.5 * moved[0.0], "an average lags behind"


def test_a_run_that_was_killed_ends_as_it_would_have(tmp_path: Path) -> None:
    """What an epoch draws, augmentation and dropout too, hangs on its number, not on the epochs before."""
    import keras

    from malaria.training import fit, networks
    from malaria.training.dataset import Layout, load
    from malaria.training.recipe import Recipe, Stage

    source = Layout(
        nih_named(tmp_path / "cells", range(1, 5), 1), {f"C{i}P{i}": Role.TRAIN for i in range(9)}
    )
    cells = load([source], 64, tmp_path / "cache", quiet)
    recipe = Recipe("compact_cnn", stages=(Stage(64, 3),), batch_size=8)

    def fitted(run: str, report: Report) -> list[np.ndarray]:
        keras.utils.set_random_seed(7)
        network = networks.build("compact_cnn")
        done = fit.fit(network, recipe, lambda _: cells, lambda _: cells, tmp_path / run, report)
        return [weights.numpy() for weights in done.weights]

    def kill_in_the_second(at: Progress) -> None:
        if at.epoch == 2:
            raise KeyboardInterrupt

    whole = fitted("whole", quiet)
    with pytest.raises(KeyboardInterrupt):
        fitted("killed", kill_in_the_second)
    again = fitted("killed", quiet)
    furthest = max(float(np.abs(one - other).max()) for one, other in zip(whole, again, strict=True))
    assert furthest < 1e-3, "other pictures move the weights by far more"


def test_roles_decide_what_is_learnt_from(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training import dataset
    from malaria.training.dataset import Layout

    some = {"C1P1": Role.TRAIN, "C2P2": Role.VALIDATION}
    arrays = dataset.load([Layout(plan.data[0], some)], 64, plan.cache, quiet)
    assert len(arrays) == 16
    assert set(arrays.of(Role.TRAIN).groups.tolist()) == {"C1P1"}
    again = dataset.load([Layout(plan.data[0], some)], 64, plan.cache, quiet)
    assert np.array_equal(arrays.pixels, again.pixels)
