"""Platelets, lifted off the plasma of other laboratories' fields and laid on cells that stay uninfected."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from malaria.domain import Role
from malaria.training import grafts
from malaria.training.dataset import Source
from malaria.training.grafts import Platelets
from malaria.training.laboratories import NATIVE, Laboratory
from malaria.training.platelets import platelets, spot_of
from malaria.training.transplant import density
from tests.unit.test_laboratories import fields
from tests.unit.test_mixture import apart, arrays, quiet

PLASMA, STAIN = np.array([225, 220, 230], np.uint8), np.array([150, 110, 190], np.uint8)


def crop(radius: float, side: int = 30, stain: npt.NDArray[np.uint8] = STAIN) -> npt.NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side]
    return np.where((np.hypot(y - side / 2, x - side / 2) < radius)[..., None], stain, PLASMA)


def test_a_platelet_absorbs_what_it_adds_to_the_plasma() -> None:
    spot = spot_of(crop(8))
    assert spot is not None
    added = density(STAIN[None, None])[0, 0] - density(PLASMA[None, None])[0, 0]
    assert spot.density[15, 15] == pytest.approx(added, abs=0.02)
    assert spot.strength == pytest.approx(added[1], abs=0.05)
    assert spot.cover[15, 15] > 0.95
    assert spot.cover[1, 1] < 0.05


@pytest.mark.parametrize(
    "pixels",
    [crop(0), crop(8, stain=PLASMA - np.uint8(10)), crop(19), np.roll(crop(9), 14, axis=0)],
    ids=["nothing", "faint", "fills the crop", "runs out of it"],
)
def test_what_does_not_stand_apart_is_left(pixels: npt.NDArray[np.uint8]) -> None:
    assert spot_of(pixels) is None


def test_platelets_are_those_of_training_fields_in_the_scale_of_cells(tmp_path: Path) -> None:
    roles = {"bccd/a": Role.TRAIN, "bccd/b": Role.VALIDATION, "bccd/c": Role.TRAIN}
    sources: list[Source] = [Laboratory(fields(tmp_path, "abc"), "bccd", roles)]
    found = platelets(sources, NATIVE["bccd"], 0.5)
    assert found.share == 0.5
    assert len(found.spots) == 2
    assert found.spots[0].cover.shape == (28, 28), "a box of 20 pixels, cropped two fifths wider"
    assert platelets(sources, 2 * NATIVE["bccd"], 0.5).spots[0].cover.shape == (56, 56)
    assert not platelets(sources, 96, 0.0).spots, "not asked for"


def test_a_cell_with_a_platelet_stays_uninfected() -> None:
    base, others = apart(arrays(60))
    blue = spot_of(crop(8))
    assert blue is not None
    blue = replace(
        blue, density=blue.density * np.array([8.0, 1.0, 0.0], np.float32)
    )  # absorbs red above all
    made, _ = grafts.transplant_all(base, others, 60, 7, quiet, Platelets([blue], 1.0))
    without, _ = grafts.transplant_all(base, others, 60, 7, quiet)
    assert np.array_equal(made.labels, without.labels)
    inside = made.pixels[..., 2] > 100
    laid = (inside & (made.pixels[..., 0] < 60)).sum(axis=(1, 2)) > 8
    assert laid[made.labels == 0].mean() > 0.8
    assert laid[made.labels == 1].mean() < 0.1
