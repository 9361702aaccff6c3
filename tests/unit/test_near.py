"""Copies of cells are found, and cells that merely look alike are not taken for copies."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from malaria import near
from malaria.domain import Progress
from malaria.errors import Cancelled
from tests.unit import zips


def first_alike(thumbnails: list[near.Thumbnail]) -> np.ndarray:
    return near.first_alike(thumbnails, lambda _: None)


def test_each_goes_with_the_first_of_its_likes() -> None:
    one, other, third = (zips.image(seed, (48, 48)) for seed in range(3))
    dark = Image.eval(one, lambda level: round(0.8 * level))
    shown = [other, one, dark, third, one.transpose(Image.Transpose.ROTATE_270), other]
    assert first_alike([near.thumbnail(image) for image in shown]).tolist() == [0, 1, 1, 3, 1, 0]


def test_the_order_of_many_does_not_break_at_a_block() -> None:
    shown = [near.thumbnail(zips.image(seed, (20, 20))) for seed in range(600)]
    first = first_alike([*shown, *shown])
    assert np.array_equal(first, np.tile(np.arange(600), 2))


def test_blank_pictures_are_near_to_nothing_and_none_are_near_in_an_empty_upload() -> None:
    blank = near.thumbnail(Image.new("RGB", (30, 30), (200, 180, 190)))
    assert first_alike([blank, blank]).tolist() == [0, 1]
    assert first_alike([]).tolist() == []


def test_pictures_of_another_shape_are_compared_without_their_bars() -> None:
    """Two thin crops differ though the black bars that would make them square are alike."""
    thin = [Image.fromarray(np.asarray(zips.image(seed, (90, 90)))[:, 40:50]) for seed in (1, 2)]
    assert first_alike([near.thumbnail(image) for image in thin]).tolist() == [0, 1]


def cell(seed: int) -> Image.Image:
    """Blotches in another place with each seed, on a disc as on NIH cells."""
    small = zips.image(seed, (9, 11)).resize((100, 120), Image.Resampling.BICUBIC)
    return small.filter(ImageFilter.GaussianBlur(3))


@pytest.mark.parametrize("angle", [7, 33.3, 90, 135.5, 181, 302])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_copy_turned_by_any_angle_is_found_and_another_cell_is_not(angle: float, mirrored: bool) -> None:
    one, other = cell(1), cell(2)
    copy = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else one
    copy = Image.eval(copy.rotate(angle, Image.Resampling.BILINEAR), lambda level: round(0.9 * level))
    shown = [near.thumbnail(image) for image in (other, one, copy, other.rotate(angle))]
    assert first_alike(shown).tolist() == [0, 1, 1, 0]


def test_what_is_turned_about_is_the_middle_and_not_the_surround() -> None:
    """A turned copy has other corners: what came in from outside does not tell it from its likes."""
    one = cell(1)
    copy = one.rotate(40, Image.Resampling.BILINEAR, fillcolor=(250, 10, 250))
    assert first_alike([near.thumbnail(image) for image in (one, copy)]).tolist() == [0, 0]


def test_turned_copies_go_with_the_first_of_their_likes_beyond_a_block() -> None:
    some = [cell(seed) for seed in range(560)]
    shown = [near.thumbnail(image) for image in (*some, *(image.rotate(50) for image in some))]
    assert np.mean(first_alike(shown) == np.tile(np.arange(560), 2)) >= 0.98


def test_a_flood_is_told_and_may_be_stopped() -> None:
    told: list[Progress] = []
    one = cell(1)
    flood = [near.thumbnail(one.rotate(angle)) for angle in np.linspace(0, 359, 1200)]
    first = near.first_alike(flood, told.append)
    assert len(set(first.tolist())) <= 3
    assert [round(at.percent or 0) for at in told] == [0, 43, 85]

    def stop(at: Progress) -> None:
        raise Cancelled("Cancelled by a person.")

    with pytest.raises(Cancelled):
        near.first_alike(flood, stop)
