"""What a network is shown: parts in their shares, made of training cells, the same by the same seed."""

from pathlib import Path

import numpy as np
import pytest

from malaria import preprocess, synthetic
from malaria.domain import Progress
from malaria.training import grafts, surround
from malaria.training import mixture as mixtures
from malaria.training.dataset import CellArrays, Part
from malaria.training.recipe import Shares
from malaria.training.transplant import on_black

SIZE = 96


def arrays(count: int = 24) -> CellArrays:
    """Base cells on black, and as many uninfected ones of another laboratory on a pale field."""
    made = list(synthetic.generate(count, 3))
    base = np.array([preprocess.to_square(cell.image, SIZE) for cell in made])
    healthy = np.array([preprocess.to_square(cell.image, SIZE) for cell in made if not cell.label])
    pale = np.where(healthy.max(axis=3, keepdims=True) > 12, healthy, np.uint8(225))
    pixels, n = np.concatenate([base, pale]), len(base) + len(pale)
    return CellArrays(
        pixels,
        np.array([int(c.label) for c in made] + [0] * len(pale), np.uint8),
        np.array([c.patient for c in made] + [f"chula/{i}" for i in range(len(pale))]),
        np.array(["train"] * n),
        np.array(["base"] * len(base) + ["base:chula"] * len(pale)),
        np.arange(n, dtype=np.uint64),
        np.array([f"cell_{i}" for i in range(n)]),
    )


def quiet(progress: Progress) -> None:
    assert progress.percent is not None and 0 <= progress.percent <= 100


ALL = Shares(1.0, 0.5, 0.5, 0.25, 0.25, 0.5, epoch_cells=120, transplants=30)


def test_an_epoch_holds_each_part_in_its_share(tmp_path: Path) -> None:
    found = mixtures.mixture(arrays(), ALL, 7, tmp_path, quiet)(SIZE)
    assert found.counts == (40, 20, 20, 10, 10, 20)
    epoch = found.epoch(1)
    assert len(epoch.labels) == len(epoch.pixels) == len(found) == 120
    assert set(epoch.labels.tolist()) == {0.0, 1.0}
    assert not np.array_equal(epoch.labels, found.epoch(2).labels)
    assert np.array_equal(epoch.pixels, found.epoch(1).pixels)


def test_made_parts_are_kept_and_made_anew_for_another_seed(tmp_path: Path) -> None:
    first = mixtures.mixture(arrays(), ALL, 7, tmp_path, quiet)(SIZE)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == 4  # surrounded, masked, restained, transplanted

    def never(progress: Progress) -> None:
        raise AssertionError(f"made again: {progress}")

    again = mixtures.mixture(arrays(), ALL, 7, tmp_path, never)(SIZE)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first.parts, again.parts, strict=True))
    mixtures.mixture(arrays(), ALL, 8, tmp_path, quiet)
    assert len(list(tmp_path.iterdir())) > 4


def test_plain_shares_show_each_base_cell_once(tmp_path: Path) -> None:
    found = mixtures.mixture(arrays(), Shares(), 7, tmp_path, quiet)(SIZE)
    assert len(found) == 24
    assert not list(tmp_path.iterdir())


def apart(cells: CellArrays) -> tuple[CellArrays, CellArrays]:
    return cells.where(cells.origins == "base"), cells.where(cells.origins != "base")


def reddened(cells: CellArrays, label: int) -> CellArrays:
    """The cells, those of one label absorbing no red: nor does what is moved from them."""
    pixels = cells.pixels.copy()
    pixels[cells.labels == label, ..., 0] = 255 * (pixels[cells.labels == label, ..., 1] > 12)
    return CellArrays(**{**vars(cells), "pixels": pixels})


def test_transplants_carry_the_label_of_their_spot() -> None:
    """Spots of infected cells are made to absorb no red, so that the label tells which spots were moved."""
    base, others = apart(arrays(60))
    made, _ = grafts.transplant_all(reddened(base, 1), others, 60, 7, quiet)
    assert len(made.labels) >= 50
    assert 0.3 < made.labels.mean() < 0.9
    assert made.pixels.any(axis=(1, 2, 3)).all()
    with_both, rows = grafts.transplant_all(base, others, 60, 7, quiet)
    assert np.array_equal(made.labels, with_both.labels)
    assert np.array_equal(made.labels, base.labels[rows]), "it is told whose spot it is"
    assert len(set(rows.tolist())) > 10
    red = made.pixels[..., 0].astype(int) - with_both.pixels[..., 0].astype(int)
    lighter = (red > 5).sum(axis=(1, 2)) > 5
    assert lighter[made.labels == 1].mean() > 0.8
    assert lighter[made.labels == 0].mean() < 0.2


