"""Every real cell has colour, however pale; none has once its picture was taken or saved without."""

import io
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from malaria import cells, fields, preprocess

pytestmark = pytest.mark.flow


def colourless(image: Image.Image) -> bool:
    return preprocess.colourless(preprocess.to_square(image, 128))


def as_grey_jpeg(image: Image.Image) -> Image.Image:
    with io.BytesIO() as file:
        image.convert("L").convert("RGB").save(file, "JPEG", quality=70)
        return preprocess.decode(file.getvalue())


def test_real_cells_have_colour_unless_it_was_taken_away(real_cells: Path) -> None:
    shown = [preprocess.decode(data) for _, data in cells.read(real_cells / "nih-cells-part1.zip")]
    assert not any(map(colourless, shown))
    assert all(colourless(as_grey_jpeg(image)) for image in shown[:200])


@pytest.mark.parametrize(
    ("kinds", "name"), [("chula", "chula_rbc12.zip"), ("bccd", "bccd.zip"), ("bbbc041", "smears_bbbc041")]
)
def test_cells_of_other_laboratories_have_colour(real_cells: Path, kinds: str, name: str) -> None:
    for field in islice(fields.read(real_cells / name, fields.meaning_of(kinds)), 40):
        image = field.image()
        assert not any(colourless(fields.crop(image, box)) for box in field.boxes)
