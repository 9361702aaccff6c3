"""Cells are dealt into parts that keep groups whole, and that can each be asked about both classes."""

import numpy as np
import pytest

from malaria import dealing


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_parts_take_every_cell_once_and_keep_groups_whole(groups: int) -> None:
    names, labels = np.array([f"field {i % groups}" for i in range(80)]), np.repeat([1, 0], [30, 50])
    parts = list(dealing.parts(names, labels.astype(np.uint8), 4))
    assert np.array_equal(np.sum(parts, axis=0), np.ones(80))
    assert all(len(set(names[a]) & set(names[~a])) == 0 for a in parts)


def test_of_one_field_cells_are_drawn() -> None:
    parts = list(dealing.parts(np.full(80, "one"), np.repeat([1, 0], [30, 50]).astype(np.uint8), 4))
    assert [int(part.sum()) for part in parts] == [20] * 4


@pytest.mark.parametrize("infected", range(6))
@pytest.mark.parametrize("mixed", range(3))
@pytest.mark.parametrize("healthy", range(4))
@pytest.mark.parametrize("count", [2, 4])
def test_either_class_is_in_two_parts_however_groups_hold_them(
    infected: int, mixed: int, healthy: int, count: int
) -> None:
    held = [("infected", infected, [1]), ("mixed", mixed, [0, 1]), ("healthy", healthy, [0])]
    cells = [(f"{kind} {k}", label) for kind, n, of in held for k in range(n) for label in of * 5]
    names, labels = (np.array([cell[i] for cell in cells]) for i in (0, 1))
    parts = list(dealing.parts(names, labels.astype(np.uint8), count)) if cells else []
    for label in set(labels.tolist()):
        assert sum(np.any(labels[part] == label) for part in parts) > 1
