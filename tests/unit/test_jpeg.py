"""Saving a share of the pictures as JPEG."""

import numpy as np

from malaria.training import jpeg


def _cells(n: int = 200) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, 32, 32, 3), np.uint8)


def test_about_the_share_told_is_changed_and_what_was_given_is_not() -> None:
    cells = _cells()
    before = cells.copy()
    through = jpeg.saved(cells, 0.3, seed=5)
    changed = (through != cells).any(axis=(1, 2, 3)).mean()
    assert 0.2 < changed < 0.4
    assert np.array_equal(cells, before)


def test_one_seed_changes_the_same_pictures_alike() -> None:
    cells = _cells()
    assert np.array_equal(jpeg.saved(cells, 0.5, seed=5), jpeg.saved(cells, 0.5, seed=5))
    assert not np.array_equal(jpeg.saved(cells, 0.5, seed=5), jpeg.saved(cells, 0.5, seed=6))


def test_without_a_share_nothing_is_changed() -> None:
    cells = _cells(10)
    assert np.array_equal(jpeg.saved(cells, 0.0, seed=5), cells)
