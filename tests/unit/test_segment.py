import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from malaria import preprocess
from malaria.segment import mask, masked

STAINS = {  # plasma, cell
    "pale pink": ((222, 214, 206), (205, 160, 170)),
    "blue grey": ((235, 238, 236), (90, 110, 145)),
    "yellow": ((214, 202, 150), (190, 160, 96)),
    "dark plasma": ((96, 110, 150), (70, 66, 118)),
    "grown dark about": ((20, 20, 24), (170, 120, 130)),
}


def drawn(stain: str, *cells: tuple[int, int, int, int], size: int = 96, hole: int = 0) -> Image.Image:
    """Ellipses on plasma, a little blurred and noisy; `hole` is the radius of a pale middle."""
    plasma, colour = STAINS[stain]
    image = Image.new("RGB", (size, size), plasma)
    pen = ImageDraw.Draw(image)
    for edges in cells:
        pen.ellipse(edges, fill=colour)
    if hole:
        pen.ellipse((size // 2 - hole, size // 2 - hole, size // 2 + hole, size // 2 + hole), fill=plasma)
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), np.float32)
    pixels = pixels + np.random.default_rng(0).normal(0, 3, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def overlap(found: np.ndarray, edges: tuple[int, int, int, int]) -> float:
    truth = Image.new("1", (found.shape[1], found.shape[0]))
    ImageDraw.Draw(truth).ellipse(edges, fill=1)
    expected = np.asarray(truth)
    return float((found & expected).sum() / (found | expected).sum())


MIDDLE = (18, 14, 80, 82)


@pytest.mark.parametrize("stain", STAINS)
@pytest.mark.parametrize("hole", [0, 22], ids=["solid", "ring"])
def test_the_middle_cell_is_found_on_any_stain(stain: str, hole: int) -> None:
    hole = 0 if "grown dark" in stain else hole  # no ring has a middle darker than itself
    found = mask(np.asarray(drawn(stain, MIDDLE, hole=hole)))
    assert found.shape == (96, 96)
    assert found.dtype == bool
    assert overlap(found, MIDDLE) > 0.9


@pytest.mark.parametrize("stain", STAINS)
def test_neighbours_are_left_out_apart_or_touching(stain: str) -> None:
    apart = mask(np.asarray(drawn(stain, MIDDLE, (84, 60, 140, 120))))
    touching = mask(np.asarray(drawn(stain, MIDDLE, (74, 30, 134, 90))))
    assert overlap(apart, MIDDLE) > 0.9
    assert overlap(touching, MIDDLE) > 0.8
    assert not touching[:, 90:].any()


def test_a_cell_on_black_is_all_that_is_not_black() -> None:
    on_black = masked(drawn("pale pink", MIDDLE))
    assert overlap(mask(np.asarray(on_black)), MIDDLE) > 0.9
    assert masked(on_black).tobytes() == on_black.tobytes()


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((40, 60, 3), 200, np.uint8),
        np.zeros((9, 9, 3), np.uint8),
        np.full((8, 300, 3), 128, np.uint8),
        np.random.default_rng(1).integers(0, 256, (50, 30, 3), dtype=np.uint8),
    ],
    ids=["plain", "black", "strip", "noise"],
)
def test_what_holds_no_outline_still_has_a_mask(pixels: np.ndarray) -> None:
    found = mask(pixels)
    assert found.shape == pixels.shape[:2]
    assert 0.05 < found.mean() < 1


def test_masked_blackens_the_rest_and_leaves_the_cell_as_it_is() -> None:
    crop = drawn("blue grey", MIDDLE)
    before, after, found = np.asarray(crop), np.asarray(masked(crop)), mask(np.asarray(crop))
    assert (after[~found] == 0).all()
    assert (after[found] == before[found]).all()


@pytest.mark.parametrize("stain", STAINS)
@pytest.mark.parametrize("size", [(96, 70), (70, 96), (96, 94)])
def test_the_black_that_made_a_crop_a_square_is_no_cell_and_no_plasma(
    stain: str, size: tuple[int, int]
) -> None:
    """A box is seldom a square, and a network sees squares."""
    width, height = size
    edges = (width // 2 - 26, height // 2 - 28, width // 2 + 26, height // 2 + 28)
    crop = drawn(stain, edges, size=max(size)).crop((0, 0, width, height))
    square = preprocess.to_square(crop, max(size))
    left, top = preprocess.corner(size, max(size))
    found = mask(square)
    assert np.array_equal(found[top : top + height, left : left + width], mask(np.asarray(crop)))
    assert overlap(found, (edges[0] + left, edges[1] + top, edges[2] + left, edges[3] + top)) > 0.9
    smaller = mask(preprocess.to_square(crop, 64))
    scaled = tuple(64 * (at + by) // max(size) for at, by in zip(edges, (left, top) * 2, strict=True))
    assert overlap(smaller, scaled) > 0.8  # type: ignore[arg-type]