def test_no_spot_is_moved_from_a_doubted_cell(tmp_path: Path) -> None:
    cells = arrays(40)
    shares = Shares(1.0, transplanted=1.0, transplants=20)
    doubted = (cells.labels == 1) & (cells.origins == "base")
    found = mixtures.mixture(cells, shares, 7, tmp_path, quiet, doubted=doubted)(SIZE)
    assert len(found.parts) == 1, "without infected donors, uninfected spots alone would tell the label"


def test_a_part_is_reduced_to_a_smaller_input() -> None:
    cells = arrays(4)
    part = Part(cells.pixels, cells.labels.astype(np.float32))
    assert part.at(64).pixels.shape == (6, 64, 64, 3)
    assert part.at(SIZE) is part


@pytest.mark.parametrize(("available", "count"), [(5, 5), (5, 12), (9, 4)])
def test_rows_are_drawn_evenly(available: int, count: int) -> None:
    rows = mixtures.drawn(available, count, np.random.default_rng(0))
    times = np.bincount(rows, minlength=available)
    assert len(rows) == count
    assert times.max() - times.min() <= 1


def test_a_surround_replaces_the_black_and_leaves_the_cell() -> None:
    rng = np.random.default_rng(2)
    made = list(synthetic.generate(8, 3))
    for cell in made:
        pixels = preprocess.to_square(cell.image, SIZE)
        out = surround.surrounded(pixels, [preprocess.to_square(made[1].image, SIZE)], rng)
        assert (out.max(axis=2) > 20).mean() > 0.99, "no black is left"
        assert out.shape == pixels.shape
    empty = np.zeros((SIZE, SIZE, 3), np.uint8)
    assert np.array_equal(surround.surrounded(empty, [], rng), empty)


def test_the_cell_itself_is_still_there() -> None:
    rng = np.random.default_rng(2)
    pixels = preprocess.to_square(next(synthetic.generate(1, 3)).image, SIZE)
    out = surround.surrounded(pixels, [], rng)
    was, now = pixels[on_black(pixels)], out[SIZE // 2 - 8 : SIZE // 2 + 8, SIZE // 2 - 8 : SIZE // 2 + 8]
    assert np.abs(np.median(was, axis=0) - np.median(now.reshape(-1, 3), axis=0)).max() < 40


def test_where_nothing_is_stained_nothing_is_moved() -> None:
    cells = arrays(6)
    y, x = np.mgrid[:SIZE, :SIZE]
    even = np.where((np.hypot(y - 48, x - 48) < 40)[..., None], np.uint8(180), np.uint8(0)).repeat(3, axis=2)
    flat = CellArrays(**{**vars(cells), "pixels": np.stack([even] * len(cells))})
    assert (
        len(grafts.transplant_all(flat.where(np.arange(6)), flat.where(np.arange(0)), 5, 7, quiet)[0].labels)
        == 0
    )


def test_parts_without_cells_are_left_out(tmp_path: Path) -> None:
    cells = arrays(12)
    base = cells.where(cells.origins == "base")
    found = mixtures.mixture(base, ALL, 7, tmp_path, quiet)(SIZE)
    assert len(found.parts) == 3, "plain, surrounded, transplanted"
    assert all(len(part.labels) for part in found.parts)


def test_patients_are_drawn_alike_where_that_is_asked_for(tmp_path: Path) -> None:
    groups = np.array(["a"] * 90 + ["b"] * 10)
    assert mixtures.even(groups, 1.0)[groups == "b"].sum() == pytest.approx(0.5)
    assert mixtures.even(groups, 0.0)[groups == "b"].sum() == pytest.approx(0.1)
    cells = arrays(40)
    often = np.arange(len(cells)) < 4
    uneven = CellArrays(**{**vars(cells), "groups": np.where(often, "few", "many")})
    base = uneven.where(uneven.origins == "base")
    shares = Shares(epoch_cells=400, by_patient=1.0)
    epoch = mixtures.mixture(base, shares, 7, tmp_path, quiet)(SIZE).epoch(1)
    of_few = [any(np.array_equal(pixels, few) for few in base.pixels[:4]) for pixels in epoch.pixels]
    assert 0.4 < np.mean(of_few) < 0.6
