"""Moving what is stained from one cell onto another, on synthetic cells whose parasites are known."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from malaria import preprocess, synthetic
from malaria.domain import Label
from malaria.training import transplant

SIDE = 128


def cells(label: Label, count: int = 12) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]]:
    """Pixels, and where the parasites truly are, at the size of training."""
    found = []
    for cell in synthetic.generate(2 * count, 5):
        if cell.label == label:
            marked = Image.fromarray(np.repeat(cell.parasites[..., None] * np.uint8(255), 3, axis=2))
            where = preprocess.to_square(marked, SIDE)[..., 0] > 127
            found.append((preprocess.to_square(cell.image, SIDE), where))
    return found


def test_density_and_light_are_each_others_inverse() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(transplant.lit(transplant.density(levels)), levels)


def test_the_strongest_spot_of_an_infected_cell_is_its_parasite() -> None:
    hits = []
    for pixels, where in cells(Label.PARASITIZED):
        spot = transplant.spot_of(pixels, transplant.on_black(pixels))
        if spot is None:
            continue
        assert spot.strength > transplant.FAINTEST
        assert spot.cover.min() >= 0 and spot.cover.max() <= 1
        (top, left), (height, width) = spot.place, spot.cover.shape
        on_parasite = (spot.cover * where[top : top + height, left : left + width]).sum()
        hits.append(on_parasite > 0.4 * spot.cover.sum())
    assert len(hits) >= 8
    assert np.mean(hits) > 0.8


def test_a_planted_spot_darkens_the_cell_within_its_mask_only() -> None:
    rng = np.random.default_rng(1)
    donor, _ = cells(Label.PARASITIZED)[0]
    spot = transplant.spot_of(donor, transplant.on_black(donor))
    assert spot is not None
    for pixels, _ in cells(Label.UNINFECTED):
        mask = transplant.on_black(pixels)
        grown = transplant.planted(pixels, mask, transplant.turned(spot, rng, 0.3), rng)
        assert grown is not None
        assert np.array_equal(grown[~mask], pixels[~mask]), "nothing outside the cell changes"
        darker = grown[..., 1].astype(int) < pixels[..., 1].astype(int) - 10
        assert 5 < darker.sum() < 0.15 * SIDE * SIDE


def test_there_is_no_spot_on_an_even_disc_nor_on_nothing() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    disc = np.hypot(y - 64, x - 64) < 50
    even = (np.array([200, 150, 150], np.uint8) * disc[..., None]).astype(np.uint8)
    assert transplant.spot_of(even, disc) is None
    assert transplant.spot_of(np.zeros_like(even), np.zeros_like(disc)) is None


def test_a_spot_that_fits_nowhere_is_not_planted() -> None:
    rng = np.random.default_rng(1)
    donor, _ = cells(Label.PARASITIZED)[0]
    spot = transplant.spot_of(donor, transplant.on_black(donor))
    assert spot is not None
    assert transplant.planted(donor, np.zeros((SIDE, SIDE), np.bool_), spot, rng) is None


@pytest.mark.parametrize("blur", [0.0, 1.5])
def test_turning_is_the_same_for_the_same_draw(blur: float) -> None:
    donor, _ = cells(Label.PARASITIZED)[0]
    spot = transplant.spot_of(donor, transplant.on_black(donor))
    assert spot is not None
    first = transplant.turned(spot, np.random.default_rng(3), blur)
    second = transplant.turned(spot, np.random.default_rng(3), blur)
    assert np.array_equal(first.density, second.density)
