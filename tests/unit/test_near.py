"""Copies of cells are found, and cells that merely look alike are not taken for copies."""

import numpy as np
from PIL import Image

from malaria import near
from tests.unit import zips


def test_each_goes_with_the_first_of_its_likes() -> None:
    one, other, third = (zips.image(seed, (48, 48)) for seed in range(3))
    dark = Image.eval(one, lambda level: round(0.8 * level))
    shown = [other, one, dark, third, one.transpose(Image.Transpose.ROTATE_270), other]
    assert near.first_alike([near.thumbnail(image) for image in shown]).tolist() == [0, 1, 1, 3, 1, 0]


def test_the_order_of_many_does_not_break_at_a_block() -> None:
    shown = [near.thumbnail(zips.image(seed, (20, 20))) for seed in range(600)]
    first = near.first_alike([*shown, *shown])
    assert np.array_equal(first, np.tile(np.arange(600), 2))


def test_blank_pictures_are_near_to_nothing_and_none_are_near_in_an_empty_upload() -> None:
    blank = near.thumbnail(Image.new("RGB", (30, 30), (200, 180, 190)))
    assert near.first_alike([blank, blank]).tolist() == [0, 1]
    assert near.first_alike([]).tolist() == []


def test_pictures_of_another_shape_are_compared_without_their_bars() -> None:
    """Two thin crops differ though the black bars that would make them square are alike."""
    thin = [Image.fromarray(np.asarray(zips.image(seed, (90, 90)))[:, 40:50]) for seed in (1, 2)]
    assert near.first_alike([near.thumbnail(image) for image in thin]).tolist() == [0, 1]
