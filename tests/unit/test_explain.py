"""Maps on pictures: each place of the grid lands where the network saw it, and looks alike on all."""

import base64
import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from malaria import explain, preprocess, synthetic
from malaria.domain import Label, ModelVersion
from malaria.predict import Model

GRID = 8
SIZES = [(120, 120), (160, 90), (90, 160), (37, 101), (101, 37)]


def hot(row: int, column: int, logit: float = 30.0) -> explain.Activation:
    """A map of -1 with one hot place."""
    activation = np.full((GRID, GRID), -1, np.float32)
    activation[row, column] = logit
    return activation


@pytest.mark.parametrize("size", SIZES)
def test_a_hot_place_of_the_grid_lands_on_its_pixels(size: tuple[int, int]) -> None:
    width, height = size
    side = max(size)
    left, top = (side - width) // 2, (side - height) // 2
    seen = 0
    for row, column in np.ndindex(GRID, GRID):
        x, y = (column + 0.5) * side / GRID - left, (row + 0.5) * side / GRID - top
        if not (1 <= x <= width - 1 and 1 <= y <= height - 1):
            continue  # its middle is padding
        seen += 1
        activation = hot(row, column)
        place = explain.hottest(activation, size)
        assert abs(place.x + 0.5 - x) <= 1, (row, column)
        assert abs(place.y + 0.5 - y) <= 1, (row, column)
        heat = explain.on_picture(activation, size)
        assert heat.shape == (height, width)
        assert heat[place.y, place.x] == place.logit == pytest.approx(heat.max(), abs=1e-3)
        assert place.logit > 0.8 * 30
        far = np.hypot(*(np.indices(heat.shape) + 0.5 - np.array([y, x])[:, None, None])) > 1.5 * side / GRID
        assert heat[far].max() == pytest.approx(-1), "nothing is hot anywhere else"
    assert seen >= GRID * 2


def shown_to_network(image: Image.Image) -> explain.Activation:
    """Stands in for a network: what it says of a place is how bright the square that it is shown is there."""
    square = preprocess.to_square(image, 16 * GRID)[..., 0].astype(np.float32)
    return np.asarray(square.reshape(GRID, 16, GRID, 16).mean(axis=(1, 3)), np.float32)


