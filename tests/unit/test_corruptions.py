import numpy as np
import pytest
from PIL import Image

from malaria import corruptions, synthetic
from malaria.corruptions import SUITE, Corruption

ON_BLACK = [cell.image for cell in synthetic.generate(6, seed=3)]


def change(image: Image.Image, one: Corruption, seed: int = 0) -> np.ndarray:
    before = np.asarray(image.convert("RGB"), float)
    changed: np.ndarray = np.abs(np.asarray(one.view(seed)(image), float) - before)
    return changed


@pytest.mark.parametrize("one", SUITE, ids=lambda one: one.name)
def test_a_disturbance_keeps_the_size_and_is_the_same_every_time(one: Corruption) -> None:
    for image in ON_BLACK:
        first, again = one.view(5)(image), one.view(5)(image.copy())
        assert (first.size, first.mode) == (image.size, "RGB")
        assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("kind", ["hue", "white balance", "blur", "JPEG", "brightness"])
def test_a_higher_severity_changes_more(kind: str) -> None:
    graded = [one for one in SUITE if one.kind == kind]
    assert [one.severity for one in graded] == [1, 2]
    for image in ON_BLACK:
        mild, strong = (change(image, one).mean() for one in graded)
        assert 0 < mild < strong


@pytest.mark.parametrize("kind", ["hue", "white balance", "brightness"])
def test_colour_and_light_leave_the_black_surround_black(kind: str) -> None:
    for image in ON_BLACK:
        black = np.asarray(image).max(axis=2) == 0
        assert black.any()
        for one in SUITE:
            if one.kind == kind:
                assert change(image, one)[black].max() == 0


def test_hue_turns_colours_and_leaves_grey() -> None:
    grey, red = Image.new("RGB", (9, 9), (130, 130, 130)), Image.new("RGB", (9, 9), (200, 60, 60))
    one = next(one for one in SUITE if one.kind == "hue")
    assert change(grey, one).max() <= 1
    turned = np.asarray(one.view(0)(red), int)[0, 0]
    assert turned.sum() == pytest.approx(320, abs=3)
    assert abs(turned[1] - turned[2]) > 20


def test_directions_are_drawn_by_seed_and_picture() -> None:
    image = Image.new("RGB", (20, 20), (120, 120, 120))
    one = next(one for one in SUITE if one.name == "brightness/1")
    levels = {int(np.asarray(one.view(seed)(image))[0, 0, 0]) for seed in range(20)}
    assert levels == {round(120 * 2**-0.2), round(120 * 2**0.2)}


def test_surrounds_change_what_is_about_the_cell_and_not_the_cell() -> None:
    black, pale, stained = (one for one in SUITE if one.kind == "surround")
    for image in ON_BLACK:
        pixels = np.asarray(image)
        surround = pixels.max(axis=2) == 0
        middle = (
            slice(image.height // 2 - 5, image.height // 2 + 5),
            slice(image.width // 2 - 5, image.width // 2 + 5),
        )
        assert change(image, black).max() == 0, "it stands on black already"
        for one in (pale, stained):
            seen = np.asarray(one.view(0)(image))
            assert (seen[middle] == pixels[middle]).all()
            assert seen[surround].min() > 100
        raw = pale.view(0)(image)
        assert np.asarray(black.view(0)(raw))[surround].mean() < 12, "a raw crop gets a black surround"
        assert stained.view(0)(image).tobytes() != raw.tobytes()


def test_every_disturbance_has_a_name_of_its_own() -> None:
    assert len(corruptions.views(0)) == len(SUITE) == 13
    assert {one.kind for one in SUITE} == {"hue", "white balance", "blur", "JPEG", "brightness", "surround"}
