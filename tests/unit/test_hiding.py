"""Hiding tenths of cells: exactly as much, in the cell, alike every time; and what it does to a model."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from malaria import hiding, preprocess, segment, synthetic
from malaria.domain import Label, ModelVersion
from malaria.hiding import HOTTEST, RANDOM, Hiding, Mask
from malaria.predict import Model


def ill(count: int, seed: int = 3) -> Iterator[Image.Image]:
    return (c.image for c in synthetic.generate(2 * count, seed) if c.label is Label.PARASITIZED)


def disc(size: int, x: float, y: float, radius: float) -> Mask:
    rows, columns = np.indices((size, size))
    return np.asarray(np.hypot(rows - y, columns - x) <= radius)


@pytest.fixture(scope="module")
def model(shipped_tflite: bytes, shipped_info: ModelVersion) -> Model:
    return Model(shipped_tflite, shipped_info)


def test_the_most_are_in_the_cell_and_just_so_many() -> None:
    cell = disc(80, 40, 40, 30)
    heat = np.indices((80, 80))[1].astype(np.float32)  # hotter to the right, hottest outside of the cell
    part = hiding.most(heat, cell, hiding.amount(cell))
    assert part.sum() == hiding.amount(cell) == round(0.1 * cell.sum())
    assert not (part & ~cell).any()
    assert heat[part].min() >= heat[cell & ~part].max()
    even = hiding.most(np.zeros((80, 80), np.float32), cell, 7)
    assert even.sum() == 7, "ties too"
    assert hiding.amount(disc(9, 4, 4, 0)) == 1


def test_a_moved_part_has_its_size_and_shape_and_may_be_anywhere_in_the_cell() -> None:
    cell = disc(120, 60, 60, 55)
    part = disc(120, 80, 60, 12) & cell
    rng = np.random.default_rng(0)
    drawn = [hiding.elsewhere(part, cell, rng) for _ in range(60)]
    for one in drawn:
        assert one.sum() == part.sum()
        assert not (one & ~cell).any()
        assert ndimage.label(one)[1] == 1, "one piece, as it was"
    ever = np.any(drawn, axis=0)
    assert ever[cell].mean() > 0.8, "they cover the cell"
    middles = np.array([ndimage.center_of_mass(one) for one in drawn])
    assert abs(middles.mean(axis=0) - 59).max() < 12, "on no side of it more than on another"


def test_a_part_of_two_pieces_keeps_both() -> None:
    cell = disc(120, 60, 60, 55)
    part = (disc(120, 45, 60, 7) | disc(120, 75, 60, 7)) & cell
    pieces = [ndimage.label(hiding.elsewhere(part, cell, np.random.default_rng(i)))[1] for i in range(20)]
    assert pieces.count(2) >= 10, "but for those that the edge of the cell pushes together"


def test_what_is_hidden_takes_the_colour_of_the_rest_and_all_else_stays() -> None:
    for image in ill(4):
        pixels = np.asarray(image).astype(int)
        cell = segment.mask(np.asarray(image))
        part = hiding.most(-pixels[..., 1].astype(np.float32), cell, hiding.amount(cell))
        part = ndimage.binary_opening(part, iterations=2) & cell
        seen = np.asarray(hiding.hidden(image, part, cell)).astype(int)
        assert (seen[~cell] == pixels[~cell]).all()
        inner = ndimage.binary_erosion(part, iterations=6)
        colour = np.median(pixels[cell & ~part], axis=0)
        assert np.abs(seen[inner] - colour).max(initial=0) <= 4
        far = ndimage.distance_transform_edt(~part) > 5 * hiding.SOFT * max(image.size)
        assert (seen[far] == pixels[far]).all()


def test_hidden_edges_are_soft() -> None:
    image, cell = Image.new("RGB", (200, 200), (200, 150, 150)), np.ones((200, 200), np.bool_)
    image.paste((100, 30, 90), (0, 0, 100, 200))
    part = np.zeros((200, 200), np.bool_)
    part[80:120, 40:80] = True
    seen = np.asarray(hiding.hidden(image, part, cell)).astype(int)[100, :, 1]
    assert seen[60] == 150, "the rest's median"
    assert np.abs(np.diff(seen[20:98])).max() < 0.5 * (150 - 30)


def test_the_same_picture_is_always_treated_alike(model: Model) -> None:
    for image in ill(2):
        first, again, other = (Hiding(model, seed).views() for seed in (1, 1, 2))
        for view in (HOTTEST, RANDOM):
            once = first[view](image)
            assert (once.size, once.mode) == (image.size, "RGB")
            assert once.tobytes() == again[view](image.copy()).tobytes()
        assert first[RANDOM](image).tobytes() != other[RANDOM](image).tobytes()
        assert first[HOTTEST](image).tobytes() == other[HOTTEST](image).tobytes()
        assert first[HOTTEST](image).tobytes() != first[RANDOM](image).tobytes()


def test_the_hottest_tenth_decides_and_a_random_one_does_not(model: Model) -> None:
    views = Hiding(model, 0).views()
    size = model.info.input_size
    drops = []
    for image in ill(10, seed=12):
        whole, *hidden = (
            model.score(preprocess.to_square(seen, size)).activation.mean()
            for seen in (image, views[HOTTEST](image), views[RANDOM](image))
        )
        drops.append([whole - after for after in hidden])
    hottest, random = np.mean(drops, axis=0)
    assert hottest > 2 > 4 * abs(random)
