"""Pictures that show no cell, and windows of fields: each shows what its name says."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from malaria import fields, no_cells, windows
from malaria.fields import Field
from malaria.windows import Cells
from tests.unit.test_laboratories import fields as drawn_fields


@pytest.mark.parametrize("kind", no_cells.KINDS)
def test_drawn_pictures_are_repeatable_and_none_is_like_another(kind: str) -> None:
    draw = no_cells.KINDS[kind]
    first, again = (np.asarray(draw(np.random.default_rng(3))) for _ in range(2))
    assert np.array_equal(first, again)
    rng = np.random.default_rng(4)
    many = [np.asarray(draw(rng).resize((16, 16)), float) for _ in range(8)]
    apart = [np.abs(a - b).mean() for i, a in enumerate(many) for b in many[:i]]
    assert min(apart) > 1


def test_what_no_training_shows_is_drawn_all_the_same() -> None:
    assert set(no_cells.UNTAUGHT) < set(no_cells.KINDS)


@pytest.fixture
def field(tmp_path: Path) -> Field:
    """Two red cells, 100 pixels wide, their middles (90, 90) and (210, 130), and a platelet."""
    (found,) = fields.read(drawn_fields(tmp_path, ["a"]), fields.BCCD)
    return found


def covered(window: Image.Image) -> float:
    """The share of a window that is no plasma."""
    return float(np.mean(np.asarray(window)[..., 1] < 200))


def test_windows_hold_what_they_are_named_for(field: Field) -> None:
    image, cells, rng = field.image(), Cells(field), np.random.default_rng(0)
    assert cells.across == 100
    assert cells.inside((40, 0, 220)) == 2
    assert cells.inside((100, 0, 220)) == 1, "the first cell's middle is outside"
    several = list(windows.several(image, cells, 5, rng))
    assert several
    assert all(min(window.size) >= 185 and covered(window) > 0.2 for window in several)
    plasma = list(windows.plasma(image, cells, 5, rng))
    assert plasma
    assert all(covered(window) == 0 for window in plasma)
    (platelet,) = windows.others(image, field, (0.0, 0.0), rng)
    assert platelet.size == (20, 20)
    assert covered(platelet) > 0.7


def test_a_clump_is_two_cells_that_touch(tmp_path: Path, field: Field) -> None:
    image, rng = field.image(), np.random.default_rng(0)
    assert not list(windows.clumps(image, cells_at((90, 90), (250, 130)), 5, rng)), "these are apart"
    (clump,) = windows.clumps(image, cells_at((120, 120), (190, 120)), 5, rng)
    assert clump.width == clump.height
    assert 168 <= clump.width <= 214, "both cells, and not much more"


def cells_at(*middles: tuple[int, int]) -> Cells:
    boxes = [fields.Box(x - 50, y - 50, x + 50, y + 50, fields.BCCD["RBC"]) for x, y in middles]
    return Cells(Field("made", b"", tuple(boxes)))


def test_a_field_without_red_cells_has_no_windows(field: Field) -> None:
    none, rng = cells_at(), np.random.default_rng(0)
    for cut in (windows.several, windows.clumps, windows.plasma):
        assert not list(cut(field.image(), none, 5, rng))


@pytest.fixture
def cell() -> Image.Image:
    """A cell on black with a fine pattern."""
    image = Image.new("RGB", (96, 96))
    ImageDraw.Draw(image).ellipse((8, 8, 88, 88), fill=(200, 150, 160))
    for x in range(20, 76, 4):
        ImageDraw.Draw(image).line((x, 30, x, 66), fill=(90, 40, 120))
    return image


def detail(image: Image.Image) -> float:
    middle: npt.NDArray[np.float64] = np.asarray(image, float)[36:60, 30:66]
    return float(middle.std(axis=(0, 1)).mean())


@pytest.mark.parametrize("disc", [False, True])
def test_blur_takes_detail_and_keeps_the_light(cell: Image.Image, disc: bool) -> None:
    blurred = windows.defocused(cell, 0.06, disc=disc, cut_out=False)
    assert detail(blurred) < 0.1 * detail(cell)
    middle = (slice(36, 60), slice(36, 60))
    assert np.asarray(blurred)[middle].mean() == pytest.approx(np.asarray(cell)[middle].mean(), rel=0.05)
    assert np.asarray(blurred)[4, 48].max() > 0, "the edge is soft"
    cut = windows.defocused(cell, 0.06, disc=disc, cut_out=True)
    assert np.asarray(cut)[4, 48].max() == 0
    assert detail(cut) == pytest.approx(detail(blurred))


def test_a_disc_of_no_size_changes_nothing(cell: Image.Image) -> None:
    assert np.array_equal(
        np.asarray(windows.defocused(cell, 1e-4, disc=True, cut_out=False)), np.asarray(cell)
    )


def test_exposure_is_counted_in_stops(cell: Image.Image) -> None:
    plain = np.asarray(cell, int)
    assert np.abs(np.asarray(windows.exposed(cell, -1), int) - plain // 2).max() <= 1
    assert np.asarray(windows.exposed(cell, 1)).max() == 255
