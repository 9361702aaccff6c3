"""Figures about activation maps, against sums done by hand; and pointing, with maps that are known."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from malaria import explain, explanation_figures, pointing, synthetic
from malaria.domain import Label, ModelVersion, Progress
from malaria.explanation_figures import CALLED, RIGHTLY
from malaria.hiding import HOTTEST, RANDOM
from malaria.pointing import Pointed, point
from malaria.predict import Scored
from malaria.preprocess import Pixels
from malaria.scoring import Scores, Seen
from malaria.shares import share

CELLS = [  # patient, label, P whole, P without the hottest tenth, P without a random one
    ("a", 1, 0.9, 0.2, 0.9),
    ("a", 1, 0.8, 0.6, 0.7),
    ("b", 0, 0.7, 0.1, 0.4),
    ("b", 0, 0.2, 0.1, 0.2),
    ("c", 1, 0.3, 0.3, 0.1),
    ("c", 1, 0.6, 0.5, 0.6),
]


def scores() -> Scores:
    seen = tuple(
        Seen(str(i), Label(label), patient, f"patient:{patient}", patient)
        for i, (patient, label, *_) in enumerate(CELLS)
    )
    p = np.array([row[2:] for row in CELLS], np.float64)
    views = dict(zip(("raw", HOTTEST, RANDOM), p.T, strict=True))
    return Scores(seen, views, logits={name: 10 * of for name, of in views.items()})


def test_drops_and_flips_are_means_over_the_cells_that_are_called_parasitized() -> None:
    found = explanation_figures.explained(scores(), [], 0.5, draws=200, seed=0)
    assert found.pointing == ()
    told = {(of.cells, of.tenth): of for of in found.hidden}
    assert len(told) == 6
    hottest, random = told[CALLED, "hottest tenth"], told[CALLED, "random tenth"]
    assert (hottest.count, hottest.groups) == (4, 3)
    assert hottest.probability.value == pytest.approx((0.7 + 0.2 + 0.6 + 0.1) / 4)
    assert hottest.logit.value == pytest.approx(10 * hottest.probability.value)
    assert hottest.flipped.value == 0.5
    assert random.probability.value == pytest.approx((0 + 0.1 + 0.3 + 0) / 4)
    assert random.flipped.value == 0.25
    gap = told[CALLED, "difference"]
    assert gap.probability.value == pytest.approx(hottest.probability.value - random.probability.value)
    assert gap.flipped.value == 0.25
    rightly = told[RIGHTLY, "hottest tenth"]
    assert (rightly.count, rightly.groups) == (3, 2)
    assert rightly.probability.value == pytest.approx((0.7 + 0.2 + 0.1) / 3)
    for of in found.hidden:
        for rate in (of.probability, of.logit, of.flipped):
            low, high = rate.interval or (np.nan, np.nan)
            assert low <= rate.value <= high


def test_where_none_flips_there_is_still_room_for_one() -> None:
    of = share(np.zeros(6, np.bool_), scores().groups, 200, 0)
    assert of.value == 0
    assert of.interval is not None
    assert of.interval[0] == 0 < of.interval[1] < 1


def test_one_patient_alone_says_nothing_of_others() -> None:
    (rate,) = explanation_figures.means(np.ones((3, 1)), np.array(["a", "a", "a"]), 200, 0)
    assert rate.interval is None
    alone = scores().where(np.array([True, True, False, False, False, False]))
    found = explanation_figures.explained(alone, [], 0.5, draws=200, seed=0)
    assert all(of.probability.interval is None for of in found.hidden)


def test_where_nothing_is_called_parasitized_nothing_is_told() -> None:
    assert explanation_figures.explained(scores(), [], 0.95, draws=200, seed=0).hidden == ()


def test_pointing_is_told_of_all_and_by_form_of_the_parasite() -> None:
    pointed = [
        Pointed("ring", "p", True, True, 0.1, right=0.25),
        Pointed("ring", "p", True, False, 0.3, right=0.75, down=-1.0),
        Pointed("ring", "q", False, True, 0.9),
        Pointed("schizont", "q", True, True, 0.4),
        Pointed("trophozoite", "q", False, False, 0.4),
    ]
    found = explanation_figures.explained(scores(), pointed, 0.5, draws=200, seed=0).pointing
    told = {
        of.form: (of.cells, of.called, of.hits and of.hits.value, of.chance and of.chance.value)
        for of in found
    }
    assert told == {
        "all": (5, 3, pytest.approx(2 / 3), pytest.approx(0.8 / 3)),
        "ring": (3, 2, 0.5, pytest.approx(0.2)),
        "schizont": (1, 1, 1.0, 0.4),
        "trophozoite": (1, 0, None, None),
    }
    assert next(iter(told)) == "all"
    ring = next(of for of in found if of.form == "ring")
    assert (ring.right and ring.right.value, ring.down and ring.down.value) == (0.5, -0.5)


class Shown:
    """Stands in for a network that was told beforehand where to look: a place of the grid for each cell."""

    info = ModelVersion("v1", "d" * 64, "mobilenet_v2", 32, datetime(2026, 1, 1, tzinfo=UTC), 1)

    def __init__(self, places: list[tuple[int, int]], probability: float = 0.9) -> None:
        self.places, self.probability = iter(places), probability

    def score_many(self, pixels: Iterable[Pixels]) -> Iterator[Scored]:
        for _ in pixels:
            activation = np.zeros((8, 8), np.float32)
            activation[next(self.places)] = 9
            yield Scored(self.probability, activation, np.zeros(4, np.float32))


def places(total: int, on_parasite: bool) -> list[tuple[int, int]]:
    """For each parasitized cell, a place of the grid whose middle is on a parasite, or far from all."""
    found = []
    for cell in synthetic.generate(total, pointing.SEED):
        if cell.label is not Label.PARASITIZED:
            continue
        left, top, _, _ = explain.box(cell.image.size, 8)
        step = max(cell.image.size) / 8
        away = np.full((8, 8), np.nan)
        rows, columns = np.nonzero(cell.parasites)
        for i, j in np.ndindex(8, 8):
            y, x = (i + 0.5 + top * -1) * step, (j + 0.5 + left * -1) * step
            if 0 <= y < cell.image.height and 0 <= x < cell.image.width:
                away[i, j] = np.hypot(rows - y, columns - x).min()
        best = np.nanargmin(away) if on_parasite else np.nanargmax(away)
        found.append((int(best) // 8, int(best) % 8))
    return found


@pytest.mark.parametrize("on_parasite", [True, False])
def test_a_map_that_points_at_the_parasite_hits_and_one_that_does_not_misses(on_parasite: bool) -> None:
    told: list[Progress] = []
    found = point(Shown(places(20, on_parasite)), 0.5, 20, told.append)  # type: ignore[arg-type]
    assert [one.hit for one in found] == [on_parasite] * 10
    assert all(one.called and 0.02 < one.chance < 0.6 for one in found)
    made = [cell for cell in synthetic.generate(20, pointing.SEED) if cell.label is Label.PARASITIZED]
    assert [(one.kind, one.patient) for one in found] == [(cell.kind, cell.patient) for cell in made]
    assert told[-1].percent == 100


def test_cells_that_are_not_called_parasitized_are_told_apart() -> None:
    found = point(Shown(places(4, True), probability=0.4), 0.5, 4)  # type: ignore[arg-type]
    assert [one.called for one in found] == [False, False]


def test_half_a_grid_cell_beside_a_parasite_is_still_on_it() -> None:
    shown = places(40, False)
    for one in point(Shown(shown), 0.5, 40):  # type: ignore[arg-type]
        assert not one.hit and np.hypot(one.right, one.down) > pointing.TOLERANCE
    shifted = [(row, min(column + 1, 7)) for row, column in places(40, True)]
    found = point(Shown(shifted), 0.5, 40)  # type: ignore[arg-type]
    assert {one.hit for one in found} == {True, False}
    for one in found:
        assert one.hit == (np.hypot(one.right, one.down) <= pointing.TOLERANCE)
    assert np.mean([one.right for one in found]) > 0.1, "told is that the map lies to the right"
    assert abs(np.mean([one.down for one in found])) < 0.1
