"""The map of what a version remembers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import memory, shipped
from malaria.domain import ModelVersion, Role
from malaria.errors import Damaged
from malaria.feature_map import KEPT, SHOWN, FeatureMap, Maps
from malaria.memory import BASE, Memory


def remembered(cells: int, *, seed: int = 0, role: Role = Role.TRAIN) -> Memory:
    """Two clouds that lie apart along one channel."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(cells) % 3 == 0).astype(np.uint8)
    codes = rng.integers(0, 40, (cells, 8))
    codes[:, 2] += 150 * labels
    return Memory(
        codes.astype(np.uint8),
        np.full(8, 0.1, np.float32),
        labels,
        np.array([f"P{place % 5}" for place in range(cells)]),
        np.full(cells, role.value),
        np.array([BASE if place % 2 else f"{BASE}:chula" for place in range(cells)]),
        np.arange(cells, dtype=np.uint64),
    )


def test_classes_lie_apart_and_parasitized_cells_to_the_right() -> None:
    made = FeatureMap.of(remembered(300))
    right, left = made.points[made.labels == 1, 0], made.points[made.labels == 0, 0]
    assert right.min() > left.max()
    assert made.explained[0] > 0.7 > made.explained[1] > 0


def test_a_remembered_cell_is_placed_where_its_point_lies() -> None:
    known = remembered(50)
    made = FeatureMap.of(known)
    placed = [made.place(embedding) for embedding in known.embeddings]
    np.testing.assert_allclose(placed, made.points, atol=1e-4)


def test_cells_of_other_roles_are_not_on_it() -> None:
    train, test = remembered(40), remembered(60, seed=1, role=Role.TEST)
    made = FeatureMap.of(train.with_cells(test))
    assert len(made.points) == 40
    assert sum(int(one.by_patient.sum()) for one in made.learnt) == 40


def test_patients_are_counted_by_laboratory_the_largest_first() -> None:
    known = remembered(31)
    learnt = {one.laboratory: one.by_patient for one in FeatureMap.of(known).learnt}
    assert set(learnt) == {BASE, f"{BASE}:chula"}
    for laboratory, counts in learnt.items():
        own = known.origins == laboratory
        assert counts.sum(axis=0).tolist() == [int((known.labels[own] == label).sum()) for label in (0, 1)]
        assert len(counts) == len(set(known.patients[own].tolist()))
        assert (np.diff(counts.sum(axis=1)) <= 0).all()


def test_of_many_cells_some_are_shown() -> None:
    assert len(FeatureMap.of(remembered(4000)).points) == SHOWN


@pytest.mark.parametrize("cells", [1, 2])
def test_too_few_cells_make_no_map(cells: int) -> None:
    with pytest.raises(Damaged, match="too few"):
        FeatureMap.of(remembered(cells))


def test_maps_are_made_once_and_the_last_few_are_kept(models_dir: Path, tmp_path: Path) -> None:
    remembered(20).save(tmp_path / "memory.npz")
    info, read = next(iter(shipped.versions(models_dir))), []

    def content(of: ModelVersion, name: str) -> bytes:
        read.append((of.version, name))
        return (tmp_path / name).read_bytes()

    maps = Maps(content)
    versions = [replace(info, version=f"20260101-{n:08d}") for n in range(KEPT + 1)]
    for one in versions:
        assert maps.of(one) is maps.of(one)
    assert len(read) == KEPT + 1
    maps.of(versions[-1])
    maps.of(versions[0])
    assert len(read) == KEPT + 2


def test_what_ships_has_a_map(models_dir: Path) -> None:
    chosen = shipped.listing(models_dir)
    made = FeatureMap.of(memory.load(models_dir / chosen.default / "memory.npz"))
    right = made.points[made.labels == 1, 0].mean()
    assert right > made.points[made.labels == 0, 0].mean()
    assert sum(made.explained) > 0.3
