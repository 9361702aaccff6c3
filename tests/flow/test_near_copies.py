"""Copies of real cells are near to them; other real cells, of the same patients or not, are not."""

import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import cells, fields, near, preprocess

pytestmark = pytest.mark.flow

CELLS = 2000
Made = Callable[[Image.Image], Image.Image]


@pytest.fixture(scope="module")
def shown(real_cells: Path) -> list[Image.Image]:
    read = cells.read(real_cells / "nih-cells-part1.zip")
    return [preprocess.decode(data) for _, data in islice(read, CELLS)]


def as_jpeg(image: Image.Image) -> Image.Image:
    with io.BytesIO() as file:
        image.save(file, "JPEG", quality=50)
        return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def resized(image: Image.Image) -> Image.Image:
    return image.resize((round(1.05 * image.width), round(1.05 * image.height)), Image.Resampling.BILINEAR)


def shifted(image: Image.Image) -> Image.Image:
    return image.crop((1, 1, image.width, image.height))


def turned(image: Image.Image) -> Image.Image:
    """By an angle of its own, and saved anew."""
    return as_jpeg(image.rotate(10 + image.width * 37 % 340, Image.Resampling.BILINEAR))


def firsts(images: list[Image.Image]) -> np.ndarray:
    return near.first_alike([near.thumbnail(image) for image in images], lambda _: None)


def test_different_cells_are_not_taken_for_copies(shown: list[Image.Image]) -> None:
    assert np.mean(firsts(shown) != np.arange(len(shown))) <= 0.001


def test_different_crops_of_fields_are_not_taken_for_copies(real_cells: Path) -> None:
    """Chula: out of focus, many without any grain."""
    read = fields.read(real_cells / "chula_rbc12.zip", fields.meaning_of("chula"))
    crops = [fields.crop(field.image(), box) for field in islice(read, 30) for box in field.boxes]
    assert len(crops) >= 1000
    assert np.mean(firsts(crops[:1000]) != np.arange(1000)) <= 0.005


@pytest.mark.parametrize(
    ("made", "share"), [(as_jpeg, 0.98), (resized, 0.98), (shifted, 0.98), (turned, 0.9)]
)
def test_copies_are_found(shown: list[Image.Image], made: Made, share: float) -> None:
    some = shown[:500]
    found = firsts([*some, *map(made, some)])[len(some) :]
    assert np.mean(found == np.arange(len(some))) >= share


def test_of_a_flood_of_turned_copies_little_is_left(shown: list[Image.Image]) -> None:
    """Each copy is compared with all before it, so one that misses its original meets another copy."""
    angles = np.linspace(5, 355, 60)
    flood = [as_jpeg(one.rotate(angle, Image.Resampling.BILINEAR)) for one in shown[:4] for angle in angles]
    assert len(set(firsts(flood))) <= 0.05 * len(flood)
