"""How far pictures are from what was learnt: figures of known truth, and the memories that ship."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import memory, preprocess, shipped, synthetic
from malaria.domain import Role
from malaria.errors import Damaged
from malaria.memory import Memory
from malaria.stains import SIMULATED
from malaria.unfamiliar import FILE, MEMORY, Appearance, Features, Usual, looks


def remembered(embeddings: np.ndarray, labels: np.ndarray, role: Role = Role.TRAIN) -> Memory:
    n = len(labels)
    return memory.remember(
        embeddings,
        labels.astype(np.uint8),
        np.array([f"p{i}" for i in range(n)]),
        np.full(n, role.value),
        np.full(n, memory.BASE),
        np.arange(n, dtype=np.uint64),
    )


@pytest.fixture
def two_classes() -> Memory:
    """Two round clouds; channels differ in scale a hundredfold, and the last never fires."""
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 2
    cells = rng.normal(0, 1, (4000, 3)) + 10 + 8 * labels[:, None]
    return remembered(np.column_stack([cells * [1, 10, 100], np.zeros(4000)]).clip(0), labels)


def test_five_in_a_hundred_train_cells_are_farther_than_one(two_classes: Memory) -> None:
    features = Features.of(two_classes)
    far = np.mean([features.distance(one) > 1 for one in two_classes.embeddings])
    assert far == pytest.approx(0.05, abs=0.005)


def test_each_channel_counts_by_what_is_usual_there(two_classes: Memory) -> None:
    features = Features.of(two_classes)
    centre = np.array([10, 100, 1000, 0], np.float32)
    near = features.distance(centre)
    steps = [np.eye(4, dtype=np.float32)[i] * size for i, size in enumerate((8, 80, 800))]
    away = [features.distance(centre - step) for step in steps]
    assert near < 0.3
    assert max(away) / min(away) < 1.15, "eight deviations are as far in one channel as in another"
    assert min(away) > 2
    assert features.distance(centre + 8 * np.array([1, 10, 100, 0], np.float32)) < 0.3, "the other class"
    assert features.distance(centre + np.array([0, 0, 0, 1], np.float32)) > 5, "what never fired has fired"


def test_only_train_cells_are_learnt_from(two_classes: Memory) -> None:
    gate = remembered(two_classes.embeddings * 5, two_classes.labels, Role.GATE)
    both = two_classes.with_cells(gate)
    one = two_classes.embeddings[0] * 5
    assert Features.of(both).distance(one) == pytest.approx(Features.of(two_classes).distance(one), rel=0.1)
    with pytest.raises(Damaged, match="no train cells"):
        Features.of(gate)


def test_one_class_alone_and_one_patient_twice_can_be_compared_with() -> None:
    same = remembered(np.ones((20, 4)), np.zeros(20))
    features = Features.of(same)
    assert np.isfinite(features.distance(np.ones(4, np.float32)))
    assert features.distance(np.full(4, 2, np.float32)) > 1


def test_looks_are_those_of_the_cell_and_not_of_the_black_about_it() -> None:
    cell = np.zeros((128, 128, 3), np.uint8)
    cell[32:96, 32:96] = (200, 100, 100)
    assert looks(cell) == pytest.approx((400 / 3, 0.5, 0.25))
    assert looks(np.zeros((128, 128, 3), np.uint8)) is None
    assert looks(np.full((32, 32, 3), 90, np.uint8)) == pytest.approx((90, 1 / 3, 1 / 3))


def test_the_farthest_figure_is_told_in_its_deviations(tmp_path: Path) -> None:
    usual = Usual.of(np.array([[100, 0.3, 0.3], [120, 0.4, 0.3002]]))
    learnt = Appearance({"one": usual})
    grey = np.full((64, 64, 3), 140, np.uint8)
    assert learnt.off(grey) == pytest.approx((1 / 3 - 0.3001) / 0.0001, rel=1e-3)
    nearer = Appearance({"one": usual, "two": Usual((140, 0.3, 0.3), (10, 0.1, 0.1), 9)})
    assert nearer.off(grey) == pytest.approx(1 / 3), "the laboratory that is most alike counts"
    assert learnt.off(np.zeros((64, 64, 3), np.uint8)) == 0
    (tmp_path / "x.json").write_text(json.dumps({"mean": [1]}))
    with pytest.raises(Damaged, match=r"x\.json tells no brightness and colour"):
        Appearance.read(tmp_path / "x.json")


@pytest.mark.parametrize("network", ["compact_cnn", "mobilenet_v2", "ensemble"])
def test_of_the_shipped_memories_validation_patients_are_near(models_dir: Path, network: str) -> None:
    known = memory.load(shipped.read_shipped(models_dir, network)[1] / MEMORY)
    features = Features.of(known)
    cells = known.of(Role.VALIDATION, origin=memory.BASE).embeddings[::4]
    distances = [features.distance(one) for one in cells]
    assert np.median(distances) < 1
    assert np.mean(np.array(distances) > 1) < 0.25


def test_a_picture_under_a_yellow_lamp_looks_far_off(models_dir: Path) -> None:
    learnt = Appearance.read(models_dir / FILE)
    plain = Image.open(models_dir.parent / "docs" / "explain-cell.png").convert("RGB")
    off = [learnt.off(preprocess.to_square(one, 128)) for one in (plain, SIMULATED["yellow lamp"](plain))]
    assert off[0] < 2
    assert off[1] > 3


def test_a_picture_costs_less_than_a_hundredth_of_what_a_network_takes(models_dir: Path) -> None:
    features = Features.of(memory.load(shipped.read_shipped(models_dir)[1] / MEMORY))
    learnt = Appearance.read(models_dir / FILE)
    square = preprocess.to_square(next(iter(synthetic.generate(1, 1))).image, 128)
    embedding, taken = np.ones(features.whitening.shape[0], np.float32), []
    for _ in range(200):
        began = time.perf_counter()
        features.distance(embedding)
        learnt.off(square)
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.0005, "the quickest of many, since a busy machine slows down the others"