@pytest.mark.parametrize("most", [preprocess.MAX_PIXELS, 1000], ids=["padded, then resized", "a long strip"])
@pytest.mark.parametrize("size", SIZES)
def test_what_the_network_saw_is_found_where_it_is(
    size: tuple[int, int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocess, "MAX_PIXELS", most)
    half = max(size) / GRID / 2
    for x, y in [(3, 3), (size[0] - 4, size[1] // 2), (size[0] // 3, size[1] - 4), (size[0] // 2, 5)]:
        image = Image.new("RGB", size)
        image.paste((255, 255, 255), (x - 2, y - 2, x + 3, y + 3))
        place = explain.hottest(shown_to_network(image), size)
        assert abs(place.x - x) <= half + 1, (x, y)
        assert abs(place.y - y) <= half + 1, (x, y)


def test_no_place_gets_more_than_the_grid_says() -> None:
    rng = np.random.default_rng(0)
    activation = rng.normal(0, 20, (GRID, GRID)).astype(np.float32)
    heat = explain.on_picture(activation, (300, 211))
    assert activation.min() - 1e-3 <= heat.min() <= heat.max() <= activation.max() + 1e-3
    assert explain.on_picture(np.full((GRID, GRID), 3, np.float32), (50, 31)) == pytest.approx(3)


def test_the_mean_of_the_grid_is_the_logit(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = Model(shipped_tflite, shipped_info, interpreters=1)
    for cell in synthetic.generate(6, 8):
        scored = model.score(preprocess.to_square(cell.image, shipped_info.input_size))
        p = scored.probability
        assert scored.activation.mean() == pytest.approx(np.log(p / (1 - p)), abs=1e-3)
        if cell.label is Label.PARASITIZED:
            place = explain.hottest(scored.activation, cell.image.size)
            rows, columns = np.nonzero(cell.parasites)
            near = np.hypot(rows - place.y, columns - place.x).min()
            assert near <= max(cell.image.size) / GRID, "the hottest place is at the parasite"


def test_one_scale_for_all_pictures() -> None:
    alone = np.asarray(explain.overlay(hot(3, 3, explain.FULL / 2), (160, 160)))
    beside = hot(3, 3, explain.FULL / 2)
    beside[6, 6] = 4 * explain.FULL
    together = np.asarray(explain.overlay(beside, (160, 160)))
    assert (alone[60:80, 60:80] == together[60:80, 60:80]).all(), "another place does not make it paler"
    full = np.asarray(explain.overlay(np.full((GRID, GRID), explain.FULL, np.float32), (16, 16)))
    assert (full == [255, 240, 60, round(255 * explain.OPAQUE)]).all()
    assert together.max(axis=(0, 1))[3] == round(255 * explain.OPAQUE), "and beyond it is no more opaque"


def test_the_more_evidence_the_more_opaque_and_evidence_against_is_clear() -> None:
    ramp = np.tile(np.linspace(-explain.FULL, explain.FULL, GRID, dtype=np.float32), (GRID, 1))
    alpha = np.asarray(explain.overlay(ramp, (160, 160)))[80, :, 3].astype(int)
    assert (alpha[:80] == 0).all()
    assert (np.diff(alpha) >= 0).all()
    picture = synthetic.generate(1, 3).__next__().image
    against = np.full((GRID, GRID), -9, np.float32)
    assert explain.explained(picture, against).tobytes() == picture.tobytes()
    changed = np.asarray(explain.explained(picture, hot(4, 4))) != np.asarray(picture)
    assert 0 < changed.any(axis=2).mean() < 0.2


LINEAR_RGB_TO_Y = np.array([0.2126, 0.7152, 0.0722])
SEEN_BY = {  # Machado et al., IEEE TVCG 15:1291, 2009: severity 1.0, linear RGB
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}


def lightness(rgb: npt.NDArray[np.floating], seen_by: str) -> npt.NDArray[np.floating]:
    """CIE L* of sRGB colours (n, 3) in 0..255, 0 to 100."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light = (linear @ SEEN_BY[seen_by].T).clip(0, 1) @ LINEAR_RGB_TO_Y
    return np.where(light > 0.008856, 116 * np.cbrt(light) - 16, 903.3 * light)


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_colours_grow_lighter_for_everybody(seen_by: str) -> None:
    ramp = np.tile(np.linspace(0, explain.FULL, 256, dtype=np.float32), (256, 1))
    colours = np.asarray(explain.overlay(ramp, (256, 256)))[128, :, :3].astype(float)
    steps = np.diff(lightness(colours[::16], seen_by))
    assert steps.min() > 1.5
    assert steps.max() < 4 * steps.mean(), "and evenly so"


def test_large_pictures_are_drawn_small_and_places_are_told_in_full() -> None:
    size = (9000, 4500)
    assert explain.overlay(hot(4, 7), size).size == (explain.LONGEST, explain.LONGEST // 2)
    place = explain.hottest(hot(4, 7), size)
    assert abs(place.x - 7.5 * 9000 / GRID) <= 9000 / explain.LONGEST
    assert abs(place.y - (4.5 * 9000 / GRID - 2250)) <= 9000 / explain.LONGEST
    picture = Image.new("RGB", (1400, 700))
    assert explain.explained(picture, hot(4, 4)).size == (512, 256)
    assert explain.shown((1, 50_000)) == (1, 512)
    assert explain.overlay(hot(4, 4), (8, 50_000)).size == (1, 512)
    small = Image.new("RGB", (30, 20))
    assert explain.shrunk(small) is small


def test_a_data_uri_holds_the_picture() -> None:
    image = explain.overlay(hot(2, 5), (60, 40))
    kind, _, data = explain.data_uri(image).partition(",")
    assert kind == "data:image/png;base64"
    opened = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (opened.mode, opened.size, opened.tobytes()) == ("RGBA", (60, 40), image.tobytes())


def test_the_box_is_what_the_picture_covers_of_the_grid() -> None:
    assert explain.box((100, 100), 8) == (0, 0, 8, 8)
    assert explain.box((100, 50), 8) == (0, 2, 8, 6)
    assert explain.box((50, 100), 16) == (4, 0, 12, 16)
