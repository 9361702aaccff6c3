"""Progress of a part, told as that of the whole."""

from malaria.domain import Progress
from malaria.progress import part


def test_a_part_is_laid_onto_its_place_in_the_whole() -> None:
    told: list[Progress] = []
    report = part(part(told.append, 20, 50), 0, 40)
    report(Progress("train", percent=50.0, eta=7.0, epoch=2))
    report(Progress("train"))
    assert told == [Progress("train", percent=30.0, eta=7.0, epoch=2), Progress("train", percent=20.0)]
