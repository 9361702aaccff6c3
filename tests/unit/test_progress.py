"""Progress of a part, told as that of the whole."""

import pytest

from malaria.domain import Progress
from malaria.progress import Series, part


def test_a_part_is_laid_onto_its_place_in_the_whole() -> None:
    told: list[Progress] = []
    report = part(part(told.append, 20, 50), 0, 40)
    report(Progress("train", percent=50.0, eta=7.0, epoch=2))
    report(Progress("train"))
    assert told == [Progress("train", percent=30.0, eta=7.0, epoch=2), Progress("train", percent=20.0)]


def test_of_several_trainings_percent_and_seconds_left_are_those_of_all() -> None:
    told: list[Progress] = []
    series = Series(4, told.append)
    series.of("first")(Progress("train", percent=1.0))
    series.of("first")(Progress("train", percent=50.0, eta=30.0, epoch=2))
    series.finished()
    series.of("second")(Progress("train", percent=2.0, eta=900.0))  # the graph is being built
    assert [(at.step, at.percent, at.eta) for at in told] == [
        ("first", pytest.approx(0.25), None),
        ("first", 12.5, pytest.approx(210.0)),
        ("second", pytest.approx(25.5), pytest.approx(60 * 2.98)),
    ]
    assert told[1].epoch == 2


def test_what_was_done_before_counts() -> None:
    told: list[Progress] = []
    series = Series(2, told.append)
    series.finished()
    series.of("second")(Progress("train", percent=0.0, eta=20.0))
    assert (told[0].percent, told[0].eta) == (50.0, 20.0)
