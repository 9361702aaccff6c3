"""Base cells in another laboratory's stain: the body takes its density, the parasite stays, the label too."""

from dataclasses import replace

import numpy as np
import pytest

from malaria import preprocess, synthetic
from malaria.domain import Label
from malaria.training.restain import median, restain_all, restained
from malaria.training.transplant import Reals, density, on_black
from tests.unit.test_mixture import SIZE, arrays, quiet

BODIES = [np.array(body, np.float32) for body in ([0.2, 0.6, 0.3], [0.7, 0.8, 0.5])]


@pytest.mark.parametrize("body", BODIES)
def test_the_body_takes_the_density_told_and_the_black_stays(body: Reals) -> None:
    for cell in synthetic.generate(6, 3):
        pixels = preprocess.to_square(cell.image, SIZE)
        mask, made = on_black(pixels), restained(pixels, body)
        assert median(density(made), mask) == pytest.approx(body, abs=0.03)
        assert not made[~mask].any()


def test_what_stands_out_from_the_body_stands_out_as_before() -> None:
    seen = 0
    for cell in synthetic.generate(24, 5):
        if cell.label is not Label.PARASITIZED:
            continue
        pixels = preprocess.to_square(cell.image, SIZE)
        mask, made = on_black(pixels), restained(pixels, BODIES[0])
        was, now = density(pixels), density(made)
        dark = mask & (was[..., 1] > np.quantile(was[mask][:, 1], 0.98))
        raised = was[dark].mean(axis=0) - median(was, mask)
        assert now[dark].mean(axis=0) - median(now, mask) == pytest.approx(raised, abs=0.08)
        seen += 1
    assert seen >= 8


def test_each_base_cell_is_made_once_with_its_label_and_the_same_by_the_same_seed() -> None:
    cells = arrays()
    base, others = cells.where(cells.origins == "base"), cells.where(cells.origins != "base")
    made, again = (restain_all(base, others, 7, quiet) for _ in range(2))
    assert np.array_equal(made.pixels, again.pixels)
    assert np.array_equal(made.labels, base.labels)
    on_plasma = [(pixels.max(axis=2) > 20).mean() > 0.99 for pixels in made.pixels]
    assert 0.4 < np.mean(on_plasma) < 1.0, "most on plasma, some on black"


def test_without_another_laboratory_there_is_no_stain_to_take() -> None:
    cells = arrays(6)
    base = cells.where(cells.origins == "base")
    assert len(restain_all(base, base.where(np.arange(0)), 7, quiet).labels) == 0


def test_a_stain_that_is_drawn_is_none_that_was_seen() -> None:
    cells = arrays()
    base, others = cells.where(cells.origins == "base"), cells.where(cells.origins != "base")
    seen, varied, some = (restain_all(base, others, 7, quiet, share) for share in (0.0, 1.0, 0.5))
    same = [np.array_equal(a, b) for a, b in zip(seen.pixels, some.pixels, strict=True)]
    assert 0.1 < np.mean(same) < 0.9
    assert not any(np.array_equal(a, b) for a, b in zip(seen.pixels, varied.pixels, strict=True))
    bodies = [
        np.array([np.median(density(pixels)[pixels.max(axis=2) > 20], axis=0) for pixels in made.pixels])
        for made in (seen, varied)
    ]
    assert bodies[1].std(axis=0).mean() > 1.2 * bodies[0].std(axis=0).mean()


def test_plasma_is_that_of_the_crop_and_not_the_black_that_made_it_a_square() -> None:
    cells = arrays()
    base, others = cells.where(cells.origins == "base"), cells.where(cells.origins != "base")
    squares = np.array(others.pixels)
    bar = SIZE // 8
    squares[:, :bar] = squares[:, -bar:] = 0
    padded = replace(others, pixels=squares)
    made = restain_all(base, padded, 7, quiet)
    corners = made.pixels[:, :3, :3].reshape(len(made.pixels), -1, 3).mean(axis=1)
    dark = (corners.max(axis=1) < 60).mean()
    assert dark < 0.45, "no more than what stays on black"
