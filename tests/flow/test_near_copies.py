"""Copies of real cells are near to them; other real cells, of the same patients or not, are not."""

import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import cells, near, preprocess

pytestmark = pytest.mark.flow

CELLS = 2000


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


def firsts(images: list[Image.Image]) -> np.ndarray:
    return near.first_alike([near.thumbnail(image) for image in images])


def test_different_cells_are_not_taken_for_copies(shown: list[Image.Image]) -> None:
    assert np.mean(firsts(shown) != np.arange(len(shown))) <= 0.001


@pytest.mark.parametrize("made", [as_jpeg, resized, shifted])
def test_copies_are_found(shown: list[Image.Image], made) -> None:  # type: ignore[no-untyped-def]
    some = shown[:500]
    found = firsts([*some, *map(made, some)])[len(some) :]
    assert np.mean(found == np.arange(len(some))) >= 0.98
